import { l10n, ThemeIcon, type TreeView } from "vscode";
import { type DiskUsageResult, diskUsage } from "../../engine/protocol.ts";
import { age } from "../age.ts";
import { byteSize } from "../byteSize.ts";
import { shortDigest } from "../references.ts";
import type { Session } from "../session.ts";
import { type Row, row, Tree } from "./tree.ts";

type Item = DiskUsageResult["items"][number];

/** Build Cache: what takes room in the store, the biggest first, and how much of it a prune would free. */
export function openBuildCacheView(session: Session): TreeView<Row> {
  const tree = new Tree(session, async () => rows(view, await session.engine.ask(diskUsage)));
  const view = tree.open("kubefile.buildCache");
  session.context.subscriptions.push(session.onStoreChanged(() => tree.refresh()));
  return view;
}

function rows(view: TreeView<Row>, usage: DiskUsageResult): Row[] {
  if (usage.items.length === 0) return [];
  view.description = l10n.t("{0}, {1} reclaimable", byteSize(usage.totalBytes), byteSize(usage.reclaimableBytes));
  const kinds: readonly [Item["kind"], string, string][] = [
    ["cache", l10n.t("Cached layers"), "history"],
    ["image", l10n.t("Images"), "package"],
    ["other", l10n.t("Other"), "database"],
  ];
  return kinds.flatMap(([kind, label, icon]) => {
    const items = usage.items.filter((item) => item.kind === kind).sort((a, b) => b.sizeBytes - a.sizeBytes);
    if (items.length === 0) return [];
    const bytes = items.reduce((sum, item) => sum + item.sizeBytes, 0);
    return row({
      id: `usage:${kind}`,
      label,
      description: `${items.length} · ${byteSize(bytes)}`,
      icon: new ThemeIcon(icon),
      kind: "group",
      open: kind === "cache",
      children: () => bySort(kind, items),
    });
  });
}

/** Cache records say what they are in their first word (`step`, `layer`, `fingerprints`): one group each, steps first. */
function bySort(kind: Item["kind"], items: readonly Item[]): Row[] {
  const sorts = Map.groupBy(items, ({ name }) =>
    kind === "cache" ? name.slice(0, Math.max(0, name.indexOf(" "))) : "",
  );
  return [...sorts]
    .sort(([a], [b]) => Number(b === "step") - Number(a === "step"))
    .flatMap(([sort, members]) => {
      const rows = members.map((item, index) => itemRow(item, item.name.slice(sort.length).trim(), index));
      if (sorts.size === 1) return rows;
      const bytes = members.reduce((sum, item) => sum + item.sizeBytes, 0);
      const description = `${members.length} · ${byteSize(bytes)}`;
      return row({
        id: `usage:${kind}:${sort}`,
        label: sort,
        description,
        kind: "group",
        open: sort === "step",
        children: () => rows,
      });
    });
}

function itemRow(item: Item, label: string, index: number): Row {
  const used = item.inUse ? l10n.t("in use") : l10n.t("used {0}", age(item.lastUsedAt, Date.now()));
  return row({
    id: `usage:${item.kind}:${item.name}:${index}`,
    label: label.replace(/sha256:[0-9a-f]{64}/g, shortDigest),
    description: `${byteSize(item.sizeBytes)} · ${used}`,
    tooltip: `${item.name}\n${byteSize(item.sizeBytes)}, ${used}`,
    icon: new ThemeIcon(item.inUse ? "pinned" : "circle-outline"),
    kind: item.kind,
  });
}

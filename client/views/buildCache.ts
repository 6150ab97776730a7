import { l10n, ThemeIcon, type TreeView } from "vscode";
import { type DiskUsageResult, diskUsage } from "../../engine/protocol.ts";
import { age } from "../age.ts";
import { byteSize } from "../byteSize.ts";
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
      children: () => items.map((item, index) => itemRow(item, index)),
    });
  });
}

function itemRow(item: Item, index: number): Row {
  const used = item.inUse ? l10n.t("in use") : l10n.t("used {0}", age(item.lastUsedAt, Date.now()));
  return row({
    id: `usage:${item.kind}:${item.name}:${index}`,
    label: item.name,
    description: `${byteSize(item.sizeBytes)} · ${used}`,
    tooltip: `${item.name}\n${byteSize(item.sizeBytes)}, ${used}`,
    icon: new ThemeIcon(item.inUse ? "pinned" : "circle-outline"),
    kind: item.kind,
  });
}

import { l10n, MarkdownString, ThemeColor, ThemeIcon, type TreeView } from "vscode";
import {
  type ApplicationDetails,
  type ImageDetails,
  type ImageSummary,
  images,
  inspectImage,
  type LayerDetails,
  type PackedContainerImage,
  type PlatformImageDetails,
} from "../../engine/protocol.ts";
import { age } from "../age.ts";
import { byteSize } from "../byteSize.ts";
import { shortDigest, shortReference, shownReference } from "../references.ts";
import type { Session } from "../session.ts";
import { filesRow, folderRows } from "./imageFiles.ts";
import { type Row, row, Tree } from "./tree.ts";

/** Cluster Images: repository → tag → layers, applications, container images and configuration. */
export function openImagesView(session: Session): TreeView<Row> {
  const tree = new Tree(session, async () => repositories(session, await session.engine.ask(images)));
  const builds = session.builds.onChange((build) => {
    if (!session.builds.running.includes(build)) tree.refresh();
  });
  session.context.subscriptions.push(
    session.onStoreChanged((what) => {
      if (what === "images") tree.refresh();
    }),
    { dispose: () => builds[Symbol.dispose]() },
  );
  return tree.open("kubefile.images");
}

interface Named {
  readonly reference: string;
  readonly label: string;
  readonly image: ImageSummary;
}

function repositories(session: Session, all: readonly ImageSummary[]): Row[] {
  const byRepository = new Map<string, Named[]>();
  const add = (repository: string, named: Named): void => {
    byRepository.set(repository, [...(byRepository.get(repository) ?? []), named]);
  };
  for (const image of all) {
    for (const reference of image.references) {
      const { repository, tag } = shownReference(reference);
      add(repository, { reference, label: tag, image });
    }
    if (image.references.length === 0) {
      add(l10n.t("without a name"), { reference: image.digest, label: shortDigest(image.digest), image });
    }
  }
  return [...byRepository].sort(byName).map(([repository, named]) =>
    row({
      id: `repository:${repository}`,
      label: repository,
      description: named.length === 1 ? "" : l10n.t("{0} tags", named.length),
      icon: new ThemeIcon("repo"),
      kind: "repository",
      open: true,
      children: () => [...named].sort(newestFirst).map((entry) => imageRow(session, entry)),
    }),
  );
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

function newestFirst(a: Named, b: Named): number {
  return b.image.storedAt - a.image.storedAt;
}

function imageRow(session: Session, { reference, label, image }: Named): Row {
  const named = image.references.length > 0;
  const when = age(image.storedAt, Date.now());
  return row({
    id: `image:${reference}`,
    label,
    description: [byteSize(image.sizeBytes), when, shortDigest(image.digest)].join(" · "),
    tooltip: imageTooltip(reference, image),
    icon: new ThemeIcon(image.type === undefined ? "archive" : "package"),
    kind: named ? "image.named" : "image",
    spoken: l10n.t("Cluster image {0}, {1}, {2}", reference, byteSize(image.sizeBytes), when),
    subject: { image: { reference, image }, digest: image.digest },
    children: async () => {
      const found = await session.engine.request(inspectImage, { reference });
      return found.images.length === 1
        ? found.images.flatMap((one) => partsOf(session, reference, one))
        : platforms(session, reference, found);
    },
  });
}

function imageTooltip(reference: string, image: ImageSummary): MarkdownString {
  const lines = [
    `**${reference}**`,
    `\`${image.digest}\``,
    `${image.type ?? l10n.t("not a cluster image")} · ${image.platforms.join(", ")} · ${byteSize(image.sizeBytes)}`,
  ];
  if (image.applications.length > 0) lines.push(l10n.t("Applications: {0}", image.applications.join(", ")));
  return new MarkdownString(lines.join("\n\n"));
}

function platforms(session: Session, reference: string, details: ImageDetails): Row[] {
  return details.images.map((one) =>
    row({
      id: `platform:${reference}:${one.platform}`,
      label: one.platform,
      description: [byteSize(one.sizeBytes), shortDigest(one.digest)].join(" · "),
      icon: new ThemeIcon("chip"),
      kind: "platform",
      subject: { digest: one.digest },
      children: () => partsOf(session, `${reference}:${one.platform}`, one),
    }),
  );
}

/** The parts of one image; a part that would be empty is left out. */
function partsOf(session: Session, id: string, image: PlatformImageDetails): Row[] {
  const applications = image.clusterImage?.applications ?? [];
  const parts: (Row | undefined)[] = [
    group(
      id,
      "layers",
      l10n.t("Layers"),
      "layers",
      image.layers.map((layer, index) => layerRow(session, id, image.digest, layer, index)),
      true,
    ),
    group(
      id,
      "apps",
      l10n.t("Applications"),
      "rocket",
      applications.map((app) => applicationRow(id, app)),
    ),
    group(
      id,
      "images",
      l10n.t("Container Images"),
      "server-environment",
      image.containerImages.map((one) => containerImageRow(id, one)),
    ),
    filesRow(session, id, image.digest),
    group(id, "config", l10n.t("Configuration"), "settings-gear", configuration(id, image)),
  ];
  return parts.filter((part) => part !== undefined);
}

function group(
  id: string,
  name: string,
  label: string,
  icon: string,
  rows: readonly Row[],
  open = false,
): Row | undefined {
  if (rows.length === 0) return undefined;
  return row({
    id: `${id}:${name}`,
    label,
    description: String(rows.length),
    icon: new ThemeIcon(icon),
    kind: "group",
    open,
    children: () => rows,
  });
}

function layerRow(session: Session, id: string, image: string, layer: LayerDetails, index: number): Row {
  const made = layer.createdBy || l10n.t("made elsewhere");
  const icon = layer.present
    ? new ThemeIcon("layers")
    : new ThemeIcon("warning", new ThemeColor("problemsWarningIcon.foreground"));
  const state = layer.present ? [] : [l10n.t("bytes not in this store")];
  const tooltip = [`\`${layer.digest}\``, `diffID \`${layer.diffId}\``, layer.mediaType, made, ...state].join("\n\n");
  return row({
    id: `${id}:layer:${index}`,
    label: `${index + 1}  ${byteSize(layer.sizeBytes)}`,
    description: [made, shortDigest(layer.digest), ...state].join(" · "),
    tooltip: new MarkdownString(tooltip),
    icon,
    kind: layer.at ? "layer.placed" : "layer",
    spoken: l10n.t("Layer {0}, {1}, made by {2}", index + 1, byteSize(layer.sizeBytes), made),
    subject: { digest: layer.digest, ...(layer.at ? { place: layer.at } : {}) },
    ...(layer.present
      ? { children: () => folderRows(session, `${id}:layer:${index}`, { image, layer: index + 1, path: "" }) }
      : {}),
  });
}

function containerImageRow(id: string, { image, appName, digest, sizeBytes, found }: PackedContainerImage): Row {
  const size = sizeBytes === undefined ? [] : [byteSize(sizeBytes)];
  const app = appName === undefined ? [] : [appName];
  const facts = [
    `**${image}**`,
    ...(digest === undefined ? [] : [`\`${digest}\``]),
    ...size,
    ...(appName === undefined ? [] : [l10n.t("Application {0}", appName)]),
    ...(found.length === 0 ? [] : [`${l10n.t("Asked for by")}\n\n${found.map((place) => `- ${place}`).join("\n")}`]),
  ];
  return row({
    id: `${id}:image:${appName ?? ""}:${image}`,
    label: shortReference(image),
    description: [...size, ...app, ...found.slice(0, 1)].join(" · "),
    tooltip: new MarkdownString(facts.join("\n\n")),
    icon: new ThemeIcon("symbol-namespace"),
    kind: "containerImage",
    spoken: l10n.t("Container image {0}, {1}", image, found[0] ?? ""),
    subject: { containerImage: image, ...(digest === undefined ? {} : { digest }) },
  });
}

function applicationRow(id: string, app: ApplicationDetails): Row {
  const prefix = `${id}:app:${app.name}`;
  const facts = [
    ...app.files.map((file, index) => fact(`${prefix}:file:${index}`, file, l10n.t("file"))),
    ...app.cmds.map((command, index) => fact(`${prefix}:cmd:${index}`, command, l10n.t("command"))),
    ...Object.entries(app.env).map(([name, value]) => fact(`${prefix}:env:${name}`, name, value)),
  ];
  return row({
    id: prefix,
    label: app.name,
    description: app.type ?? "",
    icon: new ThemeIcon("rocket"),
    kind: "application",
    ...(facts.length > 0 ? { children: () => facts } : {}),
  });
}

function configuration(id: string, image: PlatformImageDetails): Row[] {
  const cluster = image.clusterImage;
  const rows = [fact(`${id}:platform`, l10n.t("Platform"), image.platform)];
  const add = (name: string, label: string, value: string | undefined): void => {
    if (value) rows.push(fact(`${id}:${name}`, label, value));
  };
  add("type", l10n.t("Type"), cluster?.type);
  add("launch", l10n.t("Launch"), (cluster?.launchApps.length ? cluster.launchApps : cluster?.launchCmds)?.join(", "));
  add("entrypoint", "Entrypoint", image.entrypoint?.join(" "));
  add("cmd", "Cmd", image.cmd?.join(" "));
  add("created", l10n.t("Created"), image.created);
  const maps: readonly [string, string, readonly (readonly [string, string])[]][] = [
    ["env", l10n.t("Environment"), image.env.map(nameAndValue)],
    ["labels", l10n.t("Labels"), Object.entries(image.labels)],
    ["annotations", l10n.t("Annotations"), Object.entries(image.annotations)],
  ];
  for (const [name, label, entries] of maps) {
    const facts = entries.map(([key, value]) => fact(`${id}:${name}:${key}`, key, value));
    const part = group(id, name, label, "symbol-key", facts);
    if (part) rows.push(part);
  }
  return rows;
}

function nameAndValue(assignment: string): readonly [string, string] {
  const equals = assignment.indexOf("=");
  return [assignment.slice(0, equals), assignment.slice(equals + 1)];
}

/** A row that only says something. */
function fact(id: string, label: string, description: string): Row {
  return row({
    id,
    label,
    description,
    tooltip: description === "" ? label : `${label}: ${description}`,
    kind: "fact",
  });
}

import { l10n, ThemeColor, ThemeIcon } from "vscode";
import { type ImageEntry, type ImagePath, imageFolder } from "../../engine/protocol.ts";
import { byteSize } from "../byteSize.ts";
import { imageUri } from "../fileSystem/imageFileSystem.ts";
import { childOf } from "../fileSystem/imagePath.ts";
import type { Session } from "../session.ts";
import { type Row, row } from "./tree.ts";

/** The row below which the merged root file system of an image is. Nothing is asked before it is opened. */
export function filesRow(session: Session, id: string, image: string): Row {
  return row({
    id: `${id}:files`,
    label: l10n.t("Files"),
    tooltip: l10n.t("The root file system that all layers make together"),
    icon: new ThemeIcon("files"),
    kind: "group",
    children: () => folderRows(session, `${id}:files`, { image, path: "" }),
  });
}

/** The rows of a folder of an image or of one of its layers. */
export async function folderRows(session: Session, id: string, folder: ImagePath): Promise<readonly Row[]> {
  const entries = await session.engine.request(imageFolder, folder);
  return entries.map((entry) => entryRow(session, id, folder, entry));
}

function entryRow(session: Session, id: string, folder: ImagePath, entry: ImageEntry): Row {
  const at = childOf(folder, entry.name);
  const opens = entry.kind === "file" || (entry.kind === "symlink" && entry.leadsTo === "file");
  const uri = imageUri(at);
  const description = describe(entry, at);
  const made = row({
    id: `${id}:${at.path}`,
    label: entry.name,
    description,
    tooltip: `/${at.path}${description === "" ? "" : `\n${description}`}`,
    icon: iconOf(entry),
    kind: opens ? "file" : `file.${entry.kind}`,
    spoken: `${entry.name}, ${description === "" ? entry.kind : description}`,
    ...(opens ? { subject: { file: at } } : {}),
    ...(opens ? { command: { command: "vscode.open", title: l10n.t("Open"), arguments: [uri] } } : {}),
    ...(entry.kind === "directory" ? { children: () => folderRows(session, id, at) } : {}),
  });
  // The icon theme chooses by the name.
  if (opens || entry.kind === "directory") made.item.resourceUri = uri;
  return made;
}

function describe({ kind, sizeBytes, target, layer, opaque }: ImageEntry, at: ImagePath): string {
  const parts: string[] = [];
  if (kind === "file") parts.push(byteSize(sizeBytes));
  if (target !== undefined) parts.push(`→ ${target}`);
  if (kind === "deleted") parts.push(l10n.t("deleted by this layer"));
  if (kind === "other") parts.push(l10n.t("a device or a pipe"));
  if (opaque === true) parts.push(l10n.t("hides all that lower layers have in it"));
  if (at.layer === undefined && layer !== undefined && kind === "file") parts.push(l10n.t("layer {0}", layer));
  return parts.join(" · ");
}

function iconOf({ kind, leadsTo }: ImageEntry): ThemeIcon {
  switch (kind) {
    case "file":
      return ThemeIcon.File;
    case "directory":
      return ThemeIcon.Folder;
    case "symlink":
      return new ThemeIcon(leadsTo === "directory" ? "file-symlink-directory" : "file-symlink-file");
    case "deleted":
      return new ThemeIcon("trash", new ThemeColor("gitDecoration.deletedResourceForeground"));
    case "other":
      return new ThemeIcon("circuit-board");
    default:
      return kind satisfies never;
  }
}

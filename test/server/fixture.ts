import type { Range } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import { OpenKubefile } from "../../server/documents.ts";
import type { Entry, EntryKind, Files } from "../../server/files.ts";
import type { Images } from "../../server/images.ts";
import type { ImageFacts, LocalImage } from "../../server/protocol.ts";
import { Workspace, type World } from "../../server/world.ts";

export const uri = "file:///work/app/Kubefile";

/** Opens a Kubefile whose cursor is where `|` stands; `||` is a literal bar. */
export function atCursor(marked: string): { document: OpenKubefile; offset: number } {
  const bar = "\u0000";
  const escaped = marked.replaceAll("||", bar);
  const at = escaped.indexOf("|");
  if (at < 0) throw new Error("no cursor mark in the text");
  const text = (escaped.slice(0, at) + escaped.slice(at + 1)).replaceAll(bar, "|");
  const before = escaped.slice(0, at).replaceAll(bar, "|");
  return { document: open(text), offset: before.length };
}

export function open(text: string): OpenKubefile {
  return new OpenKubefile(TextDocument.create(uri, "kubefile", 1, text));
}

/** The text of a range. */
export function textOf(document: OpenKubefile, range: Range): string {
  return document.lines.getText(range);
}

/** The whole text with every range put between `[` and `]`. */
export function marked(document: OpenKubefile, ranges: readonly Range[]): string {
  const marks = ranges.flatMap((range) => [
    { at: document.lines.offsetAt(range.start), mark: "[", order: 1 },
    { at: document.lines.offsetAt(range.end), mark: "]", order: 0 },
  ]);
  let text = document.tree.text;
  // From the end to the start, so that offsets stay true; a closing mark at the same place comes first in the text.
  for (const { at, mark } of marks.sort((a, b) => b.at - a.at || b.order - a.order)) {
    text = text.slice(0, at) + mark + text.slice(at);
  }
  return text;
}

/** The text after edits that do not overlap. */
export function applied(document: OpenKubefile, edits: readonly { range: Range; newText: string }[]): string {
  return TextDocument.applyEdits(document.lines, [...edits]);
}

/** The same text with the line ends of Windows. */
export function crlf(text: string): string {
  return text.replaceAll("\n", "\r\n");
}

/** Files in memory, as the build context of `uri`: paths to contents, with `/` at the end for folders. */
export function memoryFiles(contents: Readonly<Record<string, string>>): Files {
  const root = "file:///work/app";
  const kinds = new Map<string, EntryKind>([["", "directory"]]);
  const texts = new Map<string, string>();
  for (const [path, text] of Object.entries(contents)) {
    const parts = path.split("/").filter((part) => part !== "");
    for (let length = 1; length < parts.length; length++) kinds.set(parts.slice(0, length).join("/"), "directory");
    const clean = parts.join("/");
    kinds.set(clean, path.endsWith("/") ? "directory" : "file");
    texts.set(clean, text);
  }
  const pathOf = (target: string): string | undefined =>
    target === root
      ? ""
      : target.startsWith(`${root}/`)
        ? decodeURIComponent(target.slice(root.length + 1))
        : undefined;
  return {
    setRoots: () => {},
    async list(folder) {
      const path = pathOf(folder);
      if (path === undefined || kinds.get(path) !== "directory") return undefined;
      const entries: Entry[] = [];
      for (const [name, kind] of kinds) {
        const slash = name.lastIndexOf("/");
        if (name !== "" && name.slice(0, Math.max(0, slash)) === path)
          entries.push({ name: name.slice(slash + 1), kind });
      }
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    kindOf: async (target) => kinds.get(pathOf(target) ?? "?"),
    read: async (target) => texts.get(pathOf(target) ?? "?"),
  };
}

/** A world with the given files in the build context and the given images in the store. */
export function worldWith(
  contents: Readonly<Record<string, string>> = {},
  images: readonly Partial<ImageFacts>[] = [],
  tags: Readonly<Record<string, readonly string[]>> = {},
): Workspace {
  const workspace = new Workspace(memoryFiles(contents), storedImages(images, tags));
  workspace.setRoots(["file:///work"]);
  return workspace;
}

export const noWorld: World = { context: () => undefined, images: storedImages([], {}) };

/** Images of a store that answers at once. */
export function storedImages(
  images: readonly Partial<ImageFacts>[],
  tags: Readonly<Record<string, readonly string[]>>,
): Images {
  const facts = new Map(images.map((image) => [image.reference ?? "", { ...someImage, ...image }]));
  return {
    facts: async (reference) => facts.get(reference),
    knownFacts: (reference) => facts.get(reference) ?? null,
    tags: async (repository) => tags[repository] ?? [],
    local: async () =>
      [...facts.values()].map(
        (image): LocalImage => ({ reference: image.reference, digest: image.digest, sizeBytes: image.sizeBytes }),
      ),
    forget: () => {},
  };
}

const someImage: ImageFacts = {
  reference: "",
  digest: `sha256:${"ab".repeat(32)}`,
  sizeBytes: 1_500_000,
  layers: 3,
  platforms: ["linux/amd64"],
  apps: [],
  containerImages: [],
};

export const never: AbortSignal = new AbortController().signal;

import type { DocumentLink } from "vscode-languageserver";
import type { Instruction, Word } from "../../kubefile/syntax.ts";
import type { OpenKubefile } from "../documents.ts";
import { isBelow, joinUri, parentUri } from "../files.ts";
import { imagePage, parseImageName } from "../imageName.ts";
import { placedInstructions, shifted } from "../locate.ts";
import { bareSpan } from "../names.ts";
import { rangeOf } from "../ranges.ts";

/** Images of FROM and `--from=` lead to their registry's page, sources of COPY, ADD and APP to the file, URLs to themselves. */
export function documentLinks(document: OpenKubefile): DocumentLink[] {
  const stages = new Set<string>();
  const links: DocumentLink[] = [];
  const add = (word: Word, shift: number, target: string | undefined, tooltip: string): void => {
    if (target === undefined) return;
    links.push({ range: rangeOf(document.lines, shifted(bareSpan(word), shift)), target, tooltip });
  };
  for (const { node, shift } of placedInstructions(document.tree)) {
    for (const image of imagesOf(node)) {
      if (!stages.has(image.value.toLowerCase())) add(image, shift, pageOf(image.value), "Open the image's page");
    }
    for (const { word, path } of sourcesOf(node)) {
      if (/^https?:\/\//u.test(path)) add(word, shift, safeUrl(path), "Open the URL");
      else add(word, shift, fileOf(document.uri, path), "Open the file");
    }
    if (node.kind === "FROM" && node.stageName !== undefined) stages.add(node.stageName.value.toLowerCase());
  }
  return links;
}

function imagesOf(node: Instruction): Word[] {
  if (node.kind === "FROM") return node.image === undefined ? [] : [node.image];
  if (node.kind === "ONBUILD") return node.trigger === undefined ? [] : imagesOf(node.trigger);
  if (node.kind !== "COPY") return [];
  return node.flags.flatMap((flag) => (flag.name.value === "from" && flag.value !== undefined ? [flag.value] : []));
}

function sourcesOf(node: Instruction): { readonly word: Word; readonly path: string }[] {
  switch (node.kind) {
    case "APP":
    case "CNI":
    case "CSI":
      return node.sources.map(({ word, scheme, path }) => ({
        word,
        path: scheme === "local" || scheme === undefined ? path.value : word.value,
      }));
    case "COPY":
    case "ADD":
      if (node.flags.some((flag) => flag.name.value === "from")) return [];
      return node.sources.filter((word) => !word.text.startsWith("<<")).map((word) => ({ word, path: word.value }));
    case "ONBUILD":
      return node.trigger === undefined ? [] : sourcesOf(node.trigger);
    default:
      return [];
  }
}

function pageOf(image: string): string | undefined {
  const name = parseImageName(image);
  return name === undefined ? undefined : imagePage(name);
}

/** The file in the build context; none for globs, variables, and paths that leave the context. */
function fileOf(uri: string, path: string): string | undefined {
  if (!uri.startsWith("file:") || path === "" || /[*?[\]$]/u.test(path)) return undefined;
  const folder = parentUri(uri);
  const target = joinUri(folder, path);
  return isBelow(folder, target) && target !== folder ? target : undefined;
}

function safeUrl(text: string): string | undefined {
  return /[$\s]/u.test(text) || !URL.canParse(text) ? undefined : text;
}

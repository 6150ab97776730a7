import type { Mention } from "./found.ts";
import { keyedImages } from "./freeForm.ts";
import { isNamedImage } from "./plausible.ts";
import { containersOf, isPodShaped, podSpecImages } from "./podSpec.ts";
import { child, parseDocuments, type Tree, textOf } from "./tree.ts";
import { type Add, collect, isCalledImage, joinPath, walk } from "./walk.ts";

/** The images in the text that a ConfigMap or Secret carries: YAML, JSON, TOML, properties or anything with `…image… = value`. */
export function payloadImages(resource: Tree): readonly Mention[] {
  const kind = textOf(child(resource, "kind"));
  if (kind !== "ConfigMap" && kind !== "Secret") return [];
  return collect((add) => {
    for (const { section, key, value, text } of sectionTexts(resource, kind))
      valueImages(text, value, { section, key, kind }, add);
  });
}

interface SectionText {
  readonly section: string;
  readonly key: string;
  readonly value: Tree;
  readonly text: string;
}

/** Every text that the resource carries; a Secret's `data` and every `binaryData` are base64. */
function sectionTexts(resource: Tree, kind: "ConfigMap" | "Secret"): readonly SectionText[] {
  return ["data", "stringData", "binaryData"].flatMap((section) => {
    const data = child(resource, section);
    if (data?.kind !== "map") return [];
    const encoded = (kind === "Secret" && section === "data") || section === "binaryData";
    return [...data.entries].flatMap(([key, value]) => {
      const text = encoded ? decoded(textOf(value)) : textOf(value);
      return text === undefined ? [] : [{ section, key, value, text }];
    });
  });
}

interface ValuePlace {
  readonly section: string;
  readonly key: string;
  readonly kind: string;
}

function valueImages(text: string, value: Tree, at: ValuePlace, add: Add): void {
  const path = `${at.section}.${at.key}`;
  const rule = `${at.kind} value ${at.key}`;
  if (isCalledImage(at.key) && isNamedImage(text.trim())) add(value, path, text.trim(), rule);
  else textImages(text, value, path, rule, add);
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined || !/^[A-Za-z0-9+/=\s]+$/.test(text)) return undefined;
  const value = new TextDecoder("utf-8").decode(Uint8Array.from(atob(text.replace(/\s/g, "")), (c) => c.charCodeAt(0)));
  return value.includes("\uFFFD") ? undefined : value;
}

/** A line that sets something called an image: `image = "x"`, `some.image: x`, `export X_IMAGE=x`. */
const assignment =
  /^[\s\-"'#]*(?:export\s+)?["']?([\w.\-[\]/]*image[\w.\-[\]/]*)["']?\s*[:=]\s*(["']?)([^\s"',]+)\2\s*,?\s*(?:#.*)?$/i;

/** The images in a text of any kind: a document inside a document, or lines that set something called an image. */
export function textImages(text: string, at: Tree, path: string, rule: string, add: Add): void {
  if (!/image/i.test(text) && !text.includes("@sha256:") && !text.includes(":v")) return;
  const lines = linesOf(at);
  const nested = structured(text, lines.first);
  if (nested !== undefined) {
    for (const tree of nested) nestedImages(tree, lines.each === 0 ? at.line : undefined, path, rule, add);
    return;
  }
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(?:#|\/\/)/.test(line)) continue;
    const found = assignment.exec(line);
    const key = found?.[1];
    const value = found?.[3];
    if (key === undefined || value === undefined || !isCalledImage(key) || !isNamedImage(value)) continue;
    add({ ...at, line: lines.first + index * lines.each }, path, value, rule);
  }
}

/** The line of a payload's first line of text, and how far its lines lie apart in the file: a quoted payload is one line of it. */
function linesOf(at: Tree): { readonly first: number; readonly each: 0 | 1 } {
  return at.kind === "scalar" && at.block ? { first: at.line + 1, each: 1 } : { first: at.line, each: 0 };
}

/** The text as YAML or JSON, when it is a map or a list; a plain sentence is YAML too, but says nothing. */
function structured(text: string, firstLine: number): readonly Tree[] | undefined {
  const documents = parseDocuments(text, firstLine);
  if (documents.length === 0 || documents.some((document) => document.problems.length > 0)) return undefined;
  const trees = documents.flatMap((document) => (document.tree === undefined ? [] : [document.tree]));
  return trees.length > 0 && trees.every((tree) => tree.kind !== "scalar") ? trees : undefined;
}

function nestedImages(tree: Tree, line: number | undefined, path: string, rule: string, add: Add): void {
  const containers = new Set<Tree>();
  const at = (part: Tree): Tree => (line === undefined ? part : { ...part, line });
  walk(tree, "", (part, inner) => {
    const where = joinPath(path, inner);
    if (part.kind === "scalar" && part.text?.includes("\n")) textImages(part.text, at(part), where, rule, add);
    for (const container of containersOf(part)) containers.add(container);
    const mentions = [
      ...(isPodShaped(part) ? podSpecImages(part, where, rule, "medium") : []),
      ...(containers.has(part) ? [] : keyedImages(part, where, rule)),
    ];
    for (const mention of mentions) add(at({ ...part, line: mention.line }), mention.path, mention.text, rule);
  });
}

import type { Mention } from "./found.ts";
import type { Tree } from "./tree.ts";

/** What the rules for values that no API field names have in common: names that say image, and a walk that knows its path. */

const imageWord = /image/i;
const notAnImage =
  /image_?pull|imagepull|imagegc|image_?(?:policy|size|count|dir|path|width|height|format|quality|tag|registry|repository|repo)s?$/i;

/** Whether a name says that its value is an image. */
export function isCalledImage(name: string): boolean {
  return imageWord.test(name) && !notAnImage.test(name);
}

/** Notes a mention at the line of `tree`. */
export type Add = (tree: Tree, path: string, text: string, rule: string) => void;

/** Gathers what `fill` adds, as mentions of medium confidence. */
export function collect(fill: (add: Add) => void): readonly Mention[] {
  const mentions: Mention[] = [];
  fill((tree, path, text, rule) => {
    mentions.push({ text, path, line: tree.line, rule, confidence: "medium" });
  });
  return mentions;
}

/** Visits a tree from the outside in, with the path of every part. */
export function walk(tree: Tree, path: string, visit: (tree: Tree, path: string) => void): void {
  visit(tree, path);
  if (tree.kind === "map") for (const [key, value] of tree.entries) walk(value, joinPath(path, key), visit);
  if (tree.kind === "seq") for (const [index, item] of tree.items.entries()) walk(item, `${path}[${index}]`, visit);
}

/** `a` and `b` as `a.b`, `a` and `[0]` as `a[0]`. */
export function joinPath(path: string, key: string): string {
  if (path === "" || key === "") return path + key;
  return key.startsWith("[") ? path + key : `${path}.${key}`;
}

import { textImages } from "./configText.ts";
import type { Mention } from "./found.ts";
import { isNamedImage, isObviousImage } from "./plausible.ts";
import { child, itemsOf, type Tree, textOf } from "./tree.ts";
import { type Add, collect, isCalledImage, walk } from "./walk.ts";

const flag = /^--?([\w.-]+)(?:=(.*))?$/s;

/**
 * The images in `env`, `args` and `command` of every container in `resource`, however deep it lies.
 */
export function containerPayloads(resource: Tree): readonly Mention[] {
  return collect((add) => {
    walk(resource, "", (tree, path) => {
      if (tree.kind !== "map") return;
      if (textOf(child(tree, "image")) === undefined && child(tree, "name") === undefined) return;
      for (const [index, variable] of itemsOf(child(tree, "env")).entries())
        environmentImage(variable, `${path}.env[${index}]`, add);
      for (const list of ["args", "command"]) argumentImages(itemsOf(child(tree, list)), `${path}.${list}`, add);
    });
  });
}

function environmentImage(variable: Tree, path: string, add: Add): void {
  const name = textOf(child(variable, "name"));
  const value = child(variable, "value");
  const text = textOf(value);
  if (name === undefined || value === undefined || text === undefined) return;
  if (isCalledImage(name) ? isNamedImage(text) : isObviousImage(text)) {
    add(value, `${path}.value`, text, `environment variable ${name}`);
    return;
  }
  if (text.includes("\n") || /^\s*[[{]/.test(text))
    textImages(text, value, `${path}.value`, `environment variable ${name}`, add);
}

function argumentImages(items: readonly Tree[], path: string, add: Add): void {
  let previous: string | undefined;
  for (const [index, item] of items.entries()) {
    const text = textOf(item);
    const at = `${path}[${index}]`;
    if (text !== undefined) oneArgument(text, previous, item, at, add);
    previous = text;
  }
}

function oneArgument(text: string, previous: string | undefined, item: Tree, path: string, add: Add): void {
  const split = flag.exec(text);
  const name = split?.[1];
  const value = split?.[2];
  if (name !== undefined && value !== undefined) {
    if (isCalledImage(name) ? isNamedImage(value) : isObviousImage(value)) add(item, path, value, `argument --${name}`);
    return;
  }
  const before = previous === undefined ? null : flag.exec(previous);
  if (before?.[1] !== undefined && before[2] === undefined && isCalledImage(before[1]) && isNamedImage(text)) {
    add(item, path, text, `argument --${before[1]}`);
    return;
  }
  if (isObviousImage(text)) add(item, path, text, "argument");
  else if (text.includes("\n")) textImages(text, item, path, "script in an argument", add);
}

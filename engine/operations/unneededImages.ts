import type { Discovery } from "../discover/found.ts";
import type { ImageLock, LockedImage } from "../discover/lock.ts";
import { isEngineError } from "../errors.ts";
import { parseReference } from "../oci/reference.ts";
import type { ContextTree } from "./contextTree.ts";

/**
 * Images of the lock that nothing in the context names any more. Only told when every place the lock found them at is a file of the
 * context, and none of these files holds the name: what base images, RUN and values from elsewhere bring cannot be seen from here.
 */
export async function unneededImages(
  tree: ContextTree,
  lock: ImageLock,
  discovery: Discovery,
  signal: AbortSignal,
): Promise<readonly { readonly image: string; readonly line: number }[]> {
  const found = new Set([...discovery.findings, ...lock.add].map(({ image }) => image));
  const unneeded: { image: string; line: number }[] = [];
  for (const locked of lock.images) {
    if (found.has(locked.image)) continue;
    if (await isGone(tree, locked, signal)) unneeded.push({ image: locked.image, line: locked.line ?? 1 });
  }
  return unneeded;
}

async function isGone(tree: ContextTree, { image, found }: LockedImage, signal: AbortSignal): Promise<boolean> {
  const word = lastWord(image);
  if (word === undefined || found.length === 0) return false;
  for (const place of found) {
    const files = filesOf(tree, place.replace(/:\d+ \(.*$/, ""));
    if (files.length === 0) return false;
    for (const file of files) if (new TextDecoder().decode(await tree.read(file, signal)).includes(word)) return false;
  }
  return true;
}

function lastWord(image: string): string | undefined {
  try {
    return parseReference(image).repository.split("/").at(-1);
  } catch (error) {
    if (isEngineError(error, "REFERENCE_INVALID")) return undefined;
    throw error;
  }
}

/**
 * The files of the context that may lie at a path of the image: those with the same ending, the longest that fits; for a template of a
 * chart, all files of that chart, since its values are what names images.
 */
function filesOf(tree: ContextTree, place: string): readonly string[] {
  const parts = place.split("/");
  for (let from = 0; from < parts.length; from += 1) {
    const ending = parts.slice(from).join("/");
    const files = tree.paths.filter((path) => path === ending || path.endsWith(`/${ending}`));
    if (files.length > 0) return [...new Set(files.flatMap((file) => withChart(tree, file)))];
  }
  return [];
}

function withChart(tree: ContextTree, file: string): readonly string[] {
  const templates = file.indexOf("/templates/");
  if (templates < 0) return [file];
  const folder = file.slice(0, templates + 1).replace(/charts\/[^/]+\/$/, "");
  return tree.paths.filter((path) => path.startsWith(folder));
}

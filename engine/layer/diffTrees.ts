import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { type ByteString, byteString, bytesOfText, compareBytes, fsPath } from "../byteString.ts";
import { tarEntry } from "../tar/entry.ts";
import { type DiffOptions, entryOnDisk, FirstNames } from "./diff.ts";
import type { LayerEntry } from "./layerEntry.ts";
import { joinPath, parentPath } from "./safePath.ts";
import { whiteoutPath } from "./whiteout.ts";
import { readXattrs } from "./xattrs.ts";

/** What a tree looked like: enough to see every later change without reading content, because ctime cannot be set back. */
export type TreeSnapshot = ReadonlyMap<ByteString, BigIntStats>;

/** Looks at every path below `root`, not following symlinks. */
export function snapshotTree(root: string): TreeSnapshot {
  const base = bytesOfText(root);
  const seen = new Map<ByteString, BigIntStats>();
  const visit = (path: ByteString): void => {
    const names = readdirSync(fsPath(joinPath(base, path)), { encoding: "buffer" })
      .map(byteString)
      .sort(compareBytes);
    for (const name of names) {
      const child = joinPath(path, name);
      const stat = lstatSync(fsPath(joinPath(base, child)), { bigint: true });
      seen.set(child, stat);
      if (stat.isDirectory()) visit(child);
    }
  };
  visit("" as ByteString);
  return seen;
}

/**
 * What changed in a tree since a snapshot of it, as `diffUpper` gives it: for where overlayfs is refused. A file counts as changed when any
 * of its status did; a directory when its mode or owner did, or when something in it did.
 */
export async function diffTree(
  root: string,
  before: TreeSnapshot,
  options: Omit<DiffOptions, "lowerDirs">,
): Promise<readonly LayerEntry[]> {
  const base = bytesOfText(root);
  const after = snapshotTree(root);
  const changed = changedPaths(before, after, options.ignore);
  const xattrs = changed.present.size === 0 ? undefined : await readXattrs(root, options.signal);
  const links = new FirstNames();
  const entries: LayerEntry[] = [];
  for (const path of [...changed.present].sort(compareBytes)) {
    const stat = after.get(path);
    if (stat === undefined) continue;
    const entry = entryOnDisk(base, path, stat, options.ownerOf, xattrs?.get(path), links);
    if (entry !== undefined) entries.push(entry);
  }
  for (const path of changed.gone) {
    entries.push({ ...tarEntry("file", whiteoutPath(path), { mode: 0 }), content: { from: "nothing" } });
  }
  return entries.sort((a, b) => compareBytes(a.path, b.path));
}

function changedPaths(
  before: TreeSnapshot,
  after: TreeSnapshot,
  ignore: ReadonlySet<ByteString>,
): { readonly present: ReadonlySet<ByteString>; readonly gone: readonly ByteString[] } {
  const present = new Set<ByteString>();
  const addWithParents = (path: ByteString): void => {
    for (let at = path; at !== "" && !present.has(at); at = parentPath(at)) present.add(at);
  };
  for (const [path, stat] of after) {
    if (!isIgnored(path, ignore) && isChanged(before.get(path), stat)) addWithParents(path);
  }
  const gone: ByteString[] = [];
  for (const path of before.keys()) {
    if (after.has(path) || isIgnored(path, ignore)) continue;
    const parent = parentPath(path);
    // What lay in a directory that is gone, or is no directory any more, went with it.
    if (parent !== "" && after.get(parent)?.isDirectory() !== true) continue;
    gone.push(path);
    if (parent !== "") addWithParents(parent);
  }
  return { present, gone };
}

function isChanged(before: BigIntStats | undefined, after: BigIntStats): boolean {
  if (before === undefined) return true;
  if (before.mode !== after.mode || before.uid !== after.uid || before.gid !== after.gid) return true;
  if (after.isDirectory()) return false;
  return before.ino !== after.ino || before.ctimeNs !== after.ctimeNs || before.size !== after.size;
}

function isIgnored(path: ByteString, ignore: ReadonlySet<ByteString>): boolean {
  for (let at = path; at !== ""; at = parentPath(at)) if (ignore.has(at)) return true;
  return false;
}

import { readFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { type ByteString, bytesOfText, fsPath, textOfBytes } from "../byteString.ts";
import { passedOver } from "../discover/folderTree.ts";
import type { FileTree } from "../discover/rootfs.ts";
import { throwIfCancelled } from "../discover/scan.ts";
import { digestOf } from "../oci/digest.ts";
import { type BuildContext, type ContextEntry, contextEntry, hostPath, namesIn } from "../plan/context.ts";

/** The files of a build context as discovery reads them, each with a fingerprint, unsaved texts in place of what is on disk. */
export interface ContextTree extends FileTree {
  fingerprint(path: string): string;
  /** All names, for telling whether files came or went. */
  readonly names: string;
}

/** Longest stretch of work before other requests get their turn. */
const stretchMs = 10;

/**
 * Lists the files of a context that no ignore rule hides, without reading one. Symbolic links are not followed.
 *
 * @param unsaved path in the context → text that is newer than the file
 */
export async function contextTree(
  context: BuildContext,
  unsaved: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ContextTree> {
  const entries = new Map<string, ContextEntry>();
  const pending: ByteString[] = ["" as ByteString];
  let breath = performance.now();
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    listFolder(context, folder, entries, pending);
    if (performance.now() - breath > stretchMs) {
      await setImmediate();
      throwIfCancelled(signal);
      breath = performance.now();
    }
  }
  const paths = [...entries.keys()].sort();
  return {
    paths,
    names: digestOf(Buffer.from(paths.join("\n"))),
    async read(path, aborted) {
      const text = unsaved.get(path);
      if (text !== undefined) return Buffer.from(text, "utf8");
      // A cancelled scan ends as such; the abort of a read that is under way would be another error.
      throwIfCancelled(aborted);
      return await readFile(fsPath(hostPath(context, entries.get(path)?.path ?? bytesOfText(path))));
    },
    fingerprint(path) {
      const text = unsaved.get(path);
      if (text !== undefined) return digestOf(Buffer.from(text, "utf8"));
      const entry = entries.get(path);
      return entry === undefined ? "" : `${entry.size} ${entry.mtimeNs} ${entry.ctimeNs} ${entry.ino}`;
    },
  };
}

/** Adds the files of one folder, and its folders to those that are still to be listed. */
function listFolder(
  context: BuildContext,
  folder: ByteString,
  files: Map<string, ContextEntry>,
  folders: ByteString[],
): void {
  for (const name of namesIn(context, folder)) {
    const path = (folder === "" ? name : `${folder}/${name}`) as ByteString;
    const entry = contextEntry(context, path);
    if (entry === undefined) continue;
    const { hidden, mayShowBelow } = context.ignore.verdict(path);
    if (entry.kind === "file" && !hidden) files.set(textOfBytes(path), entry);
    if (entry.kind === "directory" && !passedOver.has(name) && (!hidden || mayShowBelow)) folders.push(path);
  }
}

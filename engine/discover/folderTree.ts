import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { compareText } from "./found.ts";
import type { FileTree } from "./rootfs.ts";
import { throwIfCancelled } from "./scan.ts";

/** Folders that hold no part of a cluster. */
export const passedOver: ReadonlySet<string> = new Set([".git", "node_modules"]);

/**
 * A folder on disk as a tree to scan. Symbolic links are not followed, so nothing outside the folder is read.
 */
export async function folderTree(folder: string, signal: AbortSignal): Promise<FileTree> {
  const paths: string[] = [];
  await listFiles(folder, "", paths, signal);
  return {
    paths,
    async read(file, aborted) {
      throwIfCancelled(aborted);
      return await readFile(path.join(folder, file));
    },
  };
}

async function listFiles(root: string, inner: string, into: string[], signal: AbortSignal): Promise<void> {
  throwIfCancelled(signal);
  const entries: Dirent[] = await readdir(path.join(root, inner), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => compareText(a.name, b.name))) {
    const at = inner === "" ? entry.name : `${inner}/${entry.name}`;
    if (entry.isFile()) into.push(at);
    else if (entry.isDirectory() && !passedOver.has(entry.name)) await listFiles(root, at, into, signal);
  }
}

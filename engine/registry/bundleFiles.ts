import { constants } from "node:fs";
import { lstat, open, readdir, realpath } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { readPieces } from "./filePieces.ts";

/**
 * The files of a sealer-layout `registry/` folder, read in place: a directory on disk, or part of an image in the store. Paths are
 * relative to that folder, with `/`, and made by the caller of checked names only.
 */
export interface BundleFiles {
  /** Shown to people: the folder, or the image's name. */
  readonly where: string;
  /** Size of a regular file; `undefined` when there is none. */
  sizeOf(file: string): Promise<number | undefined>;
  /** Names right below a folder, sorted bytewise; empty when there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Bytes `start` to `end` (exclusive) of a file; a chunk may be reused when the next one is asked for. */
  read(file: string, start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What an image's file tree offers; `engine/bundle/imageTree.ts` has it. */
export interface TreeSource {
  readonly where: string;
  readonly paths: Iterable<string>;
  sizeOf(file: string): number | undefined;
  readRange(file: string, start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The `registry/` folder of a file tree whose paths are known. */
export function bundleFilesOfTree(tree: TreeSource, folder: string): BundleFiles {
  const known = new Set<string>();
  const folders = new Map<string, Set<string>>();
  for (const file of tree.paths) {
    if (!file.startsWith(`${folder}/`)) continue;
    const inside = file.slice(folder.length + 1);
    known.add(inside);
    addToFolders(folders, inside);
  }
  return {
    where: tree.where,
    sizeOf: async (file) => (known.has(file) ? tree.sizeOf(`${folder}/${file}`) : undefined),
    list: async (name) => [...(folders.get(name) ?? [])].sort(),
    read: (file, start, end, signal) => tree.readRange(`${folder}/${file}`, start, end, signal),
  };
}

function addToFolders(folders: Map<string, Set<string>>, file: string): void {
  for (let child = file; child !== ""; ) {
    const slash = child.lastIndexOf("/");
    const parent = slash === -1 ? "" : child.slice(0, slash);
    const names = folders.get(parent);
    const name = child.slice(slash + 1);
    if (names?.has(name) === true) return;
    if (names === undefined) folders.set(parent, new Set([name]));
    else names.add(name);
    child = parent;
  }
}

const storageRoot = "docker/registry/v2";

/**
 * The files of a `registry/` folder on disk; the folder itself, or the root file system that has it, may be given. Links that lead out of
 * it count as absent.
 *
 * Throws `BUNDLE_UNREADABLE` when there is no registry in it.
 */
export async function openBundleDirectory(dir: string): Promise<BundleFiles> {
  for (const candidate of [dir, path.join(dir, "registry")]) {
    const root = await realpath(candidate).catch(() => undefined);
    if (root !== undefined && (await isDirectory(path.join(root, storageRoot)))) return filesBelow(root);
  }
  const problem = `it has no ${storageRoot}, nor has its folder registry/`;
  throw new EngineError("BUNDLE_UNREADABLE", { where: dir, problem });
}

async function isDirectory(dir: string): Promise<boolean> {
  return (await lstat(dir).catch(() => undefined))?.isDirectory() === true;
}

function filesBelow(root: string): BundleFiles {
  /** Where a name really lies, when that is below the root. */
  const inside = async (name: string): Promise<string | undefined> => {
    const real = await realpath(path.join(root, name)).catch(absent);
    return real === root || real?.startsWith(`${root}${path.sep}`) === true ? real : undefined;
  };
  return {
    where: root,
    async sizeOf(file) {
      const real = await inside(file);
      const stat = real === undefined ? undefined : await lstat(real).catch(absent);
      return stat?.isFile() === true ? stat.size : undefined;
    },
    async list(folder) {
      const real = await inside(folder);
      return real === undefined ? [] : ((await readdir(real).catch(absent))?.sort() ?? []);
    },
    async *read(file, start, end, signal) {
      const real = await inside(file);
      if (real === undefined) throw new EngineError("BUNDLE_UNREADABLE", { where: root, problem: `${file} is gone` });
      const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        yield* readPieces([{ handle, offset: start, length: end - start }], signal);
      } finally {
        await handle.close();
      }
    },
  };
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ELOOP") return undefined;
  throw error;
}

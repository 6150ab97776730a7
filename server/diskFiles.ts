import { open, opendir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { Entry, EntryKind, Files } from "./files.ts";

/** Files of this machine's disk. Roots that are not `file:` URIs offer nothing. */
export function diskFiles(): Files {
  let roots: Promise<readonly string[]> = Promise.resolve([]);

  /** The real path of a URI, when it lies below a root. */
  async function inside(uri: string): Promise<string | undefined> {
    const path = pathOf(uri);
    if (path === undefined) return undefined;
    try {
      const real = await realpath(path);
      return (await roots).some((root) => real === root || real.startsWith(root + sep)) ? real : undefined;
    } catch {
      return undefined;
    }
  }

  return {
    setRoots(uris) {
      const paths = uris.map(pathOf).filter((path) => path !== undefined);
      roots = Promise.all(paths.map((path) => realpath(path).catch(() => path)));
    },

    async list(folder, limit, signal) {
      const path = await inside(folder);
      if (path === undefined || signal.aborted) return undefined;
      try {
        return await readFolder(path, limit, signal, (name) => inside(`${folder}/${encodeURIComponent(name)}`));
      } catch {
        return undefined;
      }
    },

    async kindOf(uri, signal) {
      const path = await inside(uri);
      return path === undefined || signal.aborted ? undefined : kindAt(path);
    },

    async read(uri, limitBytes, signal) {
      const path = await inside(uri);
      if (path === undefined || signal.aborted) return undefined;
      try {
        await using file = await open(path, "r");
        const { size } = await file.stat();
        return size > limitBytes ? undefined : await file.readFile({ encoding: "utf8" });
      } catch {
        return undefined;
      }
    },
  };
}

async function readFolder(
  path: string,
  limit: number,
  signal: AbortSignal,
  follow: (name: string) => Promise<string | undefined>,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const found of await opendir(path)) {
    if (signal.aborted || entries.length >= limit) break;
    let kind: EntryKind | undefined = found.isDirectory() ? "directory" : found.isFile() ? "file" : undefined;
    if (found.isSymbolicLink() && (await follow(found.name)) !== undefined) kind = await kindAt(join(path, found.name));
    if (kind !== undefined) entries.push({ name: found.name, kind });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function kindAt(path: string): Promise<EntryKind | undefined> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? "directory" : found.isFile() ? "file" : undefined;
  } catch {
    return undefined;
  }
}

function pathOf(uri: string): string | undefined {
  try {
    return uri.startsWith("file:") ? fileURLToPath(uri) : undefined;
  } catch {
    return undefined;
  }
}

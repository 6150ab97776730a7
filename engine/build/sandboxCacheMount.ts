import { chmodSync, chownSync, mkdirSync } from "node:fs";
import path from "node:path";
import { digestHex, digestOf } from "../oci/digest.ts";
import { takeTicketLock } from "../store/ticketLock.ts";

export interface CacheMountOptions {
  /** Where the directories of cache mounts are kept. */
  readonly dir: string;
  /** Mounts with one id see one directory; Docker's default is the target. */
  readonly id: string;
  /** `shared`: many runs at once; `locked`: one after the other; `private`: each run at once has a directory of its own, used again later. */
  readonly sharing: "shared" | "private" | "locked";
  /** Of a directory that is made. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly signal: AbortSignal;
}

/** A cache directory held for one run. */
export interface CacheMountDir extends AsyncDisposable {
  readonly source: string;
}

/**
 * Finds or makes the directory of a cache mount and keeps the promise of `sharing`, across processes, until it is disposed.
 * Throws `CANCELLED` while it waits for a locked one.
 * @see Dockerfile reference, "RUN --mount=type=cache"
 */
export async function openCacheMount(options: CacheMountOptions): Promise<CacheMountDir> {
  const base = path.join(options.dir, digestHex(digestOf(options.id)));
  switch (options.sharing) {
    case "shared":
      return { source: openDirectory(path.join(base, "shared"), options), async [Symbol.asyncDispose]() {} };
    case "locked":
      return lockedDirectory(path.join(base, "shared"), options);
    case "private":
      return privateDirectory(base, options);
    default:
      return options.sharing satisfies never;
  }
}

async function lockedDirectory(dir: string, options: CacheMountOptions): Promise<CacheMountDir> {
  const lock = await takeTicketLock(`${dir}.lock`, `waiting for the cache mount ${options.id}`, options.signal);
  return { source: openDirectory(dir, options), [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]() };
}

/** The first directory nobody holds: tries each with a signal that gives up at once. */
async function privateDirectory(base: string, options: CacheMountOptions): Promise<CacheMountDir> {
  for (let number = 0; ; number++) {
    options.signal.throwIfAborted();
    const dir = path.join(base, `private-${number}`);
    const patience = AbortSignal.timeout(50);
    try {
      return await lockedDirectory(dir, { ...options, signal: AbortSignal.any([options.signal, patience]) });
    } catch (error) {
      if (!patience.aborted || options.signal.aborted) throw error;
    }
  }
}

function openDirectory(dir: string, { mode, uid, gid }: CacheMountOptions): string {
  if (mkdirSync(dir, { recursive: true, mode: 0o700 }) === undefined) return dir;
  chmodSync(dir, mode);
  if (process.geteuid?.() === 0) chownSync(dir, uid, gid);
  return dir;
}

import { createHash, type Hash, hash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type ByteString, fsPath } from "../byteString.ts";
import type { FileIdentity } from "./layerEntry.ts";

/** Small files to read whole, each to its place in one slab of memory. Plain arrays, so that a worker gets it cheaply. */
export interface FilesJob {
  readonly paths: readonly ByteString[];
  /** Where in the slab each content begins, and its size. */
  readonly at: Float64Array;
  readonly sizes: Float64Array;
  /** dev, ino, mtimeNs, ctimeNs of each file. */
  readonly identities: BigInt64Array;
}

/** Byte ranges of files to read, each to its place in the slab; nothing is hashed. The files are the store's, which never change. */
export interface RangesJob {
  readonly ranges: readonly {
    readonly path: string;
    readonly offset: number;
    readonly length: number;
    readonly at: number;
  }[];
}

/** Why a file could not be read as expected. */
export interface ReadFault {
  readonly path: ByteString;
  /** `changed`: it is no longer what `lstat` saw. `unreadable`: the system refused, with its code. */
  readonly kind: "changed" | "unreadable";
  readonly reason: string;
}

export type FilesResult = { readonly digests: Uint8Array } | { readonly fault: ReadFault };

/** Bytes of one SHA-256. */
export const digestSize = 32;

// Never follow a link that took a file's place, and never wait for a pipe that did.
const openFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Reads every file of the job into the slab and gives their SHA-256 digests, 32 bytes each, in order. */
export function readFiles(job: FilesJob, slab: Uint8Array): FilesResult {
  const digests = new Uint8Array(job.paths.length * digestSize);
  for (const [index, path] of job.paths.entries()) {
    const start = job.at[index] ?? 0;
    const target = slab.subarray(start, start + (job.sizes[index] ?? 0));
    const fault = readWhole(path, job.identities.subarray(index * 4, index * 4 + 4), target);
    if (fault !== undefined) return { fault };
    digests.set(hash("sha256", target, "buffer"), index * digestSize);
  }
  return { digests };
}

function readWhole(path: ByteString, identity: BigInt64Array, target: Uint8Array): ReadFault | undefined {
  const opened = openFile(path);
  if (typeof opened !== "number") return opened;
  try {
    const complete = readFully(opened, target, 0) === target.length;
    return complete && isUnchanged(opened, identity, target.length) ? undefined : changed(path);
  } catch (error) {
    return unreadable(path, error);
  } finally {
    closeSync(opened);
  }
}

/** One big file read piece by piece, hashed in passing. */
export class FileStream implements Disposable {
  readonly #path: ByteString;
  readonly #identity: FileIdentity;
  readonly #hash: Hash = createHash("sha256");
  #descriptor: number | undefined;
  #position = 0;

  constructor(path: ByteString, identity: FileIdentity) {
    this.#path = path;
    this.#identity = identity;
  }

  /** Fills `target` with the next bytes. With `last`, checks that the file did not change and gives its digest. */
  read(target: Uint8Array, last: boolean): FilesResult {
    const opened = this.#descriptor ?? openFile(this.#path);
    if (typeof opened !== "number") return { fault: opened };
    this.#descriptor = opened;
    try {
      if (readFully(opened, target, this.#position) < target.length) return { fault: changed(this.#path) };
      this.#position += target.length;
      this.#hash.update(target);
      if (!last) return { digests: new Uint8Array(0) };
      const identity = identityColumns([this.#identity]);
      if (!isUnchanged(opened, identity, this.#identity.size)) return { fault: changed(this.#path) };
      return { digests: this.#hash.digest() };
    } catch (error) {
      return { fault: unreadable(this.#path, error) };
    }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** Reads every range of the job into the slab. */
export function readRanges(job: RangesJob, slab: Uint8Array): FilesResult {
  let open: { readonly path: string; readonly descriptor: number } | undefined;
  try {
    for (const { path, offset, length, at } of job.ranges) {
      if (open?.path !== path) {
        if (open !== undefined) closeSync(open.descriptor);
        open = undefined;
        open = { path, descriptor: openSync(path, "r") };
      }
      const read = readFully(open.descriptor, slab.subarray(at, at + length), offset);
      if (read < length) return { fault: changed(path as ByteString) };
    }
    return { digests: new Uint8Array(0) };
  } catch (error) {
    return { fault: unreadable((open?.path ?? job.ranges[0]?.path ?? "") as ByteString, error) };
  } finally {
    if (open !== undefined) closeSync(open.descriptor);
  }
}

/** The columns `FilesJob` wants. Inode numbers above 2^63 wrap, on both sides of the comparison. */
export function identityColumns(identities: readonly FileIdentity[]): BigInt64Array {
  const columns = new BigInt64Array(identities.length * 4);
  for (const [index, identity] of identities.entries()) {
    columns[index * 4] = identity.dev;
    columns[index * 4 + 1] = identity.ino;
    columns[index * 4 + 2] = identity.mtimeNs;
    columns[index * 4 + 3] = identity.ctimeNs;
  }
  return columns;
}

function openFile(path: ByteString): number | ReadFault {
  try {
    return openSync(fsPath(path), openFlags);
  } catch (error) {
    // A link in the file's place (ELOOP) or nothing at all: it is not what the walk saw.
    const code = errorCode(error);
    return code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR" ? changed(path) : unreadable(path, error);
  }
}

/** Compares after reading: a change at any moment since the walk shows in one of these. */
function isUnchanged(descriptor: number, identity: BigInt64Array, size: number): boolean {
  const now = fstatSync(descriptor, { bigint: true });
  return (
    now.size === BigInt(size) &&
    now.mtimeNs === identity[2] &&
    now.ctimeNs === identity[3] &&
    BigInt.asIntN(64, now.ino) === identity[1] &&
    BigInt.asIntN(64, now.dev) === identity[0]
  );
}

function readFully(descriptor: number, target: Uint8Array, position: number): number {
  let filled = 0;
  while (filled < target.length) {
    const read = readSync(descriptor, target, filled, target.length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

function changed(path: ByteString): ReadFault {
  return { path, kind: "changed", reason: "changed" };
}

function unreadable(path: ByteString, error: unknown): ReadFault {
  return { path, kind: "unreadable", reason: errorCode(error) };
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

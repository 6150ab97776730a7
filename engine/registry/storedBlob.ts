import { type FileHandle, open } from "node:fs/promises";
import type { Digest } from "../oci/digest.ts";
import type { BlobLocation, Store } from "../store/contract.ts";
import type { BlobBody } from "./content.ts";
import { type FilePiece, readPieces } from "./filePieces.ts";

/** A blob in so few files is opened at once: an open file stays readable whatever a prune does, and needs no lease. */
const openedAtOnce = 4;

/**
 * A blob of the store as a registry sends it: from any place, without hashing. The store took it in only after checking it, and
 * every client checks it again; a reader of our own uses `store.read`, which checks.
 *
 * `undefined` when the store does not have it. The blob stays until `close`.
 */
export async function openStoredBlob(store: Store, digest: Digest, signal: AbortSignal): Promise<BlobBody | undefined> {
  const location = store.locate(digest);
  if (location === undefined) return undefined;
  return location.paths.length <= openedAtOnce ? openFew(digest, location) : openMany(store, digest, signal);
}

async function openFew(digest: Digest, location: BlobLocation): Promise<BlobBody | undefined> {
  const files: FileHandle[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(files.splice(0).map((file) => file.close()));
  };
  try {
    for (const file of location.paths) files.push(await open(file, "r"));
  } catch (error) {
    await close();
    // A prune took it between the look and the opening.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return {
    digest,
    sizeBytes: location.sizeBytes,
    read: (start, end, aborted) => readPieces(piecesOf(location, files, start, end), aborted),
    close,
  };
}

/** A blob of many small files: a lease keeps them, and few are open at a time. */
async function openMany(store: Store, digest: Digest, signal: AbortSignal): Promise<BlobBody | undefined> {
  const lease = store.lease(`serve ${digest}`);
  const stat = await lease.pin(digest, signal);
  if (stat === undefined) {
    await lease[Symbol.asyncDispose]();
    return undefined;
  }
  return {
    digest,
    sizeBytes: stat.sizeBytes,
    async *read(start, end, aborted) {
      // The store gathers small parts; a whole blob it checks as well.
      if (start < end) yield* store.read(digest, { start, end }, aborted);
    },
    async close() {
      await lease[Symbol.asyncDispose]();
    },
  };
}

function* piecesOf(
  location: BlobLocation,
  files: readonly FileHandle[],
  start: number,
  end: number,
): Generator<FilePiece, void, undefined> {
  let at = 0;
  for (let part = 0; part < location.lengths.length && at < end; part += 1) {
    const length = location.lengths[part] ?? 0;
    const from = Math.max(start, at);
    const to = Math.min(end, at + length);
    const handle = files[location.pathIndex[part] ?? 0];
    if (from < to && handle !== undefined)
      yield { handle, offset: (location.offsets[part] ?? 0) + from - at, length: to - from };
    at += length;
  }
}

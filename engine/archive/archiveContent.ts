import { createReadStream } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import path from "node:path";
import { textOfBytes } from "../byteString.ts";
import { EngineError, isEngineError } from "../errors.ts";
import { digestHex, isDigest } from "../oci/digest.ts";
import type { BlobStat, ExpectedBlob, Lease } from "../store/contract.ts";
import { readTar } from "../tar/read.ts";

/** Undoes whatever compression the bytes have (gzip, zstd or none), all members and frames of it. */
export type Decompress = (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** The files of an archive or a folder, each brought into the store under the lease when it is asked for, or before. */
export interface ArchiveContent {
  /** What people call it, for messages. */
  readonly label: string;
  /** Paths of all regular files and of links to them, relative and normalised. For a folder only those at its top. */
  readonly paths: readonly string[];
  /** The file as a blob of the store; undefined when there is none. */
  blob(file: string, signal: AbortSignal): Promise<BlobStat | undefined>;
}

/**
 * Reads an archive once from front to back, from any stream, and keeps every file as a blob; what no image needs goes with the next
 * prune. Names are only ever keys here: nothing is written by them, so a hostile name has nowhere to lead.
 */
export async function readArchive(
  label: string,
  bytes: AsyncIterable<Uint8Array>,
  decompress: Decompress,
  lease: Lease,
  signal: AbortSignal,
): Promise<ArchiveContent> {
  const files = new Map<string, BlobStat>();
  const links = new Map<string, string>();
  try {
    for await (const { entry, content } of readTar(decompress(bytes))) {
      const name = normalise(textOfBytes(entry.path));
      if (entry.kind === "file") files.set(name, await keep(lease, name, content(), entry.size, signal));
      const target = textOfBytes(entry.linkTarget);
      if (entry.kind === "hardLink") links.set(name, normalise(target));
      if (entry.kind === "symlink") links.set(name, normalise(path.posix.join(path.posix.dirname(name), target)));
    }
  } catch (error) {
    throw unreadable(label, error);
  }
  return {
    label,
    paths: [...files.keys(), ...links.keys()],
    blob: async (file) => files.get(follow(links, normalise(file))),
  };
}

/** A folder: files are read when they are asked for. Symbolic links must stay inside it. */
export async function readFolder(folder: string, names: readonly string[], lease: Lease): Promise<ArchiveContent> {
  const root = await realpath(folder);
  return {
    label: folder,
    paths: names,
    blob: async (file, signal): Promise<BlobStat | undefined> => {
      const name = normalise(file);
      let place: string;
      try {
        place = await realpath(path.join(root, name));
      } catch {
        return undefined;
      }
      if (place !== root && !place.startsWith(root + path.sep)) {
        throw new EngineError("PATH_ESCAPES_ROOT", { path: file, root: folder });
      }
      const { size, isFile } = await lstat(place).then((stat) => ({ size: stat.size, isFile: stat.isFile() }));
      return isFile ? keep(lease, name, createReadStream(place, { highWaterMark: 1 << 20 }), size, signal) : undefined;
    },
  };
}

/** A file's bytes into the store; a file that is named by its digest must be what it says, and is not written when it is there already. */
async function keep(
  lease: Lease,
  name: string,
  content: AsyncIterable<Uint8Array>,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<BlobStat> {
  const expected = expectedOf(name, sizeBytes);
  const there = expected === undefined ? undefined : await lease.pin(expected.digest, signal);
  if (there !== undefined && there.sizeBytes === sizeBytes) return there;
  await using writer = lease.createBlob(expected);
  for await (const chunk of content) {
    if (signal.aborted) throw new EngineError("CANCELLED", { what: "loading an archive" }, { cause: signal.reason });
    await writer.write(chunk);
  }
  return await writer.commit();
}

function expectedOf(name: string, sizeBytes: number): ExpectedBlob | undefined {
  const [folder, algorithm, hex] = name.split("/").slice(-3);
  const digest = `${algorithm}:${hex}`;
  return folder === "blobs" && isDigest(digest) && digestHex(digest) === hex ? { digest, sizeBytes } : undefined;
}

function unreadable(label: string, error: unknown): unknown {
  if (!isEngineError(error) || (error.code !== "TAR_INVALID" && error.code !== "LAYER_CORRUPT")) return error;
  return new EngineError(
    "ARCHIVE_UNREADABLE",
    { file: label, problem: `it is no archive, or a damaged one (${error.message})` },
    { cause: error },
  );
}

function follow(links: ReadonlyMap<string, string>, name: string): string {
  let at = name;
  for (let hops = 0; hops < 40; hops++) {
    const next = links.get(at);
    if (next === undefined) return at;
    at = next;
  }
  return at;
}

function normalise(name: string): string {
  return path.posix.normalize(`/${name}`).slice(1).replace(/\/+$/, "");
}

import { type FileHandle, open } from "node:fs/promises";
import { EngineError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { BlobLocation, Store } from "../store/contract.ts";
import type { BlobBody } from "./content.ts";

/** As measured: larger chunks cost memory and give nothing more. */
const chunkBytes = 256 * 1024;

/**
 * A blob of the store as a registry sends it: from any place, without hashing. The store took it in only after checking it, and
 * every client checks it again; a reader of our own uses `store.read`, which checks.
 *
 * `undefined` when the store does not have it. The blob stays until `close`.
 */
export async function openStoredBlob(store: Store, digest: Digest, signal: AbortSignal): Promise<BlobBody | undefined> {
  if (store.stat(digest) === undefined) return undefined;
  const lease = store.lease(`serve ${digest}`);
  const stat = await lease.pin(digest, signal);
  const location = stat === undefined ? undefined : store.locate(digest);
  if (location === undefined) {
    await lease[Symbol.asyncDispose]();
    return undefined;
  }
  return {
    digest,
    sizeBytes: location.sizeBytes,
    read: (start, end, aborted) => readLocation(location, start, end, aborted),
    async close() {
      await lease[Symbol.asyncDispose]();
    },
  };
}

async function* readLocation(
  location: BlobLocation,
  start: number,
  end: number,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, end - start)));
  await using files = new OpenFiles(location.paths);
  let at = 0;
  for (let part = 0; part < location.lengths.length && at < end; part += 1) {
    const length = location.lengths[part] ?? 0;
    const from = Math.max(start, at);
    const to = Math.min(end, at + length);
    if (from < to) {
      const file = await files.open(location.pathIndex[part] ?? 0);
      yield* readFile(file, (location.offsets[part] ?? 0) + from - at, to - from, buffer, signal);
    }
    at += length;
  }
}

async function* readFile(
  file: FileHandle,
  offset: number,
  length: number,
  buffer: Buffer,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  for (let done = 0; done < length; ) {
    if (signal.aborted) throw new EngineError("CANCELLED", { what: "sending a blob" });
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - done), offset + done);
    if (bytesRead === 0) throw new Error("a file of the store became shorter while it was read");
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The files of one blob, each opened once and all closed at the end. */
class OpenFiles implements AsyncDisposable {
  readonly #paths: readonly string[];
  readonly #handles = new Map<number, FileHandle>();

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  async open(index: number): Promise<FileHandle> {
    const known = this.#handles.get(index);
    if (known !== undefined) return known;
    const handle = await open(this.#paths[index] ?? "", "r");
    this.#handles.set(index, handle);
    return handle;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#handles.values()].map((handle) => handle.close()));
  }
}

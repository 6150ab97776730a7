import { createHash, type Hash, hash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { paddingAfter } from "../tar/entry.ts";
import { encodeHeader, endOfArchive } from "../tar/header.ts";
import type { FileIdentity, LayerEntry } from "./layerEntry.ts";
import { type Filled, type Readers, type StreamReader, slabSize } from "./readers.ts";
import { digestSize, type FilesResult, identityColumns, type ReadFault } from "./readFiles.ts";

/** A stretch of a layer: a member to write, or bytes that some earlier layer already has in a file. */
export type Piece =
  | { readonly kind: "entry"; readonly entry: LayerEntry }
  | { readonly kind: "range"; readonly path: string; readonly offset: number; readonly length: number };

/** The result of `assembleLayer`. Columns have one row per piece. */
export interface Assembled {
  readonly diffId: Digest;
  /** Bytes of the whole layer, and of the part that was written. */
  readonly sizeBytes: number;
  readonly writtenBytes: number;
  /** Where each piece begins in the layer, and how long it is. */
  readonly starts: Float64Array;
  readonly lengths: Float64Array;
  /** Where each piece begins in the file that was written; -1 for ranges. */
  readonly writtenAt: Float64Array;
  /** SHA-256 of each entry's content, 32 bytes each; zeros where there is none. */
  readonly contentDigests: Uint8Array;
  /** The end of the archive, the last bytes written. */
  readonly endWrittenAt: number;
}

export interface AssembleOptions {
  readonly readers: Readers;
  /** Called with the bytes of the layer that are done. */
  readonly onProgress?: (doneBytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Puts a layer together from its pieces in order, hashes it, and writes to `file` only the bytes no earlier layer has.
 * The layer is all pieces followed by the end of the archive. Reads, hashes and writes at the same time; holds a few slabs.
 * Throws `CONTEXT_CHANGED` when a file is no longer what its entry says, `CONTEXT_UNREADABLE`, `CANCELLED`.
 */
export async function assembleLayer(
  pieces: readonly Piece[],
  file: string,
  options: AssembleOptions,
): Promise<Assembled> {
  const assembly = new Assembly(pieces.length, file, options);
  try {
    const jobs = cutIntoJobs(pieces, assembly);
    const underway: Promise<void>[] = [];
    let order: Promise<void> = Promise.resolve();
    for (const job of jobs) {
      const filled = job.start();
      // Failures are seen when their turn comes; until then they must not count as unhandled.
      filled.catch(() => undefined);
      const previous = order;
      order = (async () => {
        await previous;
        assembly.take(job, await filled);
      })();
      order.catch(() => undefined);
      underway.push(order);
      if (underway.length >= options.readers.depth) await underway.shift();
      await assembly.breathe();
    }
    await Promise.all(underway);
    return assembly.finish();
  } finally {
    assembly.close();
  }
}

/** One slab on its way: what fills it, and what its bytes are. */
interface Job {
  start(): Promise<Filled>;
  /** Bytes of the slab that count, and whether they go to the file. */
  readonly length: number;
  readonly write: boolean;
  /** Rows whose digests come back, in order. */
  readonly rows: readonly number[];
}

class Assembly {
  readonly rows: { readonly starts: Float64Array; readonly lengths: Float64Array; readonly writtenAt: Float64Array };
  readonly contentDigests: Uint8Array;
  readonly options: AssembleOptions;
  readonly #layer: Hash = createHash("sha256");
  readonly #descriptor: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #planned = 0;
  #plannedWritten = 0;
  #done = 0;
  #written = 0;
  #sinceBreath = 0;
  #closed = false;

  constructor(count: number, file: string, options: AssembleOptions) {
    this.options = options;
    this.rows = {
      starts: new Float64Array(count),
      lengths: new Float64Array(count),
      writtenAt: new Float64Array(count).fill(-1),
    };
    this.contentDigests = new Uint8Array(count * digestSize);
    this.#descriptor = openSync(file, "w");
  }

  slab(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(slabSize);
  }

  /** Notes where a piece will stand. */
  place(row: number, length: number, write: boolean): void {
    this.rows.starts[row] = this.#planned;
    this.rows.lengths[row] = length;
    if (write) {
      this.rows.writtenAt[row] = this.#plannedWritten;
      this.#plannedWritten += length;
    }
    this.#planned += length;
  }

  take(job: Job, { slab, result }: Filled): void {
    const digests = digestsOf(result);
    for (const [index, row] of job.rows.entries()) {
      const digest = digests.subarray(index * digestSize, (index + 1) * digestSize);
      this.contentDigests.set(digest, row * digestSize);
    }
    this.#append(slab.subarray(0, job.length), job.write);
    this.#free.push(slab);
    this.options.onProgress?.(this.#done);
  }

  /** Lets other work of this thread run now and then, and notices a cancel. */
  async breathe(): Promise<void> {
    if (this.#done - this.#sinceBreath < 4 * slabSize) return;
    this.#sinceBreath = this.#done;
    await setImmediate();
    if (this.options.signal.aborted) throw new EngineError("CANCELLED", { what: "Packing a layer" });
  }

  finish(): Assembled {
    const endWrittenAt = this.#written;
    this.#append(endOfArchive(), true);
    return {
      diffId: parseDigest(`sha256:${this.#layer.digest("hex")}`),
      sizeBytes: this.#done,
      writtenBytes: this.#written,
      ...this.rows,
      contentDigests: this.contentDigests,
      endWrittenAt,
    };
  }

  close(): void {
    this.#closed = true;
    closeSync(this.#descriptor);
  }

  #append(bytes: Uint8Array, write: boolean): void {
    // After a failure slabs may still come back; the descriptor may belong to another file by then.
    if (this.#closed) throw new EngineError("CANCELLED", { what: "Packing a layer" });
    this.#layer.update(bytes);
    this.#done += bytes.length;
    if (!write) return;
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    this.#written += bytes.length;
  }
}

function digestsOf(result: FilesResult): Uint8Array {
  if ("digests" in result) return result.digests;
  throw faultError(result.fault);
}

/** The error a reader's fault becomes. */
export function faultError(fault: ReadFault): EngineError {
  const path = textOfBytes(fault.path);
  if (fault.kind === "changed") return new EngineError("CONTEXT_CHANGED", { path });
  return new EngineError("CONTEXT_UNREADABLE", { path, reason: fault.reason });
}

/** Cuts the pieces into slabs, lazily, in order. Rows are placed as their job is made. */
function* cutIntoJobs(pieces: readonly Piece[], assembly: Assembly): Generator<Job, void, undefined> {
  let batch = new Batch(assembly);
  for (const [row, piece] of pieces.entries()) {
    if (piece.kind === "range") {
      if (!batch.empty) yield batch.job();
      batch = new Batch(assembly);
      assembly.place(row, piece.length, false);
      yield* rangeJobs(piece, assembly);
      continue;
    }
    const header = encodeHeader(piece.entry);
    const length = header.length + piece.entry.size + paddingAfter(piece.entry.size);
    if (!batch.fits(length)) {
      if (!batch.empty) yield batch.job();
      batch = new Batch(assembly);
    }
    assembly.place(row, length, true);
    if (batch.fits(length)) batch.add(row, piece.entry, header, length);
    else yield* streamJobs(row, piece.entry, header, assembly);
  }
  if (!batch.empty) yield batch.job();
}

/** Members gathered into one slab: headers and contents known here are put in place, files are read into their gaps. */
class Batch {
  readonly #assembly: Assembly;
  readonly #slab: Uint8Array<ArrayBuffer>;
  readonly #rows: number[] = [];
  readonly #paths: LayerFile[] = [];
  readonly #at: number[] = [];
  #used = 0;

  constructor(assembly: Assembly) {
    this.#assembly = assembly;
    this.#slab = assembly.slab();
  }

  get empty(): boolean {
    return this.#used === 0;
  }

  fits(length: number): boolean {
    return this.#used + length <= slabSize;
  }

  add(row: number, entry: LayerEntry, header: Uint8Array, length: number): void {
    this.#slab.set(header, this.#used);
    const contentAt = this.#used + header.length;
    const end = this.#used + length;
    this.#slab.fill(0, contentAt + entry.size, end);
    if (entry.content.from === "bytes") {
      this.#slab.set(entry.content.bytes, contentAt);
      this.#assembly.contentDigests.set(hash("sha256", entry.content.bytes, "buffer"), row * digestSize);
    } else if (entry.content.from === "file") {
      this.#rows.push(row);
      this.#paths.push(entry.content);
      this.#at.push(contentAt);
    }
    this.#used = end;
  }

  job(): Job {
    const sizes = Float64Array.from(this.#paths, (file) => file.identity.size);
    const job = {
      paths: this.#paths.map((file) => file.path),
      at: Float64Array.from(this.#at),
      sizes,
      identities: identityColumns(this.#paths.map((file) => file.identity)),
    };
    return {
      start: () => this.#assembly.options.readers.files(job, this.#slab),
      length: this.#used,
      write: true,
      rows: this.#rows,
    };
  }
}

type LayerFile = Extract<LayerEntry["content"], { from: "file" }>;

/** A member bigger than a slab: its header and content flow through one slab after the other. */
function* streamJobs(
  row: number,
  entry: LayerEntry,
  header: Uint8Array,
  assembly: Assembly,
): Generator<Job, void, undefined> {
  if (entry.content.from !== "file") {
    yield* bytesJobs(row, entry, header, assembly);
    return;
  }
  using reader = openStream(entry.content.path, entry.content.identity, assembly);
  let at = 0;
  let headerLength = header.length;
  while (at < entry.size) {
    const slab = assembly.slab();
    if (headerLength > 0) slab.set(header);
    const length = Math.min(entry.size - at, slabSize - headerLength - paddingAfter(entry.size));
    const last = at + length === entry.size;
    const padding = last ? paddingAfter(entry.size) : 0;
    slab.fill(0, headerLength + length, headerLength + length + padding);
    const contentAt = headerLength;
    yield {
      start: () => reader.next(slab, contentAt, length, last),
      length: headerLength + length + padding,
      write: true,
      rows: last ? [row] : [],
    };
    at += length;
    headerLength = 0;
  }
}

function openStream(path: LayerFile["path"], identity: FileIdentity, assembly: Assembly): StreamReader {
  return assembly.options.readers.stream(path, identity);
}

/** Content held in memory and bigger than a slab. */
function* bytesJobs(
  row: number,
  entry: LayerEntry,
  header: Uint8Array,
  assembly: Assembly,
): Generator<Job, void, undefined> {
  const bytes = entry.content.from === "bytes" ? entry.content.bytes : new Uint8Array(0);
  assembly.contentDigests.set(hash("sha256", bytes, "buffer"), row * digestSize);
  const whole = Buffer.concat([header, bytes, Buffer.alloc(paddingAfter(entry.size))]);
  for (let at = 0; at < whole.length; at += slabSize) {
    const slab = assembly.slab();
    const part = whole.subarray(at, at + slabSize);
    slab.set(part);
    yield {
      start: async () => ({ slab, result: { digests: new Uint8Array(0) } }),
      length: part.length,
      write: true,
      rows: [],
    };
  }
}

function* rangeJobs(piece: Extract<Piece, { kind: "range" }>, assembly: Assembly): Generator<Job, void, undefined> {
  for (let done = 0; done < piece.length; done += slabSize) {
    const length = Math.min(slabSize, piece.length - done);
    const job = { ranges: [{ path: piece.path, offset: piece.offset + done, length, at: 0 }] };
    const slab = assembly.slab();
    yield { start: () => assembly.options.readers.ranges(job, slab), length, write: false, rows: [] };
  }
}

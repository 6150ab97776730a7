import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { EngineError } from "../errors.ts";
import { type Digest, Digester, digestAlgorithm, digestOf } from "../oci/digest.ts";
import type { BlobLocation, BlobStat, ByteRange } from "./contract.ts";
import { blobPath, type Layout, recipePath, segmentPath } from "./layout.ts";
import { decodeRecipe, decodeRecipeHead, type Recipe, recipeHeadBytes } from "./recipe.ts";
import { errnoOf, throwIfCancelled } from "./storeErrors.ts";

const chunkBytes = 1024 * 1024;

/** Size and form of a blob, or undefined when it is absent. */
export function statBlob(layout: Layout, digest: Digest): BlobStat | undefined {
  const whole = statSync(blobPath(layout, digest), { throwIfNoEntry: false });
  if (whole !== undefined) return { digest, sizeBytes: whole.size, heldAs: "whole" };
  const head = readHead(recipePath(layout, digest));
  if (head === undefined) return undefined;
  const decoded = decodeRecipeHead(head);
  // A damaged recipe is as good as none: what needs the blob will make it again.
  return typeof decoded === "string" ? undefined : { digest, sizeBytes: decoded.sizeBytes, heldAs: "recipe" };
}

/** Where the bytes of a blob lie, or undefined when it is absent; throws `BLOB_CORRUPT` for a damaged recipe. */
export function locateBlob(layout: Layout, digest: Digest): BlobLocation | undefined {
  const whole = statSync(blobPath(layout, digest), { throwIfNoEntry: false });
  if (whole !== undefined) {
    return {
      sizeBytes: whole.size,
      heldAs: "whole",
      paths: [blobPath(layout, digest)],
      segmentIds: [],
      pathIndex: Uint32Array.of(0),
      offsets: Float64Array.of(0),
      lengths: Float64Array.of(whole.size),
    };
  }
  const recipe = readRecipe(layout, digest);
  if (recipe === undefined) return undefined;
  return {
    sizeBytes: recipe.sizeBytes,
    heldAs: "recipe",
    paths: recipe.segments.map((id) => segmentPath(layout, id)),
    segmentIds: recipe.segments,
    pathIndex: recipe.segmentIndex,
    offsets: recipe.offsets,
    lengths: recipe.lengths,
  };
}

/** The recipe of a blob, or undefined; throws `BLOB_CORRUPT` when its file is damaged. */
export function readRecipe(layout: Layout, digest: Digest): Recipe | undefined {
  let file: Uint8Array;
  try {
    file = readFileSync(recipePath(layout, digest));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const recipe = decodeRecipe(file);
  if (typeof recipe === "string") throw corrupt(layout, digest, recipe);
  return recipe;
}

/** A whole small blob, checked. */
export function readBlobBytes(layout: Layout, digest: Digest, maxBytes: number): Uint8Array {
  const location = locateBlob(layout, digest);
  if (location === undefined) throw new EngineError("BLOB_MISSING", { digest, where: `the store ${layout.dir}` });
  const { sizeBytes } = location;
  if (sizeBytes > maxBytes) throw new EngineError("BLOB_TOO_LARGE", { digest, sizeBytes, limitBytes: maxBytes });
  const bytes = Buffer.allocUnsafe(sizeBytes);
  const files = new Map<string, number>();
  try {
    let at = 0;
    for (let part = 0; part < location.pathIndex.length; part++) {
      const fd = openOnce(files, location.paths[location.pathIndex[part] ?? 0] ?? "", layout, digest);
      const length = location.lengths[part] ?? 0;
      readExactlySync(fd, bytes.subarray(at, at + length), location.offsets[part] ?? 0, layout, digest);
      at += length;
    }
  } finally {
    for (const fd of files.values()) closeSync(fd);
  }
  const found = digestOf(bytes, digestAlgorithm(digest));
  if (found !== digest) throw corrupt(layout, digest, `its content has digest ${found}`);
  return bytes;
}

/** The bytes of a blob or a range of it; see the contract. */
export async function* readBlob(
  layout: Layout,
  digest: Digest,
  range: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const location = locateBlob(layout, digest);
  if (location === undefined) throw new EngineError("BLOB_MISSING", { digest, where: `the store ${layout.dir}` });
  const start = range.start ?? 0;
  const end = range.end ?? location.sizeBytes;
  if (!isRange(start, end, location.sizeBytes)) {
    throw new EngineError("RANGE_INVALID", { digest, start, end, sizeBytes: location.sizeBytes });
  }
  const whole = start === 0 && end === location.sizeBytes;
  const digester = whole ? new Digester(digestAlgorithm(digest)) : undefined;
  await using files = new OpenFiles(layout, digest);
  let next = startRead(files, piecesOf(location, start, end));
  for (;;) {
    throwIfCancelled(signal, `reading ${digest}`);
    const chunk = await next;
    if (chunk === undefined) break;
    // The disk works on the next chunk while this one is hashed and used.
    next = startRead(files, chunk.rest);
    digester?.update(chunk.bytes);
    yield chunk.bytes;
  }
  const found = digester?.finish();
  if (found !== undefined && found !== digest) throw corrupt(layout, digest, `its content has digest ${found}`);
}

export function corrupt(layout: Layout, digest: Digest, problem: string): EngineError<"BLOB_CORRUPT"> {
  return new EngineError("BLOB_CORRUPT", { digest, where: `the store ${layout.dir}`, problem });
}

/** Some bytes of one file. */
interface Piece {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** The parts of a range, none larger than a chunk. */
function* piecesOf(location: BlobLocation, start: number, end: number): Generator<Piece, void, undefined> {
  let at = 0;
  for (let part = 0; part < location.pathIndex.length && at < end; part++) {
    const length = location.lengths[part] ?? 0;
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, length);
    const file = location.paths[location.pathIndex[part] ?? 0] ?? "";
    for (let offset = from; offset < to; offset += chunkBytes) {
      yield { file, offset: (location.offsets[part] ?? 0) + offset, length: Math.min(chunkBytes, to - offset) };
    }
    at += length;
  }
}

interface Chunk {
  readonly bytes: Uint8Array;
  readonly rest: Iterator<Piece>;
}

/** Starts reading the next chunk. An error waits for whoever awaits it, also when nobody does any more. */
function startRead(files: OpenFiles, pieces: Iterator<Piece>): Promise<Chunk | undefined> {
  const reading = readChunk(files, pieces);
  reading.catch(() => undefined);
  files.busyWith(reading);
  return reading;
}

/** Large pieces become a chunk each; a run of small ones is gathered, or each would cost a turn of the event loop. */
async function readChunk(files: OpenFiles, pieces: Iterator<Piece>): Promise<Chunk | undefined> {
  const first = pieces.next();
  if (first.done === true) return undefined;
  if (first.value.length >= chunkBytes / 4) return { bytes: await files.read(first.value), rest: pieces };
  const gathered = Buffer.allocUnsafe(chunkBytes);
  let filled = 0;
  for (let piece = first.value; ; ) {
    files.readSync(piece, gathered.subarray(filled, filled + piece.length));
    filled += piece.length;
    const next = pieces.next();
    if (next.done === true) return { bytes: gathered.subarray(0, filled), rest: pieces };
    if (filled + next.value.length > chunkBytes)
      return { bytes: gathered.subarray(0, filled), rest: chain(next.value, pieces) };
    piece = next.value;
  }
}

function* chain(first: Piece, rest: Iterator<Piece>): Generator<Piece, void, undefined> {
  yield first;
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value;
}

const openAtOnce = 64;

/** The files a reader has open: at most 64 at once, however many segments a recipe names. */
class OpenFiles implements AsyncDisposable {
  readonly #layout: Layout;
  readonly #digest: Digest;
  readonly #open = new Map<string, number>();
  readonly #large = new Map<string, FileHandle>();
  #busy: Promise<unknown> = Promise.resolve();

  constructor(layout: Layout, digest: Digest) {
    this.#layout = layout;
    this.#digest = digest;
  }

  /** Files are closed only after this read has ended. */
  busyWith(reading: Promise<unknown>): void {
    this.#busy = reading;
  }

  async read(piece: Piece): Promise<Uint8Array> {
    const handle = await this.#handle(piece.file);
    const bytes = Buffer.allocUnsafe(piece.length);
    for (let at = 0; at < piece.length; ) {
      const { bytesRead } = await handle.read(bytes, at, piece.length - at, piece.offset + at);
      if (bytesRead === 0) throw corrupt(this.#layout, this.#digest, `${piece.file} is shorter than it was`);
      at += bytesRead;
    }
    return bytes;
  }

  readSync(piece: Piece, into: Uint8Array): void {
    let fd = this.#open.get(piece.file);
    if (fd === undefined) {
      if (this.#open.size >= openAtOnce) this.#closeSync();
      fd = openOnce(this.#open, piece.file, this.#layout, this.#digest);
    }
    readExactlySync(fd, into, piece.offset, this.#layout, this.#digest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#busy.catch(() => undefined);
    this.#closeSync();
    await this.#closeLarge();
  }

  async #handle(file: string): Promise<FileHandle> {
    const known = this.#large.get(file);
    if (known !== undefined) return known;
    if (this.#large.size >= openAtOnce) await this.#closeLarge();
    try {
      const handle = await open(file, "r");
      this.#large.set(file, handle);
      return handle;
    } catch (error) {
      throw lost(error, file, this.#layout, this.#digest);
    }
  }

  #closeSync(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  async #closeLarge(): Promise<void> {
    for (const handle of this.#large.values()) await handle.close();
    this.#large.clear();
  }
}

function isRange(start: number, end: number, sizeBytes: number): boolean {
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= sizeBytes;
}

function openOnce(files: Map<string, number>, file: string, layout: Layout, digest: Digest): number {
  const known = files.get(file);
  if (known !== undefined) return known;
  try {
    const fd = openSync(file, "r");
    files.set(file, fd);
    return fd;
  } catch (error) {
    throw lost(error, file, layout, digest);
  }
}

function lost(error: unknown, file: string, layout: Layout, digest: Digest): unknown {
  return errnoOf(error) === "ENOENT" ? corrupt(layout, digest, `${file} is missing`) : error;
}

function readExactlySync(fd: number, into: Uint8Array, position: number, layout: Layout, digest: Digest): void {
  for (let at = 0; at < into.byteLength; ) {
    const count = readSync(fd, into, at, into.byteLength - at, position + at);
    if (count === 0) throw corrupt(layout, digest, "a file of it is shorter than it was");
    at += count;
  }
}

function readHead(file: string): Uint8Array | undefined {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const head = Buffer.alloc(Math.min(recipeHeadBytes, fstatSync(fd).size));
    readSync(fd, head, 0, head.byteLength, 0);
    return head;
  } finally {
    closeSync(fd);
  }
}

import { pipeline, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { EngineError, isEngineError } from "../errors.ts";
import { type Digest, Digester } from "../oci/digest.ts";
import { ByteSource } from "../tar/byteSource.ts";

export type Compression = "none" | "gzip" | "zstd";

const zstdMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const skippableMask = 0xfffffff0;
const chunkSize = 256 * 1024;

/** How a layer is compressed, by its first four bytes: media types lie too often. */
export function detectCompression(head: Uint8Array): Compression {
  if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  if (head.length < 4) return "none";
  const magic = littleEndian(head, 4);
  return magic === zstdMagic || isSkippable(magic) ? "zstd" : "none";
}

/**
 * The tar inside a layer blob: as it is, or all members of a gzip file, or all frames of a zstd file. Holds some chunks at a time.
 * Throws `LAYER_CORRUPT` when the compressed data is damaged or cut short.
 */
export async function* decompress(blob: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  await using bytes = new ByteSource(blob);
  const head = await bytes.read(4);
  const compression = detectCompression(head);
  try {
    if (compression === "none") yield* rest(bytes, head);
    if (compression === "gzip") yield* through(createGunzip({ chunkSize }), rest(bytes, head));
    if (compression === "zstd") yield* zstdFrames(bytes, head);
  } catch (cause) {
    if (!isZlibError(cause)) throw cause;
    throw new EngineError("LAYER_CORRUPT", { format: compression, reason: cause.message }, { cause });
  }
}

/**
 * `decompress`, and after the last byte the proof that it was what the image's configuration promises: throws `LAYER_CORRUPT` instead
 * of ending, or as soon as there are more than `sizeBytes` bytes where the size is known.
 */
export async function* readLayerTar(
  blob: AsyncIterable<Uint8Array>,
  expected: { readonly diffId: Digest; readonly sizeBytes?: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const digester = new Digester(expected.diffId.startsWith("sha512:") ? "sha512" : "sha256");
  const damaged = (reason: string): EngineError => new EngineError("LAYER_CORRUPT", { format: "tar", reason });
  for await (const chunk of decompress(blob)) {
    digester.update(chunk);
    if (expected.sizeBytes !== undefined && digester.sizeBytes > expected.sizeBytes) {
      throw damaged(`more than the ${expected.sizeBytes} bytes it should have`);
    }
    yield chunk;
  }
  const actual = digester.finish();
  if (actual !== expected.diffId) throw damaged(`its content is ${actual}, the image says ${expected.diffId}`);
}

async function* rest(bytes: ByteSource, head: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (head.length > 0) yield head;
  yield* bytes.chunks(Number.POSITIVE_INFINITY);
}

/** Runs chunks through a stream of `node:zlib`; whoever stops early ends it. */
async function* through(
  transform: Transform,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  // Errors of the source reach the loop below through the stream they destroy.
  const stream: AsyncIterable<Uint8Array> = pipeline(source, transform, () => undefined);
  yield* stream;
}

/**
 * Node's decoder stops after the first frame without a word and does not notice a frame cut short, so frames are told apart here and
 * each gets a decoder of its own.
 * @see RFC 8878, section 3.1, "Frames"
 */
async function* zstdFrames(bytes: ByteSource, head: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let magic = head; magic.length > 0; magic = await bytes.read(4)) {
    const number = magic.length === 4 ? littleEndian(magic, 4) : 0;
    if (isSkippable(number)) {
      const size = littleEndian(await exactly(bytes, 4), 4);
      if ((await bytes.skip(size)) < size) throw cutShort();
      continue;
    }
    if (number !== zstdMagic)
      throw new EngineError("LAYER_CORRUPT", { format: "zstd", reason: "bytes that are no frame" });
    yield* through(createZstdDecompress({ chunkSize }), frame(bytes, magic));
  }
}

/** The bytes of one frame, magic number included, in pieces of some blocks. */
async function* frame(bytes: ByteSource, magic: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  const descriptor = await exactly(bytes, 1);
  const flags = descriptor[0] ?? 0;
  const singleSegment = (flags & 0x20) !== 0;
  const contentSizeLength = [singleSegment ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  const dictionaryLength = [0, 1, 2, 4][flags & 3] ?? 0;
  const header = await exactly(bytes, (singleSegment ? 0 : 1) + dictionaryLength + contentSizeLength);
  let pending: Buffer[] = [Buffer.from(magic), Buffer.from(descriptor), Buffer.from(header)];
  let pendingBytes = 0;
  for (let last = false; !last; ) {
    const block = Buffer.from(await exactly(bytes, 3));
    const word = littleEndian(block, 3);
    last = (word & 1) === 1;
    // A run-length block states how often its one byte is repeated.
    const size = ((word >> 1) & 3) === 1 ? 1 : word >>> 3;
    if (size > 128 * 1024)
      throw new EngineError("LAYER_CORRUPT", { format: "zstd", reason: "a block of more than 128 KiB" });
    pending.push(block, Buffer.from(await exactly(bytes, size)));
    pendingBytes += size + 3;
    if (pendingBytes < chunkSize) continue;
    yield Buffer.concat(pending);
    pending = [];
    pendingBytes = 0;
  }
  if ((flags & 4) !== 0) pending.push(Buffer.from(await exactly(bytes, 4)));
  yield Buffer.concat(pending);
}

async function exactly(bytes: ByteSource, length: number): Promise<Buffer> {
  const data = await bytes.read(length);
  if (data.length < length) throw cutShort();
  return data;
}

function cutShort(): EngineError {
  return new EngineError("LAYER_CORRUPT", { format: "zstd", reason: "the data ends before it is complete" });
}

function isSkippable(magic: number): boolean {
  return (magic & skippableMask) >>> 0 === skippableMagic;
}

function littleEndian(bytes: Uint8Array, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index--) value = value * 256 + (bytes[index] ?? 0);
  return value;
}

function isZlibError(error: unknown): error is Error {
  if (isEngineError(error) || !(error instanceof Error) || !("code" in error)) return false;
  return /^(?:Z_|ZSTD_|ERR_ZSTD|ERR_ZLIB|ERR_BUFFER_TOO_LARGE)/.test(String(error.code));
}

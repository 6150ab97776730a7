/** Layers are kept uncompressed and compressed on their way out. This is the way out. */
import { promisify } from "node:util";
import { constants as zlib, zstdCompress } from "node:zlib";
import type { BlobContent } from "./content.ts";
import { cutPieces, gzipMember, type Piece } from "./gzipMembers.ts";

/** How layers travel. gzip is what every runtime reads; dockerd before 23 cannot read zstd. */
export interface Compression {
  readonly algorithm: "gzip" | "zstd";
  /** 1 (fast) to 9 for gzip, 1 to 19 for zstd. */
  readonly level: number;
}

/** Fast, and within a few percent of the size that slower levels reach on cluster images, most of which is compressed already. */
export const defaultCompression: Compression = { algorithm: "gzip", level: 1 };

/** Names how bytes are made: it changes whenever the same layer would come out as other bytes. */
export function compressionKey(compression: Compression): string {
  return `${compression.algorithm}-${compression.level}-pieces-1`;
}

/** Pieces compressed at once: the thread pool is kept busy while the network takes what is ready. */
const inFlight = 6;

const zstd = promisify(zstdCompress);

/**
 * The compressed form of a layer, made as it is read. Opened at an offset it starts at the last piece before it, for
 * pieces are compressed each for itself.
 *
 * @param openLayer the uncompressed bytes from an offset on
 */
export function compressedContent(
  openLayer: (offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>,
  compression: Compression,
): BlobContent {
  /** Where each piece ended, in the compressed and the uncompressed bytes: some bytes for each MiB. */
  const ends: { readonly out: number; readonly in: number }[] = [];
  return {
    async *open(offset, signal) {
      const start = ends.findLast((end) => end.out <= offset) ?? { out: 0, in: 0 };
      let position = start.out;
      let consumed = start.in;
      for await (const piece of compressPieces(openLayer(start.in, signal), compression, start.in === 0)) {
        const from = Math.max(0, offset - position);
        position += piece.bytes.byteLength;
        consumed += piece.sourceBytes;
        if (position > (ends.at(-1)?.out ?? 0)) ends.push({ out: position, in: consumed });
        if (from < piece.bytes.byteLength) yield piece.bytes.subarray(from);
      }
    },
  };
}

interface CompressedPiece {
  readonly bytes: Uint8Array;
  readonly sourceBytes: number;
}

async function* compressPieces(
  layer: AsyncIterable<Uint8Array>,
  compression: Compression,
  fromStart: boolean,
): AsyncGenerator<CompressedPiece> {
  const queue: Promise<CompressedPiece>[] = [];
  let any = false;
  try {
    for await (const piece of cutPieces(layer)) {
      any = true;
      queue.push(compressPiece(piece, compression));
      // Its failure is met when its turn comes; until then it must not count as unhandled.
      queue.at(-1)?.catch(() => undefined);
      const next = queue.length >= inFlight ? queue.shift() : undefined;
      if (next !== undefined) yield await next;
    }
    // No piece at all is still a file: one empty member.
    if (!any && fromStart) queue.push(compressPiece({ bytes: new Uint8Array(), random: false }, compression));
    for (const next of queue.splice(0)) yield await next;
  } finally {
    await Promise.allSettled(queue);
  }
}

async function compressPiece(piece: Piece, { algorithm, level }: Compression): Promise<CompressedPiece> {
  const sourceBytes = piece.bytes.byteLength;
  if (algorithm === "gzip") return { bytes: await gzipMember(piece, level), sourceBytes };
  // One-shot frames only: zstd streams of Node put empty frames between by the pattern of writes, and lose data with workers.
  const params = { [zlib.ZSTD_c_compressionLevel]: level };
  return { bytes: await zstd(piece.bytes, { params, chunkSize: 256 * 1024 }), sourceBytes };
}

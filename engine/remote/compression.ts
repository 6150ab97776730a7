/** Layers are kept uncompressed and compressed on their way out. This is the way out. */
import type { CompressionThreads } from "./compressionThreads.ts";
import { compressPiece } from "./compressPiece.ts";
import type { BlobContent } from "./content.ts";
import { cutPieces, type Piece, PieceBuffers } from "./pieces.ts";

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
  return `${compression.algorithm}-${compression.level}-pieces-3`;
}

/**
 * The compressed form of a layer, made as it is read. Opened at an offset it starts at the last piece before it, for
 * pieces are compressed each for itself.
 *
 * @param openLayer the uncompressed bytes from an offset on
 */
export function compressedContent(
  openLayer: (offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>,
  compression: Compression,
  threads: CompressionThreads,
): BlobContent {
  /** Where each piece ended, in the compressed and the uncompressed bytes: some bytes for each MiB. */
  const ends: { readonly out: number; readonly in: number }[] = [];
  return {
    async *open(offset, signal) {
      const start = ends.findLast((end) => end.out <= offset) ?? { out: 0, in: 0 };
      let position = start.out;
      let consumed = start.in;
      for await (const piece of compressPieces(openLayer(start.in, signal), compression, threads)) {
        const from = Math.max(0, offset - position);
        position += piece.bytes.byteLength;
        consumed += piece.sourceBytes;
        if (position > (ends.at(-1)?.out ?? 0)) ends.push({ out: position, in: consumed });
        if (from < piece.bytes.byteLength) yield piece.bytes.subarray(from);
      }
      // No piece at all is still a file: one empty member.
      if (position === 0) yield compressPiece(new Uint8Array(), compression).subarray(offset);
    },
  };
}

interface CompressedPiece {
  readonly bytes: Uint8Array;
  readonly sourceBytes: number;
}

/** Keeps the threads busy and gives out what they make in the order of the layer. */
async function* compressPieces(
  layer: AsyncIterable<Uint8Array>,
  compression: Compression,
  threads: CompressionThreads,
): AsyncGenerator<CompressedPiece> {
  const buffers = new PieceBuffers();
  const compress = async (piece: Piece): Promise<CompressedPiece> => {
    const { buffer, bytes } = await threads.compress(piece, compression);
    buffers.giveBack(buffer);
    return { bytes, sourceBytes: piece.length };
  };
  const queue: Promise<CompressedPiece>[] = [];
  try {
    for await (const piece of cutPieces(layer, buffers)) {
      queue.push(compress(piece));
      // Its failure is met when its turn comes; until then it must not count as unhandled.
      queue.at(-1)?.catch(() => undefined);
      const next = queue.length >= threads.depth ? queue.shift() : undefined;
      if (next !== undefined) yield await next;
    }
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) yield await next;
  } finally {
    await Promise.allSettled(queue);
  }
}

/** Bytes compressed as one gzip member or zstd frame. The cut depends on the position alone. */
export const pieceBytes: number = 1024 * 1024;

/** Buffers of one piece each, used again and again: a layer of gigabytes must not become as much garbage. */
export class PieceBuffers {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(pieceBytes);
  }

  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    this.#free.push(buffer);
  }
}

/** A buffer and how much of it is filled. Give it back when it is done with. */
export interface Piece {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly length: number;
}

/** Cuts a stream into pieces; all but the last are full. */
export async function* cutPieces(content: AsyncIterable<Uint8Array>, buffers: PieceBuffers): AsyncGenerator<Piece> {
  let buffer = buffers.take();
  let length = 0;
  for await (const chunk of content) {
    for (let used = 0; used < chunk.byteLength; ) {
      const taken = Math.min(pieceBytes - length, chunk.byteLength - used);
      buffer.set(chunk.subarray(used, used + taken), length);
      length += taken;
      used += taken;
      if (length < pieceBytes) continue;
      yield { buffer, length };
      buffer = buffers.take();
      length = 0;
    }
  }
  if (length > 0) yield { buffer, length };
  else buffers.giveBack(buffer);
}

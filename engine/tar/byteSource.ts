/**
 * Exact reads from a stream of chunks: `read(n)` gives n bytes, `chunks(n)` hands n bytes through as they come. Holds at most one chunk
 * more than was asked for.
 */
export class ByteSource implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);
  #offset = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Bytes handed out up to now. */
  get offset(): number {
    return this.#offset;
  }

  /** The next `length` bytes; fewer when the stream ends before. */
  async read(length: number): Promise<Buffer> {
    if (this.#rest.length < length) await this.#fill(length);
    return this.#take(length);
  }

  /** The next `length` bytes in pieces; ends early when the stream does. */
  async *chunks(length: number): AsyncGenerator<Buffer, void, undefined> {
    let left = length;
    while (left > 0) {
      if (this.#rest.length === 0) await this.#fill(1);
      if (this.#rest.length === 0) return;
      const piece = this.#take(left);
      left -= piece.length;
      yield piece;
    }
  }

  /** Passes over `length` bytes and tells how many there were. */
  async skip(length: number): Promise<number> {
    let skipped = 0;
    while (skipped < length) {
      if (this.#rest.length === 0) await this.#fill(1);
      if (this.#rest.length === 0) break;
      skipped += this.#take(length - skipped).length;
    }
    return skipped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }

  #take(length: number): Buffer {
    const piece = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(piece.length);
    this.#offset += piece.length;
    return piece;
  }

  async #fill(length: number): Promise<void> {
    const parts: Buffer[] = [this.#rest];
    let have = this.#rest.length;
    while (have < length) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      parts.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength));
      have += next.value.byteLength;
    }
    this.#rest = parts.length === 1 ? this.#rest : Buffer.concat(parts);
  }
}

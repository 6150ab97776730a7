/**
 * gzip in parallel: a layer becomes a row of gzip members, which every gzip reader takes for one file. Members are cut by
 * the bytes alone, so the same layer gives the same members however it arrives; they are compressed in the thread pool of
 * Node, and those that are random already are stored.
 *
 * @see RFC 1952 section 2.2
 */
import { promisify } from "node:util";
import { gzip, constants as zlib } from "node:zlib";
import { looksRandom } from "./entropy.ts";

const compress = promisify(gzip);

/** Cut at this grid, so that a cut never depends on how the bytes were chunked. */
const cellBytes = 64 * 1024;
/** The longest member. */
const memberBytes = 1024 * 1024;

/** Bytes that become one member or frame. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly random: boolean;
}

/**
 * Cuts a layer for compression: at most 1 MiB each, and where random bytes begin or end, found on a grid of 64 KiB. A
 * cut depends on nothing before it, so cutting from any cut on gives the same pieces.
 */
export async function* cutPieces(content: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  const cutter = new Cutter();
  for await (const chunk of content) {
    for (let used = 0; used < chunk.byteLength; ) {
      used += cutter.fill(chunk, used);
      yield* cutter.ripe();
    }
  }
  yield* cutter.rest();
}

/** Fills one piece after another, cell by cell. */
class Cutter {
  #buffer = Buffer.allocUnsafeSlow(memberBytes);
  /** Bytes in full cells, all of one class; behind them comes the cell that is filling. */
  #classed = 0;
  #random = false;
  #filled = 0;

  /** Takes what fits into the cell; returns how much that was. */
  fill(chunk: Uint8Array, from: number): number {
    const taken = Math.min(cellBytes - (this.#filled - this.#classed), chunk.byteLength - from);
    this.#buffer.set(chunk.subarray(from, from + taken), this.#filled);
    this.#filled += taken;
    return taken;
  }

  /** The pieces a full cell completes: those before it when it is of the other class, and itself when the piece is full. */
  *ripe(): Generator<Piece> {
    if (this.#filled - this.#classed < cellBytes) return;
    const random = looksRandom(this.#buffer.subarray(this.#classed, this.#filled));
    if (this.#classed > 0 && random !== this.#random) yield this.#take(this.#classed);
    this.#random = random;
    this.#classed = this.#filled;
    if (this.#classed === memberBytes) yield this.#take(this.#classed);
  }

  /** What is left at the end. A cell that never filled is too small to be judged random. */
  *rest(): Generator<Piece> {
    if (this.#random && this.#classed > 0) yield this.#take(this.#classed);
    this.#random = false;
    if (this.#filled > 0) yield this.#take(this.#filled);
  }

  #take(length: number): Piece {
    const piece = { bytes: this.#buffer.subarray(0, length), random: this.#random };
    const next = Buffer.allocUnsafeSlow(memberBytes);
    this.#buffer.copy(next, 0, length, this.#filled);
    this.#buffer = next;
    this.#filled -= length;
    this.#classed = 0;
    return piece;
  }
}

/** One member. Its header names no system and no time, so that it is the same wherever it is made. */
export async function gzipMember(piece: Piece, level: number): Promise<Uint8Array> {
  const member = await compress(piece.bytes, {
    level: piece.random ? zlib.Z_NO_COMPRESSION : level,
    chunkSize: 256 * 1024,
  });
  member[9] = 255;
  return member;
}

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
const pieceBytes = 64 * 1024;
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
  let member = new Uint8Array(memberBytes);
  /** Bytes of the member that are classed, all of one class, and behind them those of a grid cell still filling. */
  let classed = 0;
  let random = false;
  let filled = 0;
  const take = (length: number): Piece => {
    const bytes = member.subarray(0, length);
    const rest = member.subarray(length, filled);
    const next = new Uint8Array(memberBytes);
    next.set(rest);
    member = next;
    filled = rest.byteLength;
    classed = 0;
    return { bytes, random };
  };
  for await (const chunk of content) {
    for (let used = 0; used < chunk.byteLength; ) {
      const room = Math.min(pieceBytes - (filled - classed), chunk.byteLength - used);
      member.set(chunk.subarray(used, used + room), filled);
      filled += room;
      used += room;
      if (filled - classed < pieceBytes) continue;
      const cell = looksRandom(member.subarray(classed, filled));
      if (classed > 0 && cell !== random) yield take(classed);
      random = cell;
      classed = filled;
      if (classed === memberBytes) yield take(classed);
    }
  }
  if (filled > classed && classed > 0 && random) yield take(classed);
  if (filled > classed) random = false;
  if (filled > 0) yield take(filled);
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

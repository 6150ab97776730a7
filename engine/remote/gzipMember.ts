/**
 * One gzip member that stores what is random already and deflates the rest: images are full of archives and binaries in which
 * deflate finds nothing and takes its time about it. Stretches are told apart on a grid of 1 KiB, and each is a row of deflate
 * blocks that ends on a byte, so that they can simply be put one after the other.
 *
 * @see RFC 1951 section 3.2, RFC 1952 section 2.3
 */
import { crc32, deflateRawSync, constants as zlib } from "node:zlib";
import { looksRandom } from "./looksRandom.ts";

const cellBytes = 1024;
/** A shorter random stretch costs more in broken matches around it than it saves. */
const leastRandomCells = 2;
/** The longest stored block deflate can write. */
const longestStored = 65_535;

/** ID, method deflate, no flags, no time, no extra flags, and "unknown" for the system: the same wherever it is made. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** An empty last block with fixed codes. */
const lastBlock = Buffer.from([3, 0]);

/** Compresses bytes to one member. Same bytes and level, same member, as long as Node's zlib is the same. */
export function gzipMember(bytes: Uint8Array, level: number): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [header];
  for (const { start, end, random } of stretches(bytes)) {
    const stretch = bytes.subarray(start, end);
    if (random) pushStored(parts, stretch);
    else parts.push(deflate(stretch, level));
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.byteLength, 4);
  parts.push(lastBlock, trailer);
  return joined(parts);
}

interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly random: boolean;
}

/** Cuts bytes where they become random and where they end to be. */
function stretches(bytes: Uint8Array): readonly Stretch[] {
  const found: Stretch[] = [];
  let start = 0;
  for (let at = 0; at + cellBytes <= bytes.byteLength; ) {
    const end = randomEnd(bytes, at);
    if (end - at >= leastRandomCells * cellBytes) {
      if (at > start) found.push({ start, end: at, random: false });
      found.push({ start: at, end, random: true });
      start = end;
    }
    // The cell that ended the stretch is known not to be random.
    at = end + cellBytes;
  }
  if (start < bytes.byteLength) found.push({ start, end: bytes.byteLength, random: false });
  return found;
}

/** Where the row of random cells that begins here ends. */
function randomEnd(bytes: Uint8Array, from: number): number {
  let end = from;
  while (end + cellBytes <= bytes.byteLength && looksRandom(bytes, end, cellBytes)) end += cellBytes;
  return end;
}

function pushStored(parts: Uint8Array[], bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; at += longestStored) {
    const block = bytes.subarray(at, at + longestStored);
    const head = Buffer.alloc(5);
    head.writeUInt16LE(block.byteLength, 1);
    head.writeUInt16LE(block.byteLength ^ 0xffff, 3);
    parts.push(head, block);
  }
}

function deflate(bytes: Uint8Array, level: number): Uint8Array {
  // A window no larger than what is compressed, and the large hash table: both only cost or save time.
  const windowBits = bytes.byteLength <= 8192 ? 13 : 15;
  const chunkSize = Math.max(1024, Math.min(bytes.byteLength, 256 * 1024));
  return deflateRawSync(bytes, { level, windowBits, memLevel: 9, chunkSize, finishFlush: zlib.Z_SYNC_FLUSH });
}

/** One buffer of its own, which can be handed to another thread. */
function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

import type { ByteString } from "../byteString.ts";
import type { ContextEntry } from "../plan/context.ts";
import { decodeColumns, encodeColumns } from "./columns.ts";

/** Bytes of one SHA-256. */
const digestSize = 32;
const version = 1;
/** Time stamps of most file systems come from a clock that ticks every 4 or 10 ms. */
const clockTickNs = 20_000_000n;
/** FAT and old network file systems keep whole seconds, FAT even two. */
const coarseTickNs = 2_000_000_000n;
const secondNs = 1_000_000_000n;

/**
 * What files of one context contained when they looked as they look now: path and `lstat` facts → SHA-256 of the content.
 * An entry is believed when size, both times, inode, device, mode and owner are the same, unless the file was changed so shortly
 * before it was read that a second change could carry the same time ("racy", as in git's index).
 */
export interface Fingerprints {
  /** The content digest, 32 bytes, or undefined when the file must be read. */
  lookup(entry: ContextEntry): Uint8Array | undefined;
  readonly size: number;
}

const none: Fingerprints = { lookup: () => undefined, size: 0 };

/** Reads a stored table; anything unreadable is an empty one. */
export function decodeFingerprints(payload: Uint8Array | undefined): Fingerprints {
  const columns = payload === undefined ? undefined : decodeColumns(version, payload);
  if (columns === undefined) return none;
  const paths = columns.texts("paths");
  const facts = columns.integers("facts");
  const digests = columns.bytes("digests");
  const rows = new Map<string, number>();
  for (let row = 0; row < paths.length; row++) rows.set(paths[row] ?? "", row);
  return {
    size: paths.length,
    lookup(entry) {
      const row = rows.get(entry.path);
      if (row === undefined || !sameFacts(entry, facts, row * factsPerRow)) return undefined;
      return digests.subarray(row * digestSize, (row + 1) * digestSize);
    },
  };
}

const factsPerRow = 6;

function sameFacts(entry: ContextEntry, facts: BigInt64Array, at: number): boolean {
  return (
    entry.mtimeNs === facts[at] &&
    entry.ctimeNs === facts[at + 1] &&
    BigInt.asIntN(64, entry.ino) === facts[at + 2] &&
    BigInt.asIntN(64, entry.dev) === facts[at + 3] &&
    BigInt(entry.size) === facts[at + 4] &&
    ownership(entry) === facts[at + 5]
  );
}

/** Mode, user and group in one number: a change of any of them also changes ctime, this is for file systems without one. */
function ownership(entry: ContextEntry): bigint {
  return BigInt.asIntN(64, (BigInt(entry.mode) << 48n) ^ (BigInt(entry.uid) << 24n) ^ BigInt(entry.gid));
}

/** A file and what it contained. */
export interface Fingerprint {
  readonly entry: ContextEntry;
  readonly digest: Uint8Array;
}

/**
 * The bytes of a table. `observedAtNs` is the time at which the first of the files was looked at; files changed at or after it, by the
 * coarseness of their clock, are left out and will be read again.
 */
export function encodeFingerprints(files: readonly Fingerprint[], observedAtNs: bigint): Buffer {
  const kept = files.filter(({ entry }) => !isRacy(entry, observedAtNs));
  const facts = new BigInt64Array(kept.length * factsPerRow);
  const digests = new Uint8Array(kept.length * digestSize);
  for (const [row, { entry, digest }] of kept.entries()) {
    facts[row * factsPerRow] = entry.mtimeNs;
    facts[row * factsPerRow + 1] = entry.ctimeNs;
    facts[row * factsPerRow + 2] = entry.ino;
    facts[row * factsPerRow + 3] = entry.dev;
    facts[row * factsPerRow + 4] = BigInt(entry.size);
    facts[row * factsPerRow + 5] = ownership(entry);
    digests.set(digest, row * digestSize);
  }
  const paths: readonly ByteString[] = kept.map(({ entry }) => entry.path);
  return encodeColumns(version, {}, [
    { name: "paths", kind: "texts", values: paths },
    { name: "facts", kind: "integers", values: facts },
    { name: "digests", kind: "bytes", values: digests },
  ]);
}

function isRacy(entry: ContextEntry, observedAtNs: bigint): boolean {
  const coarse = entry.mtimeNs % secondNs === 0n && entry.ctimeNs % secondNs === 0n;
  const tick = coarse ? coarseTickNs : clockTickNs;
  return entry.ctimeNs + tick >= observedAtNs || entry.mtimeNs + tick >= observedAtNs;
}

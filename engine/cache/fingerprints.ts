import type { ByteString } from "../byteString.ts";
import type { ContextEntry } from "../plan/context.ts";
import { type Columns, decodeColumns, encodeColumns } from "./columns.ts";

/** Bytes of one SHA-256. */
const digestSize = 32;
const version = 3;
/** Time stamps of most file systems come from a clock that ticks every 4 or 10 ms. */
const clockTickNs = 20_000_000n;
/** FAT and old network file systems keep whole seconds, FAT even two. */
const coarseTickNs = 2_000_000_000n;
const secondNs = 1_000_000_000n;

/** Columns per row: mtimeNs, ctimeNs, inode, device; and size, mode, user, group. */
const integersPerRow = 4;
const numbersPerRow = 4;

/**
 * What files of one context contained when they looked as they look now: path and `lstat` facts → SHA-256 of the content.
 * A row is believed when size, both times, inode, device, mode and owner are the same, unless the file was changed so shortly
 * before it was read that a second change could carry the same time ("racy", as in git's index): such rows are never written.
 */
export class Fingerprints {
  readonly paths: readonly string[];
  readonly #integers: BigInt64Array;
  readonly #numbers: Float64Array;
  readonly #digests: Uint8Array;
  readonly #xattrs: readonly string[];
  #rows: Map<string, number> | undefined;
  /** Files are asked for in much the order they were written in. */
  #guess = 0;

  constructor(columns: Columns | undefined) {
    this.paths = columns?.texts("paths") ?? [];
    this.#integers = columns?.integers("integers") ?? new BigInt64Array(0);
    this.#numbers = columns?.numbers("numbers") ?? new Float64Array(0);
    this.#digests = columns?.bytes("digests") ?? new Uint8Array(0);
    this.#xattrs = columns?.texts("xattrs") ?? [];
  }

  /** The row of a file whose content is known without reading it, or -1. */
  find(entry: ContextEntry): number {
    const row = this.#rowOf(entry.path);
    return row >= 0 && this.#matches(entry, row) ? row : -1;
  }

  /** The content digest of a row. */
  digest(row: number): Uint8Array {
    return this.#digests.subarray(row * digestSize, (row + 1) * digestSize);
  }

  /** The extended attributes of a row, as `formatXattrs` writes them. */
  xattrs(row: number): string {
    return this.#xattrs[row] ?? "";
  }

  /** Copies a row into tables under construction. */
  copyRow(row: number, into: Tables, at: number): void {
    const integers = this.#integers.subarray(row * integersPerRow, (row + 1) * integersPerRow);
    into.integers.set(integers, at * integersPerRow);
    into.numbers.set(this.#numbers.subarray(row * numbersPerRow, (row + 1) * numbersPerRow), at * numbersPerRow);
    into.digests.set(this.digest(row), at * digestSize);
  }

  #rowOf(path: string): number {
    if (this.paths[this.#guess] === path) return this.#guess++;
    this.#rows ??= new Map(this.paths.map((known, row) => [known, row]));
    const row = this.#rows.get(path) ?? -1;
    if (row >= 0) this.#guess = row + 1;
    return row;
  }

  #matches(entry: ContextEntry, row: number): boolean {
    const n = row * numbersPerRow;
    const i = row * integersPerRow;
    return (
      this.#numbers[n] === entry.size &&
      this.#numbers[n + 1] === entry.mode &&
      this.#numbers[n + 2] === entry.uid &&
      this.#numbers[n + 3] === entry.gid &&
      this.#integers[i] === entry.mtimeNs &&
      this.#integers[i + 1] === entry.ctimeNs &&
      this.#integers[i + 2] === BigInt.asIntN(64, entry.ino) &&
      this.#integers[i + 3] === BigInt.asIntN(64, entry.dev)
    );
  }
}

/** Reads a stored table; anything unreadable is an empty one. */
export function decodeFingerprints(payload: Uint8Array | undefined): Fingerprints {
  return new Fingerprints(payload === undefined ? undefined : decodeColumns(version, payload));
}

/** Columns under construction. */
export interface Tables {
  readonly integers: BigInt64Array;
  readonly numbers: Float64Array;
  readonly digests: Uint8Array;
}

/** A file and what it contained. */
export interface Fingerprint {
  readonly entry: ContextEntry;
  readonly digest: Uint8Array;
  /** As `formatXattrs` writes them. */
  readonly xattrs: string;
}

const noXattrs: ReadonlyMap<ByteString, Uint8Array> = new Map();

/** Extended attributes as one text: `name=hex`, by name, with blanks between; names hold no blanks in practice, those that do are left out. */
export function formatXattrs(xattrs: ReadonlyMap<ByteString, Uint8Array>): string {
  const pairs = [...xattrs].filter(([name]) => !/[\0 =]/.test(name));
  return pairs
    .map(([name, value]) => `${name}=${Buffer.from(value).toString("hex")}`)
    .sort()
    .join(" ");
}

/** Reads what `formatXattrs` wrote. */
export function parseXattrs(text: string): ReadonlyMap<ByteString, Uint8Array> {
  if (text === "") return noXattrs;
  return new Map(
    text.split(" ").map((pair): [ByteString, Uint8Array] => {
      const equals = pair.indexOf("=");
      return [pair.slice(0, equals) as ByteString, Buffer.from(pair.slice(equals + 1), "hex")];
    }),
  );
}

/**
 * The bytes of a table: what was learnt, and the rows of the table before it that are not about the same paths nor among `stale`.
 * `observedAtNs` is the time at which the first of the files was looked at; files changed at or after it, by the coarseness of their
 * clock, are left out and will be read again.
 */
export function encodeFingerprints(
  before: Fingerprints,
  stale: ReadonlySet<string>,
  learnt: ReadonlyMap<string, Fingerprint>,
  observedAtNs: bigint,
): Buffer {
  const fresh = [...learnt.values()].filter(({ entry }) => !isRacy(entry, observedAtNs));
  const kept: number[] = [];
  for (const [row, path] of before.paths.entries()) if (!learnt.has(path) && !stale.has(path)) kept.push(row);
  const count = kept.length + fresh.length;
  const tables: Tables = {
    integers: new BigInt64Array(count * integersPerRow),
    numbers: new Float64Array(count * numbersPerRow),
    digests: new Uint8Array(count * digestSize),
  };
  for (const [at, row] of kept.entries()) before.copyRow(row, tables, at);
  for (const [index, fingerprint] of fresh.entries()) writeRow(fingerprint, tables, kept.length + index);
  const paths = [...kept.map((row) => before.paths[row] ?? ""), ...fresh.map(({ entry }) => entry.path)];
  return encodeColumns(version, {}, [
    { name: "paths", kind: "texts", values: paths },
    { name: "integers", kind: "integers", values: tables.integers },
    { name: "numbers", kind: "numbers", values: tables.numbers },
    { name: "digests", kind: "bytes", values: tables.digests },
    {
      name: "xattrs",
      kind: "texts",
      values: [...kept.map((row) => before.xattrs(row)), ...fresh.map(({ xattrs }) => xattrs)],
    },
  ]);
}

function writeRow({ entry, digest }: Fingerprint, { integers, numbers, digests }: Tables, at: number): void {
  integers.set([entry.mtimeNs, entry.ctimeNs, entry.ino, entry.dev], at * integersPerRow);
  numbers.set([entry.size, entry.mode, entry.uid, entry.gid], at * numbersPerRow);
  digests.set(digest, at * digestSize);
}

/** A time in the future says nothing about when the file was written; then only the change time counts. */
function isRacy(entry: ContextEntry, observedAtNs: bigint): boolean {
  const coarse = entry.mtimeNs % secondNs === 0n && entry.ctimeNs % secondNs === 0n;
  const tick = coarse ? coarseTickNs : clockTickNs;
  const recent = entry.mtimeNs + tick >= observedAtNs && entry.mtimeNs <= observedAtNs + secondNs;
  return entry.ctimeNs + tick >= observedAtNs || recent;
}

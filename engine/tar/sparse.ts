import { type ByteString, byteString } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import type { ByteSource } from "./byteSource.ts";
import { blockSize } from "./entry.ts";
import type { PaxRecords } from "./pax.ts";

/** A stretch of a sparse file that holds data; all else of it is zeros. */
export interface DataStretch {
  /** Where it stands in the file. */
  readonly offset: number;
  readonly size: number;
}

export interface SparseFile {
  /** The size of the file with its holes. */
  readonly size: number;
  /** In order, without overlap. The archive stores them one after the other. */
  readonly stretches: readonly DataStretch[];
  /** Bytes of the member's data that the map took. */
  readonly mapBytes: number;
  /** The file's own name, where the header's is made up. */
  readonly name: ByteString | undefined;
}

/** Stretches held in memory at most: a map of 64 MiB of text, thousands of times what real files need. */
const maximumStretches = 1_000_000;
const oldHeaderMap = { at: 386, entries: 4, extended: 482, size: 483 } as const;
const oldExtensionMap = { at: 0, entries: 21, extended: 504 } as const;

/**
 * Reads the map of a sparse file in the forms GNU tar writes: the old header type `S`, and pax 0.0, 0.1 and 1.0. Undefined for any other
 * file. `header` is the member's block; `storedSize` what it says of its data. Throws `TAR_INVALID`.
 * @see GNU tar manual, "Storing Sparse Files"
 */
export async function readSparse(
  bytes: ByteSource,
  header: Buffer,
  type: string,
  pax: PaxRecords,
  storedSize: number,
): Promise<SparseFile | undefined> {
  const at = bytes.offset - blockSize;
  const record = (key: string): ByteString | undefined => {
    const value = pax.get(`GNU.sparse.${key}` as ByteString);
    return value === undefined ? undefined : byteString(value);
  };
  if (type === "S") return checked(await readOldMap(bytes, header, at), storedSize, at);
  if (record("major") === "1") return checked(await readDataMap(bytes, record, storedSize, at), storedSize, at);
  if (record("map") === undefined && record("offset") === undefined) return undefined;
  const numbers =
    record("map") === undefined ? zip(record("offset"), record("numbytes"), at) : numbersOf(record("map"), ",", at);
  const size = numberOf(record("size") ?? record("realsize"), at);
  return checked({ size, stretches: stretchesOf(numbers, at), mapBytes: 0, name: record("name") }, storedSize, at);
}

async function readOldMap(bytes: ByteSource, header: Buffer, at: number): Promise<SparseFile> {
  const stretches: DataStretch[] = [];
  const size = gnuNumber(header, oldHeaderMap.size, at);
  collect(header, oldHeaderMap, stretches, at);
  for (let more = header[oldHeaderMap.extended] !== 0; more; ) {
    const block = Buffer.from(await bytes.read(blockSize));
    if (block.length < blockSize || stretches.length > maximumStretches) throw invalid(at);
    collect(block, oldExtensionMap, stretches, at);
    more = block[oldExtensionMap.extended] !== 0;
  }
  return { size, stretches, mapBytes: 0, name: undefined };
}

function collect(
  block: Buffer,
  map: { readonly at: number; readonly entries: number },
  into: DataStretch[],
  at: number,
): void {
  for (let index = 0; index < map.entries; index++) {
    const field = map.at + index * 24;
    if (block[field] === 0 || block[field + 12] === 0) return;
    into.push({ offset: gnuNumber(block, field, at), size: gnuNumber(block, field + 12, at) });
  }
}

/** pax 1.0: the map stands in front of the data, a decimal number to a line, filled up to a block. */
async function readDataMap(
  bytes: ByteSource,
  record: (key: string) => ByteString | undefined,
  storedSize: number,
  at: number,
): Promise<SparseFile> {
  let text = "";
  let mapBytes = 0;
  const wanted = (): number => {
    const end = text.indexOf("\n");
    return end < 0 ? Number.POSITIVE_INFINITY : 1 + 2 * numberOf(text.slice(0, end), at);
  };
  while (text.split("\n").length - 1 < wanted()) {
    const block = await bytes.read(blockSize);
    mapBytes += block.length;
    if (block.length < blockSize || mapBytes > storedSize || mapBytes > maximumStretches * 40) throw invalid(at);
    text += block.toString("latin1");
  }
  const lines = text
    .split("\n")
    .slice(1, wanted())
    .map((line) => numberOf(line, at));
  return { size: numberOf(record("realsize"), at), stretches: stretchesOf(lines, at), mapBytes, name: record("name") };
}

function checked(file: SparseFile, storedSize: number, at: number): SparseFile {
  let end = 0;
  let stored = 0;
  for (const { offset, size } of file.stretches) {
    if (offset < end) throw invalid(at);
    end = offset + size;
    stored += size;
  }
  if (end > file.size || stored + file.mapBytes !== storedSize) throw invalid(at);
  // A stretch of nothing only marks where the file ends.
  return { ...file, stretches: file.stretches.filter(({ size }) => size > 0) };
}

function stretchesOf(numbers: readonly number[], at: number): DataStretch[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * maximumStretches) throw invalid(at);
  return numbers.flatMap((offset, index) => (index % 2 === 0 ? [{ offset, size: numbers[index + 1] ?? 0 }] : []));
}

function zip(offsets: ByteString | undefined, sizes: ByteString | undefined, at: number): readonly number[] {
  const [left, right] = [numbersOf(offsets, ",", at), numbersOf(sizes, ",", at)];
  if (left.length !== right.length) throw invalid(at);
  return left.flatMap((offset, index) => [offset, right[index] ?? 0]);
}

function numbersOf(text: string | undefined, separator: string, at: number): readonly number[] {
  return text === undefined || text === "" ? [] : text.split(separator).map((part) => numberOf(part, at));
}

function numberOf(text: string | undefined, at: number): number {
  const number = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw invalid(at);
  return number;
}

/** Twelve bytes: octal, or base-256 when the top bit is set. */
function gnuNumber(block: Buffer, field: number, at: number): number {
  if ((block[field] ?? 0) >= 0x80) {
    let value = BigInt((block[field] ?? 0) & 0x3f);
    for (let index = 1; index < 12; index++) value = value * 256n + BigInt(block[field + index] ?? 0);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(at);
    return Number(value);
  }
  const text = block.toString("latin1", field, field + 12).replace(/[\0 ]/g, "");
  if (!/^[0-7]*$/.test(text)) throw invalid(at);
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function invalid(offset: number): EngineError {
  return new EngineError("TAR_INVALID", { offset, reason: "a sparse file whose map is damaged" });
}

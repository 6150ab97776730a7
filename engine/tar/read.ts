import { type ByteString, byteString } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { ByteSource } from "./byteSource.ts";
import { blockSize, type EntryKind, paddingAfter, type TarEntry } from "./entry.ts";
import { decodeHeader, type RawHeader } from "./header.ts";
import { decodePax, type PaxRecords } from "./pax.ts";
import { type DataStretch, readSparse, type SparseFile } from "./sparse.ts";

/** A member of an archive while it is being read. */
export interface TarMember {
  readonly entry: TarEntry;
  /** Where its first header block (a pax or long-name header, if it has one) and its content stand in the archive. */
  readonly headerOffset: number;
  readonly contentOffset: number;
  /**
   * Where the data of a sparse file belongs; undefined for every other member. The archive stores these stretches one after the other from
   * `contentOffset`; what lies between them is zeros.
   */
  readonly stretches: readonly DataStretch[] | undefined;
  /** The content, once, holes as zeros; what is not taken is passed over. Throws `TAR_INVALID` when the archive ends inside it. */
  content(): AsyncIterable<Uint8Array>;
  /** Instead of `content`: only what the archive stores. The same, but for sparse files. */
  storedContent(): AsyncIterable<Uint8Array>;
}

const kindOfType: Readonly<Record<string, EntryKind>> = {
  "0": "file",
  "7": "file",
  "1": "hardLink",
  "2": "symlink",
  "3": "characterDevice",
  "4": "blockDevice",
  "5": "directory",
  "6": "fifo",
};

/** Longest extended header accepted; real ones are below 64 KiB, and it is held in memory. */
const maximumExtendedHeader = 4 * 1024 * 1024;

interface Extensions {
  global: PaxRecords;
  local: PaxRecords;
  longName: ByteString | undefined;
  longLink: ByteString | undefined;
}

/**
 * Reads ustar, pax and GNU archives as a stream. A member's content must be taken before the next member is asked for.
 * Paths come as they stand: whether they are safe is the caller's to check.
 * Throws `TAR_INVALID` for anything that is not such an archive, one cut short included.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember, void, undefined> {
  await using bytes = new ByteSource(source);
  const extensions: Extensions = { global: new Map(), local: new Map(), longName: undefined, longLink: undefined };
  let headerOffset = 0;
  for (;;) {
    const at = bytes.offset;
    const block = await bytes.read(blockSize);
    // Some writers leave out the closing zeros; between members that is an end too.
    if (block.length === 0) return;
    if (block.length < blockSize) throw cutShort(at);
    const raw = decodeHeader(block, at);
    if (raw === undefined) return;
    if (await readExtension(bytes, raw, extensions, at)) continue;
    const member = await startMember(bytes, block, raw, extensions, headerOffset);
    yield member;
    await member.finish();
    extensions.local = new Map();
    extensions.longName = undefined;
    extensions.longLink = undefined;
    headerOffset = bytes.offset;
  }
}

function cutShort(offset: number): EngineError {
  return new EngineError("TAR_INVALID", { offset, reason: "an archive that ends before it is complete" });
}

/** Takes in a header that describes the next member (or all); false when this header is a member itself. */
async function readExtension(bytes: ByteSource, raw: RawHeader, into: Extensions, at: number): Promise<boolean> {
  if (!"xgLKV".includes(raw.type)) return false;
  if (raw.size > maximumExtendedHeader) {
    throw new EngineError("TAR_INVALID", { offset: at, reason: `an extended header of ${raw.size} bytes` });
  }
  const data = Buffer.from(await bytes.read(raw.size));
  if (data.length < raw.size || (await bytes.skip(paddingAfter(raw.size))) < paddingAfter(raw.size)) throw cutShort(at);
  const text = (): ByteString => byteString(data.indexOf(0) < 0 ? data : data.subarray(0, data.indexOf(0)));
  if (raw.type === "x") into.local = decodePax(data, at);
  if (raw.type === "g") into.global = new Map([...into.global, ...decodePax(data, at)]);
  if (raw.type === "L") into.longName = text();
  if (raw.type === "K") into.longLink = text();
  return true;
}

async function startMember(
  bytes: ByteSource,
  block: Buffer,
  raw: RawHeader,
  extensions: Extensions,
  headerOffset: number,
): Promise<TarMember & { finish(): Promise<void> }> {
  const folded = foldHeader(raw, extensions, bytes.offset - blockSize);
  const sparse = await readSparse(bytes, block, raw.type, extensions.local, folded.storedSize);
  const storedSize = folded.storedSize;
  let left = storedSize - (sparse?.mapBytes ?? 0);
  const storedContent = async function* (): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of bytes.chunks(left)) {
      left -= chunk.length;
      yield chunk;
    }
    if (left > 0) throw cutShort(bytes.offset);
  };
  return {
    entry: sparse === undefined ? folded.entry : sparseEntry(folded.entry, sparse),
    headerOffset,
    contentOffset: bytes.offset,
    stretches: sparse?.stretches,
    storedContent,
    content: () => (sparse === undefined ? storedContent() : withHoles(storedContent(), sparse)),
    async finish() {
      const rest = left + paddingAfter(storedSize);
      if ((await bytes.skip(rest)) < rest) throw cutShort(bytes.offset);
    },
  };
}

function sparseEntry(entry: TarEntry, { size, name }: SparseFile): TarEntry {
  return { ...entry, size, path: name === undefined ? entry.path : (name.replace(/\/+$/, "") as ByteString) };
}

const hole = new Uint8Array(64 * 1024);

/** The content of a sparse file as a reader of it would see it. */
async function* withHoles(
  stored: AsyncIterable<Uint8Array>,
  { stretches, size }: SparseFile,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  const ahead = [...stretches].reverse();
  const zeros = function* (until: number): Generator<Uint8Array, void, undefined> {
    for (; at < until; at += Math.min(hole.length, until - at))
      yield hole.subarray(0, Math.min(hole.length, until - at));
  };
  let within = 0;
  for await (const chunk of stored) {
    for (let taken = 0; taken < chunk.length; ) {
      const stretch = ahead.at(-1);
      if (stretch === undefined) break;
      if (within === 0) yield* zeros(stretch.offset);
      const piece = chunk.subarray(taken, taken + stretch.size - within);
      yield piece;
      taken += piece.length;
      within += piece.length;
      at += piece.length;
      if (within < stretch.size) continue;
      ahead.pop();
      within = 0;
    }
  }
  yield* zeros(size);
}

function foldHeader(raw: RawHeader, extensions: Extensions, at: number): { entry: TarEntry; storedSize: number } {
  const record = (key: string): Uint8Array | undefined =>
    extensions.local.get(key as ByteString) ?? extensions.global.get(key as ByteString);
  const text = (key: string): ByteString | undefined => {
    const value = record(key);
    return value === undefined ? undefined : byteString(value);
  };
  const path = text("path") ?? extensions.longName ?? raw.name;
  // Old writers marked a directory by a trailing slash alone.
  const kind = raw.type === "0" && path.endsWith("/") ? "directory" : (kindOfType[raw.type] ?? "file");
  const time = readTime(text("mtime"), raw.mtimeSeconds, at);
  const storedSize = readInteger(text("size"), raw.size, at);
  return {
    storedSize: kind === "file" ? storedSize : sizeOfOther(raw, storedSize),
    entry: {
      kind,
      path: path.replace(/\/+$/, "") as ByteString,
      mode: raw.mode,
      uid: readInteger(text("uid"), raw.uid, at),
      gid: readInteger(text("gid"), raw.gid, at),
      size: kind === "file" ? storedSize : 0,
      ...time,
      linkTarget:
        kind === "symlink" || kind === "hardLink"
          ? (text("linkpath") ?? extensions.longLink ?? raw.linkName)
          : ("" as ByteString),
      deviceMajor: kind === "characterDevice" || kind === "blockDevice" ? raw.deviceMajor : 0,
      deviceMinor: kind === "characterDevice" || kind === "blockDevice" ? raw.deviceMinor : 0,
      xattrs: xattrsOf(extensions.local),
    },
  };
}

/** pax lets a hard link carry content again; links, devices and directories of other writers state a size and have none. */
function sizeOfOther(raw: RawHeader, size: number): number {
  return "123456".includes(raw.type) ? 0 : size;
}

function readInteger(value: ByteString | undefined, otherwise: number, at: number): number {
  if (value === undefined) return otherwise;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new EngineError("TAR_INVALID", { offset: at, reason: "a pax number that cannot be read" });
}

function readTime(
  value: ByteString | undefined,
  seconds: number,
  at: number,
): { mtimeSeconds: number; mtimeNanoseconds: number } {
  if (value === undefined) return { mtimeSeconds: seconds, mtimeNanoseconds: 0 };
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value);
  if (match === null) throw new EngineError("TAR_INVALID", { offset: at, reason: "a pax time that cannot be read" });
  const whole = Number(match[2]);
  const nanoseconds = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (match[1] !== "-") return { mtimeSeconds: whole, mtimeNanoseconds: nanoseconds };
  if (nanoseconds === 0) return { mtimeSeconds: whole === 0 ? 0 : -whole, mtimeNanoseconds: 0 };
  return { mtimeSeconds: -whole - 1, mtimeNanoseconds: 1_000_000_000 - nanoseconds };
}

function xattrsOf(records: PaxRecords): ReadonlyMap<ByteString, Uint8Array> {
  const xattrs = new Map<ByteString, Uint8Array>();
  for (const [key, value] of records) {
    if (key.startsWith("SCHILY.xattr.")) xattrs.set(key.slice("SCHILY.xattr.".length) as ByteString, value);
  }
  return xattrs;
}

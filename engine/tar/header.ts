import { type ByteString, byteString } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { blockSize, type EntryKind, paddingAfter, type TarEntry } from "./entry.ts";
import { encodePax } from "./pax.ts";

/*
 * Fields of a ustar block: offset and length.
 * POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
 */
const nameField = { at: 0, length: 100 } as const;
const modeField = { at: 100, length: 8 } as const;
const uidField = { at: 108, length: 8 } as const;
const gidField = { at: 116, length: 8 } as const;
const sizeField = { at: 124, length: 12 } as const;
const mtimeField = { at: 136, length: 12 } as const;
const checksumField = { at: 148, length: 8 } as const;
const typeAt = 156;
const linkField = { at: 157, length: 100 } as const;
const magicAt = 257;
const majorField = { at: 329, length: 8 } as const;
const minorField = { at: 337, length: 8 } as const;
const prefixField = { at: 345, length: 155 } as const;

interface Field {
  readonly at: number;
  readonly length: number;
}

const typeOfKind = {
  file: "0",
  hardLink: "1",
  symlink: "2",
  characterDevice: "3",
  blockDevice: "4",
  directory: "5",
  fifo: "6",
} as const satisfies Record<EntryKind, string>;

const maximumOctal7 = 0o7777777;
const maximumOctal11 = 0o77777777777;
const empty = new Uint8Array(0);

/**
 * The header blocks of an entry: one ustar block, with a pax extended header before it for what ustar cannot say
 * (long names, big numbers, times before 1970 or finer than a second, extended attributes). Names are written as the bytes they are.
 */
export function encodeHeader(entry: TarEntry): Buffer {
  const path = entry.kind === "directory" ? (`${entry.path}/` as ByteString) : entry.path;
  const split = splitName(path);
  const pax = paxOf(entry, path, split !== undefined);
  const header = encodeBlock(
    typeOfKind[entry.kind],
    split ?? { prefix: "", name: path.slice(0, nameField.length) },
    entry,
  );
  if (pax.size === 0) return header;
  const records = encodePax(pax);
  const base = path.replace(/\/$/, "").slice(path.replace(/\/$/, "").lastIndexOf("/") + 1);
  const paxEntry = {
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: records.length,
    mtimeSeconds: 0,
    linkTarget: "",
    deviceMajor: 0,
    deviceMinor: 0,
  };
  const paxHeader = encodeBlock("x", { prefix: "", name: `PaxHeaders.0/${base}`.slice(0, nameField.length) }, paxEntry);
  return Buffer.concat([paxHeader, records, Buffer.alloc(paddingAfter(records.length)), header]);
}

/** Two blocks of zero: the end of an archive. */
export function endOfArchive(): Buffer {
  return Buffer.alloc(2 * blockSize);
}

function paxOf(entry: TarEntry, path: ByteString, nameFits: boolean): Map<ByteString, Uint8Array> {
  const records = new Map<ByteString, Uint8Array>();
  const put = (key: string, value: string): void => {
    records.set(key as ByteString, Buffer.from(value, "latin1"));
  };
  if (!nameFits) put("path", path);
  if (entry.linkTarget.length > linkField.length) put("linkpath", entry.linkTarget);
  if (entry.size > maximumOctal11) put("size", String(entry.size));
  if (entry.uid > maximumOctal7) put("uid", String(entry.uid));
  if (entry.gid > maximumOctal7) put("gid", String(entry.gid));
  const timeFits = entry.mtimeNanoseconds === 0 && entry.mtimeSeconds >= 0 && entry.mtimeSeconds <= maximumOctal11;
  if (!timeFits) put("mtime", paxTime(entry.mtimeSeconds, entry.mtimeNanoseconds));
  for (const name of [...entry.xattrs.keys()].sort()) {
    records.set(`SCHILY.xattr.${name}` as ByteString, entry.xattrs.get(name) ?? empty);
  }
  return records;
}

/** Seconds and nanoseconds as a decimal; before 1970 the fraction counts away from zero. */
function paxTime(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds);
  const [whole, fraction] = seconds < 0 ? [seconds + 1, 1_000_000_000 - nanoseconds] : [seconds, nanoseconds];
  const sign = seconds < 0 && whole === 0 ? "-" : "";
  return `${sign}${whole}.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`;
}

/** Name and prefix of a ustar block, or undefined when the path fits neither way. */
function splitName(path: string): { readonly prefix: string; readonly name: string } | undefined {
  if (path.length <= nameField.length) return { prefix: "", name: path };
  if (path.length > nameField.length + prefixField.length + 1) return undefined;
  // The slash between the two is not stored; a directory's own last slash is not such a place.
  const slash = path.indexOf("/", path.length - nameField.length - 1);
  if (slash <= 0 || slash > prefixField.length || slash === path.length - 1) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

function encodeBlock(
  type: string,
  name: { readonly prefix: string; readonly name: string },
  entry: Pick<TarEntry, "mode" | "uid" | "gid" | "size" | "mtimeSeconds" | "deviceMajor" | "deviceMinor"> & {
    readonly linkTarget: string;
  },
): Buffer {
  const block = Buffer.alloc(blockSize);
  writeText(block, nameField, name.name);
  writeOctal(block, modeField, entry.mode, maximumOctal7);
  writeOctal(block, uidField, entry.uid, maximumOctal7);
  writeOctal(block, gidField, entry.gid, maximumOctal7);
  writeOctal(block, sizeField, entry.size, maximumOctal11);
  writeOctal(block, mtimeField, entry.mtimeSeconds, maximumOctal11);
  writeText(block, checksumField, "        ");
  writeText(block, { at: typeAt, length: 1 }, type);
  writeText(block, linkField, entry.linkTarget);
  writeText(block, { at: magicAt, length: 8 }, "ustar\x0000");
  writeOctal(block, majorField, entry.deviceMajor, maximumOctal7);
  writeOctal(block, minorField, entry.deviceMinor, maximumOctal7);
  if (name.prefix !== "") writeText(block, prefixField, name.prefix);
  writeText(block, checksumField, `${checksum(block).toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** Octal with a closing NUL; a number that does not fit is 0 here and right in the pax header. */
function writeOctal(block: Buffer, field: Field, value: number, maximum: number): void {
  const shown = value < 0 || value > maximum ? 0 : value;
  writeText(block, field, shown.toString(8).padStart(field.length - 1, "0"));
}

function writeText(block: Buffer, field: Field, text: string): void {
  block.write(text, field.at, field.length, "latin1");
}

function checksum(block: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < blockSize; index++) sum += block[index] ?? 0;
  return sum;
}

/** What one 512-byte block says, before pax records and GNU long names are folded in. */
export interface RawHeader {
  /** The type byte as a character: `0` file, `5` directory, `x` pax, `L` GNU long name … */
  readonly type: string;
  readonly name: ByteString;
  readonly linkName: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/**
 * Reads one block. Returns undefined for a block of zeros (the end of an archive).
 * Throws `TAR_INVALID` when the checksum or a number is wrong; `offset` is the block's place, for the message.
 */
export function decodeHeader(block: Buffer, offset: number): RawHeader | undefined {
  const sum = checksum(block);
  if (sum === 0) return undefined;
  checkChecksum(block, sum, offset);
  const type = String.fromCharCode(block[typeAt] ?? 0);
  const isUstar = block.toString("latin1", magicAt, magicAt + 6) === "ustar\0";
  const prefix = isUstar ? readText(block, prefixField) : "";
  const name = readText(block, nameField);
  return {
    type: type === "\0" ? "0" : type,
    name: (prefix === "" ? name : `${prefix}/${name}`) as ByteString,
    linkName: readText(block, linkField) as ByteString,
    mode: readNumber(block, modeField, offset) & 0o7777,
    uid: readNumber(block, uidField, offset),
    gid: readNumber(block, gidField, offset),
    size: readSize(block, offset),
    mtimeSeconds: readNumber(block, mtimeField, offset),
    deviceMajor: readNumber(block, majorField, offset),
    deviceMinor: readNumber(block, minorField, offset),
  };
}

function checkChecksum(block: Buffer, sum: number, offset: number): void {
  const stated = readNumber(block, checksumField, offset);
  let ownField = 0;
  let signed = 0;
  for (let index = 0; index < blockSize; index++) {
    const byte = block[index] ?? 0;
    if (index >= checksumField.at && index < checksumField.at + checksumField.length) ownField += byte;
    else signed += byte > 127 ? byte - 256 : byte;
  }
  const spaces = 8 * 0x20;
  // Some old writers summed signed bytes.
  if (stated === sum - ownField + spaces || stated === signed + spaces) return;
  throw new EngineError("TAR_INVALID", { offset, reason: "a header whose checksum is wrong" });
}

function readText(block: Buffer, field: Field): string {
  const bytes = block.subarray(field.at, field.at + field.length);
  const end = bytes.indexOf(0);
  return byteString(end < 0 ? bytes : bytes.subarray(0, end));
}

function readSize(block: Buffer, offset: number): number {
  const size = readNumber(block, sizeField, offset);
  if (size < 0) throw new EngineError("TAR_INVALID", { offset, reason: "a negative size" });
  return size;
}

/** Octal text, or GNU's base-256: a first byte with its top bit set starts a big-endian two's complement number. */
function readNumber(block: Buffer, field: Field, offset: number): number {
  const first = block[field.at] ?? 0;
  const value = first >= 0x80 ? readBase256(block, field) : readOctal(block, field);
  if (Number.isSafeInteger(value)) return value;
  throw new EngineError("TAR_INVALID", { offset, reason: "a number that cannot be read" });
}

function readOctal(block: Buffer, field: Field): number {
  const text = block
    .toString("latin1", field.at, field.at + field.length)
    .replace(/\0.*$/s, "")
    .trim();
  if (text === "") return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

function readBase256(block: Buffer, field: Field): number {
  const first = block[field.at] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = BigInt(negative ? first | ~0x7f : first & 0x3f);
  for (let index = 1; index < field.length; index++) value = value * 256n + BigInt(block[field.at + index] ?? 0);
  return Number(value);
}

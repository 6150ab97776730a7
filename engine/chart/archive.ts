/** Packaged charts: `.tgz` bytes to files, with Helm's limits and refusals. */
import { gunzipSync } from "node:zlib";
import { cleanPath } from "./functions/paths.ts";
import { textOf } from "./go/bytes.ts";

/** Path inside the chart, with `/` → bytes. */
export type ChartFiles = ReadonlyMap<string, Uint8Array>;

/** An archive that holds no chart, or one that reaches outside itself. */
export class ArchiveError extends Error {}

/** Helm's own limits. */
export const largestChartBytes: number = 100 * 1024 * 1024;
export const largestFileBytes: number = 5 * 1024 * 1024;

const block = 512;

/** Unpacks a gzipped tar whose entries stand below one folder. @throws ArchiveError */
export function unpackChart(bytes: Uint8Array): ChartFiles {
  const files = new Map<string, Uint8Array>();
  for (const { name, data } of entries(inflate(bytes))) {
    const path = pathInChart(name);
    if (data.length > largestFileBytes) {
      throw new ArchiveError(
        `decompressed chart file ${JSON.stringify(name)} is larger than the maximum file size ${largestFileBytes}`,
      );
    }
    files.set(path, withoutBom(data));
  }
  if (files.size === 0) throw new ArchiveError("no files in chart archive");
  return files;
}

/** Where an entry stands inside the chart. @throws ArchiveError when it stands outside */
function pathInChart(name: string): string {
  const separator = name.includes("\\") ? "\\" : "/";
  const [top, ...rest] = name.split(separator);
  if (top === "Chart.yaml") throw new ArchiveError("chart yaml not in base directory");
  const inner = rest.join("/");
  if (inner.startsWith("/")) throw new ArchiveError("chart illegally contains absolute paths");
  const path = cleanPath(inner);
  if (path === ".") {
    throw new ArchiveError(`chart illegally contains content outside the base directory: ${JSON.stringify(name)}`);
  }
  if (path.startsWith("..")) throw new ArchiveError("chart illegally references parent directory");
  if (/^[a-zA-Z]:\//.test(path)) throw new ArchiveError("chart contains illegally named files");
  return path;
}

/** Bytes without a leading UTF-8 byte order mark. */
export function withoutBom(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function inflate(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: largestChartBytes + 1024 * block });
  } catch (error) {
    const isTooLarge = error instanceof RangeError;
    throw new ArchiveError(
      isTooLarge ? `decompressed chart is larger than the maximum size ${largestChartBytes}` : "gzip: invalid header",
    );
  }
}

/** Type flags of entries that are files; links and folders hold nothing a chart has. */
const fileTypes: ReadonlySet<string> = new Set(["0", "\0", "7"]);

function* entries(tar: Uint8Array): Generator<{ readonly name: string; readonly data: Uint8Array }> {
  let longName: string | undefined;
  for (const { header, data } of records(tar)) {
    const type = String.fromCharCode(header[156] ?? 0);
    if (fileTypes.has(type)) yield { name: longName ?? nameOf(header), data };
    longName = nameOfNext(type, data, longName);
  }
}

/** The name an extended header gives to the entry after it; what stands in between forgets it, but for a global header. */
function nameOfNext(type: string, data: Uint8Array, known: string | undefined): string | undefined {
  if (type === "x") return paxPath(data) ?? known;
  if (type === "L") return fieldText(data, 0, data.length);
  return type === "g" ? known : undefined;
}

/** Each header of a tar with the bytes that follow it. */
function* records(tar: Uint8Array): Generator<{ readonly header: Uint8Array; readonly data: Uint8Array }> {
  for (let at = 0; at + block <= tar.length; ) {
    const header = tar.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) return;
    const size = sizeOf(header);
    const data = tar.subarray(at + block, at + block + size);
    if (data.length < size) throw new ArchiveError("unexpected EOF");
    at += block + Math.ceil(size / block) * block;
    yield { header, data };
  }
}

function fieldText(bytes: Uint8Array, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return textOf(end < 0 ? field : field.subarray(0, end));
}

function nameOf(header: Uint8Array): string {
  const name = fieldText(header, 0, 100);
  const prefix = fieldText(header, 257, 5) === "ustar" ? fieldText(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function sizeOf(header: Uint8Array): number {
  const field = header.subarray(124, 136);
  if (((field[0] ?? 0) & 0x80) !== 0) return field.subarray(4).reduce((size, byte) => size * 256 + byte, 0);
  const size = Number.parseInt(fieldText(field, 0, 12).trim() || "0", 8);
  if (!Number.isSafeInteger(size) || size < 0) throw new ArchiveError("archive/tar: invalid tar header");
  return size;
}

/** The `path` record of a pax header. */
function paxPath(data: Uint8Array): string | undefined {
  const text = textOf(data);
  let path: string | undefined;
  for (let at = 0; at < text.length; ) {
    const length = Number.parseInt(text.slice(at), 10);
    if (!(length > 0)) break;
    const record = text.slice(at, at + length);
    const found = /^\d+ path=([^\n]*)\n$/.exec(record);
    if (found !== null) path = found[1];
    at += length;
  }
  return path;
}

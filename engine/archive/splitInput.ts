import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { compareBytewise } from "../oci/canonicalJson.ts";
import { Digester, digestAlgorithm } from "../oci/digest.ts";
import { isPartListName, type Part, parsePartList, partListOf } from "./partList.ts";

/** The parts of an archive, read as one; each is checked as it is read. */
export interface PartedArchive {
  readonly totalBytes: number;
  /** The archive's bytes. Throws `ARCHIVE_PART_DAMAGED` after a part that is not what the list says. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Checks what `read` has not got to the end of, from the first such part on: throws `ARCHIVE_PART_DAMAGED`. */
  checkRest(signal: AbortSignal): Promise<void>;
}

/**
 * Opens an archive in parts by its list, its first part, or the folder they lie in; undefined when `input` is none of these.
 * Throws `ARCHIVE_PART_MISSING` with every part that is not there or not of its size, `ARCHIVE_UNREADABLE`, `DOCUMENT_INVALID`.
 */
export function openParts(input: string): PartedArchive | undefined {
  const list = findList(input);
  if (list === undefined) return undefined;
  const folder = path.dirname(list);
  const parts = parsePartList(readFileSync(list), list);
  const missing = parts.filter(({ file }) => !statSync(path.join(folder, file), { throwIfNoEntry: false })?.isFile());
  if (missing.length > 0) {
    throw new EngineError("ARCHIVE_PART_MISSING", { list, missing: missing.map(({ file }) => file) });
  }
  for (const part of parts) {
    const { size } = statSync(path.join(folder, part.file));
    if (size !== part.sizeBytes) throw damaged(part, `it has ${size} bytes instead of ${part.sizeBytes}`);
  }
  let checked = 0;
  const readFrom = async function* (first: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for (const [i, part] of parts.entries()) {
      if (i < first) continue;
      yield* readPart(folder, part, signal);
      checked = i + 1;
    }
  };
  return {
    totalBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
    read: (signal) => readFrom(0, signal),
    async checkRest(signal) {
      for await (const _ of readFrom(checked, signal));
    },
  };
}

async function* readPart(folder: string, part: Part, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const digester = new Digester(digestAlgorithm(part.digest));
  for await (const chunk of createReadStream(path.join(folder, part.file), { highWaterMark: 1 << 20 })) {
    if (signal.aborted) throw new EngineError("CANCELLED", { what: "loading an archive" }, { cause: signal.reason });
    const bytes = chunk as Buffer;
    digester.update(bytes);
    yield bytes;
  }
  if (digester.finish() !== part.digest) throw damaged(part, "its content is not what the list says");
}

function damaged({ file }: Part, problem: string): EngineError {
  return new EngineError("ARCHIVE_PART_DAMAGED", { part: file, problem });
}

/** The list that `input` is, or lies beside, or holds. */
function findList(input: string): string | undefined {
  const stat = statSync(input, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return listIn(input);
  if (isPartListName(input)) return stat === undefined ? undefined : input;
  const list = partListOf(input);
  if (list === undefined) return undefined;
  if (statSync(list, { throwIfNoEntry: false }) !== undefined) return list;
  if (stat === undefined) return undefined;
  // A file that merely ends in three digits is read as any other.
  return undefined;
}

function listIn(folder: string): string | undefined {
  const [list, other] = readdirSync(folder).filter(isPartListName).sort(compareBytewise);
  if (list === undefined) return undefined;
  if (other === undefined) return path.join(folder, list);
  const problem = `it holds the parts of several archives (${list}, ${other}): name one of these lists`;
  throw new EngineError("ARCHIVE_UNREADABLE", { file: folder, problem });
}

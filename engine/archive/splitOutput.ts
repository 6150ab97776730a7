import { readFileSync } from "node:fs";
import { rename, rm, writeFile as writeSmallFile } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { Digester } from "../oci/digest.ts";
import { ByteSource } from "../tar/byteSource.ts";
import type { Written } from "./output.ts";
import { writeFile } from "./output.ts";
import { encodePartList, mostParts, type Part, parsePartList, partListPath, partPath } from "./partList.ts";

/**
 * Writes an archive as parts of `splitBytes` each, the last one smaller, and the list of them last. Parts of an earlier archive of that
 * name that are no longer needed are removed. Throws `ARCHIVE_TARGET_UNUSABLE` when there would be too many.
 */
export async function writeParts(
  target: string,
  born: string,
  splitBytes: number,
  archive: AsyncIterable<Uint8Array>,
): Promise<Written> {
  const list = partListPath(target);
  const parts: Part[] = [];
  const bornPart = (number: number): string => partPath(born, number);
  try {
    await using bytes = new ByteSource(archive);
    for (let number = 1; ; number++) {
      const digester = new Digester();
      const sizeBytes = await writeFile(bornPart(number), hashed(bytes.chunks(splitBytes), digester));
      if (sizeBytes === 0) break;
      if (number > mostParts) throw tooMany(target, splitBytes);
      parts.push({ file: path.basename(partPath(target, number)), sizeBytes, digest: digester.finish() });
      if (sizeBytes < splitBytes) break;
    }
    const before = formerParts(list);
    // Without its list no set of parts is taken for whole, so the old list goes first and the new one comes last.
    await rm(list, { force: true });
    for (const [i] of parts.entries()) await rename(bornPart(i + 1), partPath(target, i + 1));
    await writeSmallFile(`${born}.list`, encodePartList(parts), { flag: "wx", flush: true });
    await rename(`${born}.list`, list);
    const kept = new Set(parts.map((part) => part.file));
    const folder = path.dirname(target);
    for (const file of before) if (!kept.has(file)) await rm(path.join(folder, file), { force: true });
    return {
      sizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
      paths: [list, ...parts.map((part) => path.join(folder, part.file))],
    };
  } finally {
    for (let number = 1; number <= parts.length + 1; number++) await rm(bornPart(number), { force: true });
    await rm(`${born}.list`, { force: true });
  }
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, digester: Digester): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    digester.update(chunk);
    yield chunk;
  }
}

/** The parts that the list there now has; none when there is no list that can be read. */
function formerParts(list: string): readonly string[] {
  try {
    return parsePartList(readFileSync(list), list).map((part) => part.file);
  } catch {
    return [];
  }
}

function tooMany(target: string, splitBytes: number): EngineError {
  const problem = `parts of ${splitBytes} bytes would be more than ${mostParts}; choose larger ones with --split`;
  return new EngineError("ARCHIVE_TARGET_UNUSABLE", { path: target, problem });
}

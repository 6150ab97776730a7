/** Where an archive goes: a file, a folder, or a file cut into parts. All or nothing, whichever it is. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { bytesOfText } from "../byteString.ts";
import { EngineError, isEngineError } from "../errors.ts";
import { tarEntry } from "../tar/entry.ts";
import { packTar, type TarItem } from "../tar/write.ts";
import type { ArchiveFile } from "./archiveFile.ts";
import { writeParts } from "./splitOutput.ts";

/** Compresses a whole archive. The same bytes in give the same bytes out. */
export type Pack = (archive: AsyncIterable<Uint8Array>, signal: AbortSignal) => AsyncIterable<Uint8Array>;

export interface Output {
  /** A file, or a folder that is not there or empty. An existing file is replaced when all is written. */
  readonly path: string;
  readonly asFolder: boolean;
  /** Compresses the archive; not for a folder. */
  readonly pack?: Pack;
  /** Cuts the archive into parts of so many bytes; not for a folder. */
  readonly splitBytes?: number;
}

export interface Written {
  /** Bytes on the disk. */
  readonly sizeBytes: number;
  /** What was written: the file or folder, or the manifest of the parts and then the parts. */
  readonly paths: readonly string[];
}

/**
 * Writes files as they come. Everything lands under another name first and takes its own when it is complete and on the disk.
 * Throws `ARCHIVE_TARGET_UNUSABLE` and what the files throw.
 */
export async function writeOut(output: Output, files: readonly ArchiveFile[], signal: AbortSignal): Promise<Written> {
  const target = path.resolve(output.path);
  const born = `${target}.partial-${randomBytes(4).toString("hex")}`;
  try {
    if (output.asFolder) {
      await refuseUsedFolder(target);
      const sizeBytes = await writeFolder(born, files, signal);
      await rename(born, target);
      return { sizeBytes, paths: [target] };
    }
    const tar = packTar(tarItems(files, signal));
    const archive = output.pack === undefined ? tar : output.pack(tar, signal);
    if (output.splitBytes !== undefined) return await writeParts(target, born, output.splitBytes, archive);
    const sizeBytes = await writeFile(born, archive);
    await rename(born, target);
    return { sizeBytes, paths: [target] };
  } catch (error) {
    await rm(born, { recursive: true, force: true });
    throw isEngineError(error) ? error : outputError(output.path, error);
  }
}

async function refuseUsedFolder(output: string): Promise<void> {
  if (!existsSync(output)) return;
  const problem = !(await stat(output)).isDirectory()
    ? "it is a file"
    : readdirSync(output).length > 0
      ? "the folder is not empty"
      : undefined;
  if (problem !== undefined) throw new EngineError("ARCHIVE_TARGET_UNUSABLE", { path: output, problem });
}

async function writeFolder(born: string, files: readonly ArchiveFile[], signal: AbortSignal): Promise<number> {
  let done = 0;
  for (const file of files) {
    const place = path.join(born, file.path);
    await mkdir(path.dirname(place), { recursive: true });
    done += await writeFile(place, file.open(signal));
  }
  return done;
}

/** Folders before what is in them, in the order the files come. */
function* tarItems(files: readonly ArchiveFile[], signal: AbortSignal): Generator<TarItem> {
  const made = new Set<string>();
  for (const file of files) {
    const folders = file.path.split("/").slice(0, -1);
    for (let depth = 1; depth <= folders.length; depth++) {
      const folder = folders.slice(0, depth).join("/");
      if (!made.has(folder)) yield { entry: tarEntry("directory", bytesOfText(folder)) };
      made.add(folder);
    }
    yield { entry: tarEntry("file", bytesOfText(file.path), { size: file.sizeBytes }), content: file.open(signal) };
  }
}

/**
 * Writes a new file and flushes it; its size. Small pieces go to the system together: headers and padding would otherwise be a call each.
 */
export async function writeFile(file: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  const handle = await open(file, "wx");
  try {
    let done = 0;
    let gathered: Uint8Array[] = [];
    for await (const chunk of content) {
      done += chunk.byteLength;
      gathered.push(chunk);
      if (chunk.byteLength < 65_536 && gathered.length < 64) continue;
      await writeAll(handle, gathered);
      gathered = [];
    }
    await writeAll(handle, gathered);
    await handle.sync();
    return done;
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  for (let left = chunks; left.length > 0; ) {
    const { bytesWritten } = await handle.writev(left);
    left = after(left, bytesWritten);
  }
}

/** The chunks without their first bytes. */
function after(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes;
  const rest = chunks.findIndex((chunk) => {
    if (skip < chunk.byteLength) return true;
    skip -= chunk.byteLength;
    return false;
  });
  if (rest === -1) return [];
  return chunks.slice(rest).map((chunk, i) => (i === 0 ? chunk.subarray(skip) : chunk));
}

function outputError(output: string, cause: unknown): EngineError<"ARCHIVE_TARGET_UNUSABLE"> {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const known: Readonly<Record<string, string>> = {
    ENOSPC: "no space is left there",
    EDQUOT: "the quota is used up",
    EACCES: "it may not be written",
    EPERM: "it may not be written",
    EROFS: "the file system is read-only",
    ENOENT: "the folder it would lie in does not exist",
    ENOTDIR: "a part of the path is a file",
    EISDIR: "it is a folder",
    ENOTEMPTY: "the folder is not empty",
  };
  const problem =
    (typeof code === "string" ? known[code] : undefined) ?? (cause instanceof Error ? cause.message : String(cause));
  return new EngineError("ARCHIVE_TARGET_UNUSABLE", { path: output, problem }, { cause });
}

import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { bytesOfText } from "../byteString.ts";
import { EngineError, isEngineError } from "../errors.ts";
import { annotationKeys } from "../oci/clusterImage.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import type { Lease, Store } from "../store/contract.ts";
import { tarEntry } from "../tar/entry.ts";
import { packTar, type TarItem } from "../tar/write.ts";
import type { ArchiveFile } from "./archiveFile.ts";
import { dockerArchiveFiles } from "./dockerArchive.ts";
import { collectParts, type ImageParts, type NamedTarget, narrow } from "./imageParts.ts";
import { ociLayoutFiles } from "./ociLayout.ts";
import { type LayerCompressor, recompress } from "./recompress.ts";

/** `oci-archive`: an image layout as tar, `oci-dir`: as a folder, `docker-archive`: what `docker load` reads. */
export type SaveFormat = "oci-archive" | "oci-dir" | "docker-archive";

export interface SaveRequest {
  /** References of images in the store, as people write them. */
  readonly references: readonly string[];
  readonly format: SaveFormat;
  /** Of an index only the manifest for this platform; absent: all that are in the store. */
  readonly platform?: Platform;
  /** Compresses uncompressed layers on their way out; absent: layers go as they are, which keeps every digest. */
  readonly compressor?: LayerCompressor;
  /** A file, or for `oci-dir` a folder that is not there or empty. An existing file is replaced when all is written. */
  readonly output: string;
}

export interface Saved {
  readonly images: readonly NamedTarget[];
  /** Bytes written. */
  readonly sizeBytes: number;
  /** What the format or the store could not give, a sentence each. */
  readonly warnings: readonly string[];
}

export interface SaveProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/**
 * Writes images of the store to a file or a folder, all or nothing. The same images give the same bytes: no clock, no owner of this
 * machine. Throws `IMAGE_NOT_FOUND`, `IMAGE_PLATFORM_MISSING`, `ARCHIVE_ONE_PLATFORM`, `ARCHIVE_TARGET_UNUSABLE`, and what
 * reading the store throws.
 */
export async function saveImages(
  store: Store,
  request: SaveRequest,
  onProgress: (progress: SaveProgress) => void,
  signal: AbortSignal,
): Promise<Saved> {
  await using lease = store.lease(`save ${request.references.join(" ")}`);
  const images: NamedTarget[] = [];
  for (const reference of request.references) images.push(await findImage(store, lease, reference, request, signal));
  const parts: ImageParts[] = [];
  for (const image of images) parts.push(await collectParts(store, image.target, signal));
  const files = await filesOf(store, request.format, images, parts, signal);
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const sizeBytes = await writeOut(request, files, (doneBytes) => onProgress({ doneBytes, totalBytes }), signal);
  return { images, sizeBytes, warnings: warningsOf(request.format, images, parts) };
}

/** Finds an image, pins it, picks the platform and compresses layers, as asked. */
async function findImage(
  store: Store,
  lease: Lease,
  text: string,
  request: SaveRequest,
  signal: AbortSignal,
): Promise<NamedTarget> {
  const name = formatReference(withDefaultTag(parseReference(text)));
  const target = await store.resolve(name, signal);
  const pinned = target === undefined ? undefined : await lease.pin(target.digest, signal);
  if (target === undefined || pinned === undefined) {
    throw new EngineError("IMAGE_NOT_FOUND", { reference: name, where: `the store ${store.dir}` });
  }
  const named = { name, target };
  const narrowed = request.platform === undefined ? named : await narrow(store, named, request.platform, signal);
  if (request.compressor === undefined) return narrowed;
  return { name, target: await recompress(store, lease, narrowed.target, request.compressor, signal) };
}

async function filesOf(
  store: Store,
  format: SaveFormat,
  images: readonly NamedTarget[],
  parts: readonly ImageParts[],
  signal: AbortSignal,
): Promise<readonly ArchiveFile[]> {
  if (format !== "docker-archive") return ociLayoutFiles(store, images, parts);
  const singles = images.map((named, i) => {
    const [single, ...more] = parts[i]?.images ?? [];
    if (single === undefined || more.length > 0) {
      throw new EngineError("ARCHIVE_ONE_PLATFORM", {
        reference: named.name,
        platforms: `${1 + more.length} platforms`,
      });
    }
    return { named, single };
  });
  return dockerArchiveFiles(store, singles, signal);
}

function warningsOf(
  format: SaveFormat,
  images: readonly NamedTarget[],
  parts: readonly ImageParts[],
): readonly string[] {
  return images.flatMap(({ name }, i) => {
    const absent = parts[i]?.absent ?? [];
    const isCluster = parts[i]?.images.some(
      (image) => image.manifest.annotations?.[annotationKeys.imageExtension] !== undefined,
    );
    const left = absent.map((one) => (one.platform === undefined ? one.digest : formatPlatform(one.platform)));
    return [
      ...(left.length === 0
        ? []
        : [`${name}: ${left.join(", ")} of its index are not in the store and not in the archive.`]),
      ...(format === "docker-archive" && isCluster === true
        ? [
            `${name}: docker-archive has no place for what makes it a cluster image. "kubefile load" restores it from a label; ` +
              "other tools see a plain image. Save as oci-archive to keep it for all.",
          ]
        : []),
    ];
  });
}

/** Everything lands under another name first and takes its own when it is complete and on the disk. */
async function writeOut(
  request: SaveRequest,
  files: readonly ArchiveFile[],
  onBytes: (doneBytes: number) => void,
  signal: AbortSignal,
): Promise<number> {
  const output = path.resolve(request.output);
  const born = `${output}.partial-${randomBytes(4).toString("hex")}`;
  const asFolder = request.format === "oci-dir";
  if (asFolder) await refuseUsedFolder(output);
  try {
    const size = asFolder
      ? await writeFolder(born, files, onBytes, signal)
      : await writeTar(born, files, onBytes, signal);
    await rename(born, output);
    return size;
  } catch (error) {
    await rm(born, { recursive: true, force: true });
    throw isEngineError(error) ? error : outputError(request.output, error);
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

async function writeFolder(
  born: string,
  files: readonly ArchiveFile[],
  onBytes: (doneBytes: number) => void,
  signal: AbortSignal,
): Promise<number> {
  let done = 0;
  for (const file of files) {
    const place = path.join(born, file.path);
    await mkdir(path.dirname(place), { recursive: true });
    const before = done;
    done += await writeFile(place, file.open(signal), (bytes) => onBytes(before + bytes));
  }
  return done;
}

async function writeTar(
  born: string,
  files: readonly ArchiveFile[],
  onBytes: (doneBytes: number) => void,
  signal: AbortSignal,
): Promise<number> {
  return writeFile(born, packTar(tarItems(files, signal)), onBytes);
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

/** Small pieces go to the system together: headers and padding would otherwise be a call each. */
async function writeFile(
  file: string,
  content: AsyncIterable<Uint8Array>,
  onBytes: (doneBytes: number) => void,
): Promise<number> {
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
      onBytes(done);
    }
    await writeAll(handle, gathered);
    onBytes(done);
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

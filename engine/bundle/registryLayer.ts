import { createHash } from "node:crypto";
import { copyFileSync, linkSync, unlinkSync, writeFileSync } from "node:fs";
import { bytesOfText } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { type Digest, Digester, isDigest } from "../oci/digest.ts";
import type { LayoutFile } from "../registry/distributionLayout.ts";
import type { Lease, RecipePart, SegmentId, Store } from "../store/contract.ts";
import { paddingAfter, type TarEntry, tarEntry } from "../tar/entry.ts";
import { encodeHeader, endOfArchive } from "../tar/header.ts";

/** The layer that carries container images. */
export interface RegistryLayer {
  readonly diffId: Digest;
  readonly sizeBytes: number;
  /** False when the same files were packed before. */
  readonly isNew: boolean;
}

const recordKind = "registry-layer";
const folder = "registry";

/**
 * Packs a `registry/` folder as a layer: reproducible, and without a second copy of any blob. The layer is a recipe whose parts are the
 * blobs themselves, under a second name, and a small file with headers and links.
 *
 * The same files make the same layer and are found again without reading anything. Throws `BLOB_MISSING`, `CANCELLED` and what the store
 * throws.
 *
 * @param files of the folder, sorted by path, relative to it
 */
export async function packRegistryLayer(
  store: Store,
  lease: Lease,
  files: readonly LayoutFile[],
  signal: AbortSignal,
): Promise<RegistryLayer> {
  const key = layoutKey(files);
  const known = await recall(store, lease, key, signal);
  if (known !== undefined) return known;
  const layer = await pack(store, lease, files, signal);
  const payload = Buffer.from(JSON.stringify({ diffId: layer.diffId, sizeBytes: layer.sizeBytes }));
  store.writeRecord({ kind: recordKind, key, refs: [layer.diffId], payload });
  return layer;
}

function layoutKey(files: readonly LayoutFile[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file.path}\0${file.kind === "blob" ? file.digest : file.text}\0`);
  return hash.digest("hex");
}

async function recall(
  store: Store,
  lease: Lease,
  key: string,
  signal: AbortSignal,
): Promise<RegistryLayer | undefined> {
  const record = store.readRecord(recordKind, key);
  if (record === undefined) return undefined;
  const { diffId, sizeBytes } = JSON.parse(Buffer.from(record.payload).toString("utf8")) as {
    readonly diffId: string;
    readonly sizeBytes: number;
  };
  if (!isDigest(diffId) || (await lease.pin(diffId, signal)) === undefined) return undefined;
  store.touchRecord(recordKind, key);
  return { diffId, sizeBytes, isNew: false };
}

async function pack(
  store: Store,
  lease: Lease,
  files: readonly LayoutFile[],
  signal: AbortSignal,
): Promise<RegistryLayer> {
  const digester = new Digester("sha256");
  const parts: RecipePart[] = [];
  const small: Uint8Array[] = [];
  let smallBytes = 0;
  await using smallSegment = lease.createSegment();
  const addBytes = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return;
    digester.update(bytes);
    parts.push({ segment: smallSegment.id, offset: smallBytes, length: bytes.length });
    small.push(bytes);
    smallBytes += bytes.length;
  };
  for (const entry of directoriesOf(files)) addBytes(encodeHeader(entry));
  for (const file of files) {
    const bytes = file.kind === "text" ? Buffer.from(file.text) : undefined;
    const size = file.kind === "text" ? (bytes?.length ?? 0) : file.sizeBytes;
    addBytes(encodeHeader(tarEntry("file", bytesOfText(`${folder}/${file.path}`), { size })));
    if (bytes !== undefined) addBytes(bytes);
    else if (file.kind === "blob") parts.push(...(await addBlob(store, lease, file, digester, signal)));
    addBytes(Buffer.alloc(paddingAfter(size)));
  }
  addBytes(endOfArchive());
  writeFileSync(smallSegment.path, Buffer.concat(small));
  await smallSegment.commit();
  const { sizeBytes } = digester;
  const diffId = digester.finish();
  await lease.putRecipe(diffId, parts);
  return { diffId, sizeBytes, isNew: true };
}

/** Directories of all files, parents first; a layer names them, so that their modes do not depend on who unpacks it. */
function directoriesOf(files: readonly LayoutFile[]): readonly TarEntry[] {
  const paths = new Set([folder]);
  for (const file of files) {
    const names = `${folder}/${file.path}`.split("/").slice(0, -1);
    for (let depth = 1; depth <= names.length; depth += 1) paths.add(names.slice(0, depth).join("/"));
  }
  return [...paths].sort().map((path) => tarEntry("directory", bytesOfText(path)));
}

/** Hashes a blob in passing and answers the parts that stand for it. */
async function addBlob(
  store: Store,
  lease: Lease,
  blob: { readonly digest: Digest; readonly sizeBytes: number },
  digester: Digester,
  signal: AbortSignal,
): Promise<readonly RecipePart[]> {
  if ((await lease.pin(blob.digest, signal)) === undefined) throw missing(store, blob.digest);
  for await (const chunk of store.read(blob.digest, {}, signal)) digester.update(chunk);
  const location = store.locate(blob.digest);
  if (location === undefined) throw missing(store, blob.digest);
  if (location.heldAs === "whole")
    return [{ segment: await linkedSegment(lease, location.paths[0] ?? ""), offset: 0, length: blob.sizeBytes }];
  return Array.from(location.lengths, (length, part): RecipePart => {
    const segment = location.segmentIds[location.pathIndex[part] ?? 0];
    if (segment === undefined) throw missing(store, blob.digest);
    return { segment, offset: location.offsets[part] ?? 0, length };
  });
}

function missing(store: Store, digest: Digest): EngineError {
  return new EngineError("BLOB_MISSING", { digest, where: `the store ${store.dir}` });
}

/** A segment that is the file of a blob under a second name; a copy where the file system knows no hard links. */
async function linkedSegment(lease: Lease, blobPath: string): Promise<SegmentId> {
  await using segment = lease.createSegment();
  unlinkSync(segment.path);
  try {
    linkSync(blobPath, segment.path);
  } catch (error) {
    if (
      !(
        error instanceof Error &&
        "code" in error &&
        ["EPERM", "EMLINK", "ENOTSUP", "ENOSYS"].includes(String(error.code))
      )
    )
      throw error;
    copyFileSync(blobPath, segment.path);
  }
  await segment.commit();
  return segment.id;
}

import { EngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { digestAlgorithm, digestHex } from "../oci/digest.ts";
import { parseManifestOrIndex } from "../oci/index.ts";
import type { Lease, Store } from "../store/contract.ts";
import type { ArchiveContent, Decompress } from "./archiveContent.ts";

/** An image an archive holds, by now complete in the store under the lease of the load. */
export interface Found {
  readonly target: Descriptor;
  /** Normalised references it had. */
  readonly names: readonly string[];
  /** A tag without a repository, as `umoci` and `oci:dir:tag` write. */
  readonly tagOnly?: string;
}

/** What reading an archive needs at every level. */
export interface Loading {
  readonly store: Store;
  readonly lease: Lease;
  readonly decompress: Decompress;
  readonly signal: AbortSignal;
}

/** A file of the archive as bytes; throws `ARCHIVE_UNREADABLE` when it is missing. */
export async function readFileOf(loading: Loading, content: ArchiveContent, file: string): Promise<Uint8Array> {
  const stat = await content.blob(file, loading.signal);
  if (stat === undefined) throw missing(content, file);
  return loading.store.readBytes(stat.digest, maxManifestBytes);
}

/** The archive says a file is in it that is not. */
export function missing(content: ArchiveContent, file: string): EngineError<"ARCHIVE_UNREADABLE"> {
  return new EngineError("ARCHIVE_UNREADABLE", { file: content.label, problem: `${file} is missing in it` });
}

/** Where a layout keeps its blobs. */
export type BlobPlace = (descriptor: Descriptor) => string;

/** `blobs/sha256/…`, the place in an OCI layout. */
export const layoutPlace: BlobPlace = ({ digest }) => `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;

/**
 * Brings a manifest or index and all below it into the store. Of an index what the archive and the store both lack is left out;
 * everything a manifest needs must be in one of the two. A blob that is there under another digest is a `BLOB_MISMATCH`.
 */
export async function bringImage(
  loading: Loading,
  content: ArchiveContent,
  place: BlobPlace,
  target: Descriptor,
): Promise<void> {
  if (!(await bringBlob(loading, content, place, target))) throw missing(content, place(target));
  const bytes = loading.store.readBytes(target.digest, maxManifestBytes);
  const document = parseManifestOrIndex(bytes, `manifest ${target.digest} of ${content.label}`);
  if (document.kind === "index") {
    for (const manifest of document.index.manifests) {
      if (await bringBlob(loading, content, place, manifest)) await bringImage(loading, content, place, manifest);
    }
    return;
  }
  for (const part of [document.manifest.config, ...document.manifest.layers]) {
    const elsewhere = (part.urls ?? []).length > 0;
    if (!(await bringBlob(loading, content, place, part)) && !elsewhere) throw missing(content, place(part));
  }
}

async function bringBlob(
  { lease, signal }: Loading,
  content: ArchiveContent,
  place: BlobPlace,
  descriptor: Descriptor,
): Promise<boolean> {
  const stat = (await content.blob(place(descriptor), signal)) ?? (await lease.pin(descriptor.digest, signal));
  if (stat === undefined) return false;
  const isIt = stat.digest === descriptor.digest || (await lease.pin(descriptor.digest, signal)) !== undefined;
  if (isIt) return true;
  const what = `Loading ${content.label}, ${place(descriptor)}`;
  throw new EngineError("BLOB_MISMATCH", { what, expected: descriptor.digest, found: stat.digest });
}

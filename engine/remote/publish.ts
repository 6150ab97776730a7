/** The end of every push: the remote is asked whether it has all of the image, and only then are manifests put. */
import { EngineError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { headBlob } from "./blobs.ts";
import type { RegistryClient } from "./client.ts";
import { inParallel } from "./inParallel.ts";
import { headManifest, putManifest, type RemoteDocument } from "./manifests.ts";
import type { RemoteRepository } from "./repository.ts";

const questionsAtOnce = 6;

/** What is to be published, all blobs being sent. */
export interface Publication {
  /** Children before those that name them; the last one gets the tag. */
  readonly documents: readonly RemoteDocument[];
  readonly blobs: readonly Pick<Descriptor, "digest" | "size">[];
  /** Blobs the remote has already been seen to have. */
  readonly seen: ReadonlySet<Digest>;
  /** A tag, or undefined to store the root by its digest alone. */
  readonly tag: string | undefined;
}

/**
 * Puts the manifests of an image.
 *
 * @throws EngineError REMOTE_INCOMPLETE when the remote lacks a blob it said it took; nothing is put then
 */
export async function publish(
  client: RegistryClient,
  where: RemoteRepository,
  publication: Publication,
  signal: AbortSignal,
): Promise<void> {
  const { documents, blobs, seen, tag } = publication;
  const unseen = blobs.filter((blob) => !seen.has(blob.digest));
  const sizes = await inParallel(
    unseen,
    questionsAtOnce,
    (blob, both) => headBlob(client, where, blob.digest, both),
    signal,
  );
  const missing = unseen.filter(
    (blob, i) => sizes[i] === undefined || (Number.isFinite(sizes[i]) && sizes[i] !== blob.size),
  );
  if (missing.length > 0) {
    const { what, host: registry } = where;
    throw new EngineError("REMOTE_INCOMPLETE", { what, registry, missing: missing.map((blob) => blob.digest) });
  }
  const root = documents.at(-1);
  for (const document of documents) {
    const { digest } = document.descriptor;
    const reference = document === root && tag !== undefined ? tag : digest;
    // A manifest that is there under its digest need not be put again; a tag is put always, for it may point elsewhere.
    if (reference === digest && (await headManifest(client, where, digest, signal)) !== undefined) continue;
    await putManifest(client, where, reference, document, signal);
  }
}

/** One blob into a repository, at the least cost: asked for first, then mounted, then sent. */
import type { Digest } from "../oci/digest.ts";
import { headBlob } from "./blobs.ts";
import type { RegistryClient } from "./client.ts";
import type { BlobContent } from "./content.ts";
import type { RemoteRepository } from "./repository.ts";
import { uploadBlob } from "./uploads.ts";

/** A blob that is to be in a repository. */
export interface OutgoingBlob {
  /** Digest and size, when they are known or remembered. Content that is made anew need not have them. */
  readonly expected?: { readonly digest: Digest; readonly sizeBytes: number };
  readonly content: BlobContent;
  /** Repositories of the same registry that may have `expected`. */
  readonly mountFrom: readonly string[];
  /** Told of bytes sent; negative when they have to be sent again. */
  readonly onSent: (bytes: number) => void;
}

export interface SentBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly how: "present" | "mounted" | "uploaded";
}

/** Sees to it that the repository has the blob. Throws REMOTE_ codes. */
export async function sendBlob(
  client: RegistryClient,
  where: RemoteRepository,
  blob: OutgoingBlob,
  signal: AbortSignal,
): Promise<SentBlob> {
  const { expected, content, mountFrom, onSent } = blob;
  if (expected !== undefined && (await headBlob(client, where, expected.digest, signal)) !== undefined) {
    return { ...expected, how: "present" };
  }
  const mount = expected === undefined || mountFrom.length === 0 ? {} : { mount: { ...expected, from: mountFrom } };
  return await uploadBlob(client, where, content, { ...mount, onSent }, signal);
}

import type { Descriptor } from "./descriptor.ts";

/**
 * Anything images come from: the store, a registry, an archive, a layout folder. Whoever reads an image takes one and never asks which.
 *
 * Every byte handed over has been checked: content that does not have the digest and size of the descriptor ends in
 * `BLOB_CORRUPT`, content that is not there in `BLOB_MISSING`.
 */
export interface ImageSource {
  /** What a normalised reference points at, a manifest or an index; undefined when the source has no such name. */
  resolve(reference: string, signal: AbortSignal): Promise<Descriptor | undefined>;
  /** A whole manifest, index or configuration; `BLOB_TOO_LARGE` above 4 MiB. */
  readDocument(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array>;
  /** The content in chunks, checked at its end: the last step of the loop throws when it was not what was asked for. */
  readBlob(descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What is uploaded: bytes that can be opened again from any offset, so that an upload can go on where it broke. */
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";

/** Content of an upload. Opened again it must give the same bytes. */
export interface BlobContent {
  /** Digest and size, where they are known before the bytes have been read. */
  readonly known?: { readonly digest: Digest; readonly sizeBytes: number };
  /** The bytes from an offset to the end. Opened by one reader at a time. */
  open(offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Bytes held in memory. */
export function bytesContent(bytes: Uint8Array, digest: Digest): BlobContent {
  return {
    known: { digest, sizeBytes: bytes.byteLength },
    open: (offset) => once(bytes.subarray(offset)),
  };
}

/** Content known by its descriptor, opened by a function of the caller. */
export function describedContent(
  descriptor: Pick<Descriptor, "digest" | "size">,
  open: (offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>,
): BlobContent {
  return { known: { digest: descriptor.digest, sizeBytes: descriptor.size }, open };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

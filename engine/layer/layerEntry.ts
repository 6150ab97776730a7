import type { ByteString } from "../byteString.ts";
import type { TarEntry } from "../tar/entry.ts";

/** What tells one state of a file from another without reading it, as `lstat` reports it. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  /** Bytes. */
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** Where the content of an entry comes from. */
export type LayerContent =
  | { readonly from: "nothing" }
  | { readonly from: "bytes"; readonly bytes: Uint8Array }
  /** An absolute path, and the state the file must still be in when it is read. */
  | { readonly from: "file"; readonly path: ByteString; readonly identity: FileIdentity };

/** One member of a layer that is going to be written. `path` is relative to the root of the image, without a leading slash. */
export interface LayerEntry extends TarEntry {
  readonly content: LayerContent;
}

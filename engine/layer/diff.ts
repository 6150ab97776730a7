import type { ByteString } from "../byteString.ts";
import type { TarEntry } from "../tar/entry.ts";

/** One entry of a layer to be packed: its header, and for files with content the path on disk where that lies. */
export interface LayerEntry {
  readonly entry: TarEntry;
  readonly source?: ByteString;
}

import { textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { paddingAfter, type TarEntry } from "./entry.ts";
import { encodeHeader, endOfArchive } from "./header.ts";

/** An entry with its content; without `content` when its size is 0. */
export interface TarItem {
  readonly entry: TarEntry;
  readonly content?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * Writes an archive: for each item its headers, its content and padding, and at the end two blocks of zero. The bytes depend on the items
 * alone. Throws `TAR_SIZE_MISMATCH` when a content is longer or shorter than its entry says.
 */
export async function* packTar(
  items: AsyncIterable<TarItem> | Iterable<TarItem>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { entry, content } of items) {
    yield encodeHeader(entry);
    let written = 0;
    for await (const chunk of content ?? []) {
      written += chunk.length;
      if (written > entry.size) break;
      yield chunk;
    }
    if (written !== entry.size) {
      throw new EngineError("TAR_SIZE_MISMATCH", {
        path: textOfBytes(entry.path),
        expected: entry.size,
        actual: written,
      });
    }
    const padding = paddingAfter(entry.size);
    if (padding > 0) yield Buffer.alloc(padding);
  }
  yield endOfArchive();
}

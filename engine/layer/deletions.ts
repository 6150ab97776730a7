import type { ByteString } from "../byteString.ts";
import { parentPath } from "./safePath.ts";

/** What a layer deletes of the layers below it. */
export class Deletions {
  /** Paths that go with all below them. */
  readonly whole: Set<ByteString> = new Set();
  /** Directories of which only what is in them goes. */
  readonly content: Set<ByteString> = new Set();

  /** Whether a path of the layers below is gone. */
  hides(path: ByteString): boolean {
    if (this.whole.size === 0 && this.content.size === 0) return false;
    if (this.whole.has(path)) return true;
    for (let above = path; above !== ""; ) {
      above = parentPath(above);
      if (this.whole.has(above) || this.content.has(above)) return true;
    }
    return false;
  }
}

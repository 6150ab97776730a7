import type { ByteString } from "../byteString.ts";
import type { EntryKind } from "../tar/entry.ts";
import { readTar } from "../tar/read.ts";
import { readWhiteout } from "./whiteout.ts";

/** One member of a layer, with where its content stands, so that it can be read without unpacking anything. */
export interface ListedMember {
  readonly kind: EntryKind;
  /** Relative to the root of the image, without a leading slash or dot. */
  readonly path: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content. */
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly linkTarget: ByteString;
  /** Offset of the content in the uncompressed layer; -1 for a sparse file, whose content is not in one piece. */
  readonly contentOffset: number;
}

/** What a layer holds: members in its own order, and what it deletes below it. */
export interface LayerListing {
  readonly members: readonly ListedMember[];
  readonly deleted: readonly ByteString[];
  /** Directories whose content of lower layers is hidden. */
  readonly opaque: readonly ByteString[];
}

/**
 * Lists a layer from its uncompressed bytes. Throws `TAR_INVALID` and, for a whiteout that means nothing, `LAYER_INVALID`.
 *
 * @see OCI image-spec v1.1 layer.md
 */
export async function listLayer(tar: AsyncIterable<Uint8Array>): Promise<LayerListing> {
  const members: ListedMember[] = [];
  const deleted: ByteString[] = [];
  const opaque: ByteString[] = [];
  for await (const { entry, contentOffset, stretches } of readTar(tar)) {
    const path = rooted(entry.path);
    const whiteout = readWhiteout(path);
    if (whiteout?.kind === "whiteout") deleted.push(whiteout.path);
    else if (whiteout?.kind === "opaque") opaque.push(whiteout.directory);
    else if (path !== "")
      members.push({
        kind: entry.kind,
        path,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        size: entry.size,
        mtimeSeconds: entry.mtimeSeconds,
        linkTarget: entry.kind === "hardLink" ? rooted(entry.linkTarget) : entry.linkTarget,
        contentOffset: stretches === undefined ? contentOffset : -1,
      });
  }
  return { members, deleted, opaque };
}

/** `./a/b/`, `/a/b` and `a//b` are `a/b`; the root is the empty path. A path that climbs out names nothing below the root. */
function rooted(path: ByteString): ByteString {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/") as ByteString;
}

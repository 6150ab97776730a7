/** Files of an image by folder, for looking: of one layer, or of all of them together. */
import type { ImageTree } from "../bundle/imageTree.ts";
import { type ByteString, bytesOfText, compareBytes, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import type { LayerListing, ListedMember } from "../layer/listing.ts";
import { contentMember } from "../layer/mergedTree.ts";
import { parentPath, resolvePath, type TreeNode, type TreeView } from "../layer/safePath.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageEntry } from "../protocol.ts";

/** Where the bytes of a file stand in an uncompressed layer. */
export interface FileContent {
  readonly diffId: Digest;
  /** -1 for a sparse file, whose bytes are not in one piece. */
  readonly offset: number;
  readonly sizeBytes: number;
}

interface Node {
  readonly kind: ImageEntry["kind"];
  readonly modifiedAt: number;
  /** Of a symlink. */
  readonly target?: ByteString;
  readonly content?: FileContent;
  /** 1-based. */
  readonly layer: number;
  readonly opaque?: boolean;
}

/** A tree of files one can list and look into. Names that are not UTF-8 are listed, and cannot be opened. */
export class FileView implements TreeView {
  readonly #nodes = new Map<ByteString, Node>();
  readonly #children = new Map<ByteString, Set<ByteString>>([["" as ByteString, new Set()]]);

  /** Adds a path, in place of any of that name. */
  put(path: ByteString, node: Node): void {
    this.#nodes.set(path, node);
    for (let child = path; child !== ""; child = parentPath(child)) {
      const siblings = this.#children.get(parentPath(child)) ?? new Set();
      if (siblings.has(child)) return;
      this.#children.set(parentPath(child), siblings.add(child));
    }
  }

  lookup(path: ByteString): TreeNode | undefined {
    const node = this.#nodes.get(path);
    if (node === undefined) return this.#children.has(path) ? { kind: "directory" } : undefined;
    if (node.kind === "deleted") return undefined;
    if (node.kind === "symlink") return { kind: "symlink", target: node.target ?? ("" as ByteString) };
    return { kind: node.kind === "directory" ? "directory" : "other" };
  }

  /** What is in a folder: folders first, then by name, bytewise. Throws `FILE_NOT_IN_IMAGE` for what is no folder. */
  list(folder: string): readonly ImageEntry[] {
    const path = this.#follow(folder);
    if (this.lookup(path)?.kind !== "directory") throw new EngineError("FILE_NOT_IN_IMAGE", { path: folder });
    return [...(this.#children.get(path) ?? [])]
      .sort((a, b) => this.#rank(a) - this.#rank(b) || compareBytes(a, b))
      .map((child) => this.#entry(child));
  }

  /** What stands at a path; a symlink at its end is told as one. Throws `FILE_NOT_IN_IMAGE`. */
  entry(path: string): ImageEntry {
    const found = resolvePath(this, bytesOfText(path), { followLast: false });
    if (this.lookup(found) === undefined) throw new EngineError("FILE_NOT_IN_IMAGE", { path });
    return this.#entry(found);
  }

  /** Where the bytes of a file are, symlinks followed inside the tree. Throws `FILE_NOT_IN_IMAGE`. */
  content(path: string): FileContent {
    const content = this.#nodes.get(this.#follow(path))?.content;
    if (content === undefined) throw new EngineError("FILE_NOT_IN_IMAGE", { path });
    return content;
  }

  #follow(path: string): ByteString {
    return resolvePath(this, bytesOfText(path), { followLast: true });
  }

  #rank(path: ByteString): number {
    return this.lookup(path)?.kind === "directory" ? 0 : 1;
  }

  #entry(path: ByteString): ImageEntry {
    const name = textOfBytes(path.slice(path.lastIndexOf("/") + 1) as ByteString);
    const node = this.#nodes.get(path);
    if (node === undefined) return { name, kind: "directory", sizeBytes: 0, modifiedAt: 0 };
    const { kind, modifiedAt, layer, target, opaque } = node;
    const followed = kind === "symlink" ? this.#followOrNothing(path) : undefined;
    const leadsTo = followed === undefined ? undefined : this.lookup(followed)?.kind;
    const content = followed === undefined ? node.content : this.#nodes.get(followed)?.content;
    return {
      ...{ name, kind, modifiedAt, layer, sizeBytes: content?.sizeBytes ?? 0 },
      ...(target === undefined ? {} : { target: textOfBytes(target) }),
      ...(leadsTo === undefined ? {} : { leadsTo: leadsTo === "directory" ? "directory" : "file" }),
      ...(opaque === true ? { opaque } : {}),
    };
  }

  /** A circle of symlinks leads nowhere. */
  #followOrNothing(path: ByteString): ByteString | undefined {
    try {
      return resolvePath(this, path, { followLast: true });
    } catch {
      return undefined;
    }
  }
}

/** The merged root file system. */
export function rootfsView(tree: Pick<ImageTree, "members">, diffIds: readonly Digest[]): FileView {
  const view = new FileView();
  for (const member of tree.members.values()) {
    const file = contentMember(tree.members, member.path);
    view.put(member.path, nodeOf(member, member.layer + 1, file && contentOf(file, diffIds[file.layer])));
  }
  return view;
}

/**
 * One layer as it is: what it adds and changes, and what it deletes below it.
 *
 * @param layer 1 is the lowest
 */
export function layerView(listings: readonly LayerListing[], layer: number, diffIds: readonly Digest[]): FileView {
  const view = new FileView();
  const listing = listings[layer - 1];
  const opaque = new Set(listing?.opaque);
  for (const path of listing?.deleted ?? []) view.put(path, { kind: "deleted", modifiedAt: 0, layer });
  for (const path of opaque) if (path !== "") view.put(path, { kind: "directory", modifiedAt: 0, layer, opaque: true });
  for (const member of listing?.members ?? []) {
    const node = nodeOf(member, layer, linkedContent(listings, layer, member, diffIds));
    view.put(member.path, opaque.has(member.path) ? { ...node, opaque: true } : node);
  }
  return view;
}

/** The bytes of a file of a layer; those of a hard link may stand in a lower layer. */
function linkedContent(
  listings: readonly LayerListing[],
  layer: number,
  member: ListedMember,
  diffIds: readonly Digest[],
): FileContent | undefined {
  if (member.kind === "file") return contentOf(member, diffIds[layer - 1]);
  if (member.kind !== "hardLink") return undefined;
  for (let below = layer - 1; below >= 0; below -= 1) {
    const found = listings[below]?.members.findLast(({ path, kind }) => path === member.linkTarget && kind === "file");
    if (found !== undefined) return contentOf(found, diffIds[below]);
  }
  return undefined;
}

function contentOf(file: ListedMember, diffId: Digest | undefined): FileContent | undefined {
  return diffId === undefined ? undefined : { diffId, offset: file.contentOffset, sizeBytes: file.size };
}

function nodeOf(member: ListedMember, layer: number, content: FileContent | undefined): Node {
  const { kind, linkTarget, mtimeSeconds } = member;
  return {
    kind: kindOf(kind),
    modifiedAt: Math.floor(mtimeSeconds * 1000),
    layer,
    ...(kind === "symlink" ? { target: linkTarget } : {}),
    ...(content === undefined ? {} : { content }),
  };
}

function kindOf(kind: ListedMember["kind"]): ImageEntry["kind"] {
  switch (kind) {
    case "file":
    case "hardLink":
      return "file";
    case "directory":
    case "symlink":
      return kind;
    default:
      return "other";
  }
}

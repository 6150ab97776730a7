import type { ByteString } from "../byteString.ts";
import type { LayerListing, ListedMember } from "./listing.ts";
import { joinPath, parentPath, resolvePath, type TreeNode, type TreeView } from "./safePath.ts";

/** A path of an image's root file system, and the layer it comes from. */
export interface MergedMember extends ListedMember {
  /** Index of the layer, 0 the lowest. */
  readonly layer: number;
  /** Of a hard link: the file it is another name of, whatever became of that file's first name since. */
  readonly linked: MergedMember | undefined;
}

/**
 * The root file system that layers make together, without unpacking them: what an upper layer has hides what lies below, whiteouts delete,
 * opaque directories empty, a file in place of a directory takes its content along, and a way through a symlink goes where that leads
 * inside the tree. Directories no layer mentions are not among the members.
 *
 * @param layers lowest first
 * @returns path → member, in no particular order
 * @see OCI image-spec v1.1 layer.md, "Applying Changesets"
 */
export function mergeLayers(layers: readonly LayerListing[]): ReadonlyMap<ByteString, MergedMember> {
  const tree = new MergedTree();
  for (const [layer, { members, deleted, opaque }] of layers.entries()) {
    // Deletions speak of the layers below only, wherever they stand in this one.
    for (const path of deleted) tree.remove(tree.placeOf(path));
    for (const path of opaque) tree.empty(resolvePath(tree, path, { followLast: false }));
    for (const member of members) tree.put(member, layer);
  }
  return tree.members;
}

/** The member whose content a path has: itself, or what a hard link names. `undefined` for anything without content. */
export function contentMember(tree: ReadonlyMap<ByteString, MergedMember>, path: ByteString): MergedMember | undefined {
  const member = tree.get(path);
  const named = member?.kind === "hardLink" ? member.linked : member;
  return named?.kind === "file" ? named : undefined;
}

class MergedTree implements TreeView {
  readonly members: Map<ByteString, MergedMember> = new Map();
  readonly #children = new Map<ByteString, Set<ByteString>>();

  lookup(path: ByteString): TreeNode | undefined {
    const member = this.members.get(path);
    if (member === undefined) return this.#children.has(path) ? { kind: "directory" } : undefined;
    if (member.kind === "symlink") return { kind: "symlink", target: member.linkTarget };
    return { kind: member.kind === "directory" ? "directory" : "other" };
  }

  /** Where a path of a layer is in the tree: symlinks among its parents are followed, it itself is not. */
  placeOf(path: ByteString): ByteString {
    const slash = path.lastIndexOf("/");
    if (slash < 0) return path;
    return joinPath(resolvePath(this, path.slice(0, slash), { followLast: true }), path.slice(slash + 1));
  }

  put(member: ListedMember, layer: number): void {
    const path = this.placeOf(member.path);
    if (member.kind !== "directory") this.empty(path);
    this.members.set(path, this.#entry(member, path, layer));
    for (let child = path; child !== ""; child = parentPath(child)) {
      const siblings = this.#children.get(parentPath(child)) ?? new Set();
      if (siblings.has(child)) return;
      this.#children.set(parentPath(child), siblings.add(child));
    }
  }

  /** Another name of a symlink is a symlink; another name of anything else stays one, and knows what it names. */
  #entry(member: ListedMember, path: ByteString, layer: number): MergedMember {
    const target = member.kind === "hardLink" ? this.members.get(this.placeOf(member.linkTarget)) : undefined;
    if (target?.kind === "symlink") return { ...target, path };
    return { ...member, path, layer, linked: target?.linked ?? target };
  }

  remove(path: ByteString): void {
    this.empty(path);
    this.members.delete(path);
    this.#children.get(parentPath(path))?.delete(path);
  }

  /** Takes away all that is below a path. */
  empty(path: ByteString): void {
    for (const child of this.#children.get(path) ?? []) {
      this.empty(child);
      this.members.delete(child);
    }
    this.#children.delete(path);
  }
}

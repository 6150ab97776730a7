import type { ByteString } from "../byteString.ts";
import type { LayerListing, ListedMember } from "./listing.ts";

/** A path of an image's root file system, and the layer it comes from. */
export interface MergedMember extends ListedMember {
  /** Index of the layer, 0 the lowest. */
  readonly layer: number;
}

/**
 * The root file system that layers make together, without unpacking them: what an upper layer has hides what lies below, whiteouts delete,
 * opaque directories empty, a file in place of a directory takes its content along.
 *
 * @param layers lowest first
 * @returns path → member, in no particular order
 * @see OCI image-spec v1.1 layer.md, "Applying Changesets"
 */
export function mergeLayers(layers: readonly LayerListing[]): ReadonlyMap<ByteString, MergedMember> {
  const tree = new Map<ByteString, MergedMember>();
  const children = new Map<ByteString, Set<ByteString>>();
  const put = (member: MergedMember): void => {
    tree.set(member.path, member);
    for (let path = member.path; path !== ""; ) {
      const parent = parentOf(path);
      const siblings = children.get(parent) ?? new Set();
      if (siblings.has(path)) return;
      children.set(parent, siblings.add(path));
      path = parent;
    }
  };
  const removeBelow = (path: ByteString): void => {
    for (const child of children.get(path) ?? []) {
      removeBelow(child);
      tree.delete(child);
    }
    children.delete(path);
  };
  const remove = (path: ByteString): void => {
    removeBelow(path);
    tree.delete(path);
    children.get(parentOf(path))?.delete(path);
  };
  for (const [layer, { members, deleted, opaque }] of layers.entries()) {
    // Deletions speak of the layers below only, wherever they stand in this one.
    for (const path of deleted) remove(path);
    for (const path of opaque) removeBelow(path);
    for (const member of members) {
      if (member.kind !== "directory") removeBelow(member.path);
      put({ ...member, layer });
    }
  }
  return tree;
}

/** The member whose content a path has: itself, or what a hard link names. `undefined` for anything without content. */
export function contentMember(tree: ReadonlyMap<ByteString, MergedMember>, path: ByteString): MergedMember | undefined {
  const member = tree.get(path);
  if (member?.kind === "file") return member;
  if (member?.kind !== "hardLink") return undefined;
  const target = tree.get(member.linkTarget);
  return target?.kind === "file" ? target : undefined;
}

function parentOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf("/"))) as ByteString;
}

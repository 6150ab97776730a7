/** Whether a path means the same in two root file systems. */

import type { ImageTree } from "../bundle/imageTree.ts";
import { type ByteString, textOfBytes } from "../byteString.ts";
import { contentMember, type MergedMember } from "../layer/mergedTree.ts";
import { type Digest, Digester } from "../oci/digest.ts";

/** A tree and the digests of its layers, lowest first. */
export interface NamedTree {
  readonly tree: ImageTree;
  readonly diffIds: readonly Digest[];
}

/** How two members of one path differ; `undefined` when they do not. Times are not compared: they say nothing about a file. */
export async function difference(
  path: ByteString,
  a: NamedTree,
  b: NamedTree,
  signal: AbortSignal,
): Promise<"kind" | "mode" | "owner" | "link" | "content" | undefined> {
  const left = a.tree.members.get(path);
  const right = b.tree.members.get(path);
  if (left === undefined || right === undefined) return "kind";
  const [leftKind, rightKind] = [kindOf(left), kindOf(right)];
  if (leftKind !== rightKind) return "kind";
  // A link's own mode means nothing.
  if (leftKind !== "symlink" && left.mode !== right.mode) return "mode";
  if (left.uid !== right.uid || left.gid !== right.gid) return "owner";
  if (leftKind === "symlink") return left.linkTarget === right.linkTarget ? undefined : "link";
  if (leftKind !== "file") return undefined;
  return (await sameContent(path, a, b, signal)) ? undefined : "content";
}

/** A hard link is the file it names. */
function kindOf(member: MergedMember): string {
  return member.kind === "hardLink" ? "file" : member.kind;
}

async function sameContent(path: ByteString, a: NamedTree, b: NamedTree, signal: AbortSignal): Promise<boolean> {
  const left = contentMember(a.tree.members, path);
  const right = contentMember(b.tree.members, path);
  if (left === undefined || right === undefined || left.size !== right.size) return left === right;
  if (a.diffIds[left.layer] === b.diffIds[right.layer] && left.contentOffset === right.contentOffset) return true;
  if (left.contentOffset === -1 || right.contentOffset === -1) return false;
  return (await contentDigest(a, path, left.size, signal)) === (await contentDigest(b, path, right.size, signal));
}

async function contentDigest(
  { tree }: NamedTree,
  path: ByteString,
  size: number,
  signal: AbortSignal,
): Promise<string> {
  const digester = new Digester();
  if (size > 0) for await (const chunk of tree.readRange(textOfBytes(path), 0, size, signal)) digester.update(chunk);
  return digester.finish();
}

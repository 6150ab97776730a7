import type { ByteString } from "../byteString.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { decodeColumns, encodeColumns } from "./columns.ts";
import type { KeyedMembers } from "./keys.ts";

const version = 1;

/** What a layer of ours holds and where: enough to say what changed, and to make the next layer from its unchanged parts. */
export interface LayerIndex extends KeyedMembers {
  readonly diffId: Digest;
  /** Modification times in the layer, seconds. */
  readonly times: Float64Array;
  /** Where each member begins in the layer, its headers included, and its length with padding. */
  readonly starts: Float64Array;
  readonly lengths: Float64Array;
}

export function encodeLayerIndex(index: LayerIndex): Buffer {
  return encodeColumns(version, { diffId: index.diffId }, [
    { name: "paths", kind: "texts", values: index.paths },
    { name: "facts", kind: "texts", values: index.facts },
    { name: "contents", kind: "bytes", values: index.contents },
    { name: "times", kind: "numbers", values: index.times },
    { name: "starts", kind: "numbers", values: index.starts },
    { name: "lengths", kind: "numbers", values: index.lengths },
  ]);
}

/** Reads an index; undefined when it is of another version or makes no sense. */
export function decodeLayerIndex(payload: Uint8Array): LayerIndex | undefined {
  const columns = decodeColumns(version, payload);
  if (columns === undefined) return undefined;
  const { diffId } = columns.facts as { readonly diffId?: unknown };
  const index = {
    paths: columns.texts("paths") as readonly ByteString[],
    facts: columns.texts("facts"),
    contents: columns.bytes("contents"),
    times: columns.numbers("times"),
    starts: columns.numbers("starts"),
    lengths: columns.numbers("lengths"),
  };
  const count = index.paths.length;
  const fits = index.facts.length === count && index.starts.length === count && index.contents.length === count * 32;
  if (typeof diffId !== "string" || !isDigest(diffId) || !fits) return undefined;
  return { diffId, ...index };
}

/** How the members of two indexes differ, by path, in bytewise order. */
export interface MemberChanges {
  readonly added: readonly ByteString[];
  readonly removed: readonly ByteString[];
  /** Other content. */
  readonly changed: readonly ByteString[];
  /** Same content, other mode, owner, kind or target. */
  readonly altered: readonly ByteString[];
}

/** Compares what a layer held with what it would hold now. */
export function compareMembers(before: KeyedMembers, now: KeyedMembers): MemberChanges {
  const rows = new Map<string, number>();
  for (const [row, path] of before.paths.entries()) rows.set(path, row);
  const added: ByteString[] = [];
  const changed: ByteString[] = [];
  const altered: ByteString[] = [];
  for (const [row, path] of now.paths.entries()) {
    const old = rows.get(path);
    if (old === undefined) {
      added.push(path);
      continue;
    }
    rows.delete(path);
    if (!sameContent(before.contents, old, now.contents, row)) changed.push(path);
    else if (before.facts[old] !== now.facts[row]) altered.push(path);
  }
  return { added, removed: [...rows.keys()] as ByteString[], changed, altered };
}

/** Whether row `a` of one column of digests equals row `b` of another. */
export function sameContent(left: Uint8Array, a: number, right: Uint8Array, b: number): boolean {
  const size = 32;
  return Buffer.compare(left.subarray(a * size, a * size + size), right.subarray(b * size, b * size + size)) === 0;
}

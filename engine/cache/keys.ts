import { hash } from "node:crypto";
import type { ByteString } from "../byteString.ts";
import { canonicalJson, type Json } from "../oci/canonicalJson.ts";
import { type Digest, digestOf } from "../oci/digest.ts";

/** Raised when the bytes a step makes from the same inputs change; older results are then not found any more. */
const keyVersion = 1;

/** What a step does, apart from the content it reads: everything its result depends on, in a form that JSON can hold. */
export type Definition = Readonly<Record<string, Json>>;

/** The name of a definition. */
export function definitionKey(definition: Definition): Digest {
  return digestOf(canonicalJson({ keyVersion, ...definition }));
}

/** One member of what a step reads: its path, its facts but for the modification time, and the SHA-256 of its content. */
export interface KeyedMembers {
  readonly paths: readonly ByteString[];
  /** `memberFacts` of each. */
  readonly facts: readonly string[];
  /** 32 bytes each; zeros where there is no content. */
  readonly contents: Uint8Array;
}

/**
 * The key of a step's result: its definition and the content of its inputs. Times are no part of it, so a touched file, a copied or a
 * moved checkout finds what was built before.
 */
export function contentKey(definition: Digest, members: KeyedMembers): Digest {
  const text = Buffer.from(`${definition}\0${members.paths.join("\0")}\0\0${members.facts.join("\0")}\0\0`, "latin1");
  const inner = [hash("sha256", text, "buffer"), hash("sha256", members.contents, "buffer")];
  return digestOf(Buffer.concat(inner));
}

/** Facts of a member as one text. */
export function memberFacts(member: {
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly linkTarget: ByteString;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array>;
}): string {
  const { kind, mode, uid, gid, size, linkTarget } = member;
  const plain = `${kind} ${mode} ${uid} ${gid} ${size} ${linkTarget}`;
  if (member.deviceMajor === 0 && member.deviceMinor === 0 && member.xattrs.size === 0) return plain;
  const xattrs = [...member.xattrs].map(([name, value]) => `${name}=${Buffer.from(value).toString("hex")}`).sort();
  return `${plain} ${member.deviceMajor}:${member.deviceMinor} ${xattrs.join(" ")}`;
}

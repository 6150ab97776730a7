import { asCount, asText, decodeJson, required } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import type { Store } from "../store/contract.ts";
import type { Upstream } from "./upstream.ts";

/**
 * What a mirror remembers of its upstreams, as records of the store: which tag pointed at what and when that was asked, and which
 * repository has which manifest and blob. Blobs are held once, whatever repositories they came from; a record keeps what it names, and a
 * prune that drops a record by age or size lets its blob go.
 */
export const mirrorRecordKinds = { tag: "mirror-tag", manifest: "mirror-manifest", blob: "mirror-blob" } as const;

export interface MirroredTag {
  readonly target: Descriptor;
  /** When the upstream last said so, milliseconds since 1970. */
  readonly checkedAtMs: number;
}

/** What a tag pointed at when the upstream was last asked. */
export function readTag(store: Store, upstream: Upstream, tag: string): MirroredTag | undefined {
  const record = store.readRecord(mirrorRecordKinds.tag, tagKey(upstream, tag));
  if (record === undefined) return undefined;
  const at = decodeJson(record.payload, "the record of a mirrored tag");
  return { target: readTarget(at), checkedAtMs: asCount(required(at, "checkedAtMs")) };
}

/** Remembers what a tag points at; the manifest must be pinned. */
export function writeTag(store: Store, upstream: Upstream, tag: string, known: MirroredTag): void {
  const { target, checkedAtMs } = known;
  const { mediaType, digest, size } = target;
  store.writeRecord({
    kind: mirrorRecordKinds.tag,
    key: tagKey(upstream, tag),
    refs: [digest],
    payload: Buffer.from(JSON.stringify({ mediaType, digest, size, checkedAtMs })),
  });
}

/** The manifest of a repository, when it was mirrored; counts as use. */
export function readMirrored(
  store: Store,
  kind: "manifest" | "blob",
  upstream: Upstream,
  digest: Digest,
): Descriptor | undefined {
  const key = contentKey(upstream, digest);
  const record = store.readRecord(mirrorRecordKinds[kind], key);
  if (record === undefined) return undefined;
  store.touchRecord(mirrorRecordKinds[kind], key);
  return readTarget(decodeJson(record.payload, "the record of a mirrored manifest"));
}

/** Remembers that a repository has a manifest or a blob; it must be pinned. */
export function writeMirrored(
  store: Store,
  kind: "manifest" | "blob",
  upstream: Upstream,
  descriptor: Descriptor,
): void {
  const { mediaType, digest, size } = descriptor;
  store.writeRecord({
    kind: mirrorRecordKinds[kind],
    key: contentKey(upstream, digest),
    refs: [digest],
    payload: Buffer.from(JSON.stringify({ mediaType, digest, size })),
  });
}

/** Tags of a repository that were mirrored, sorted bytewise. */
export function mirroredTags(store: Store, upstream: Upstream): readonly string[] {
  const start = tagKey(upstream, "");
  return store
    .listRecords(mirrorRecordKinds.tag)
    .flatMap(({ key }) => (key.startsWith(start) ? [key.slice(start.length)] : []))
    .sort();
}

/** Full names of all mirrored tags, sorted bytewise. */
export function mirroredNames(store: Store): readonly string[] {
  return store
    .listRecords(mirrorRecordKinds.tag)
    .map(({ key }) => key)
    .sort();
}

function readTarget(at: ReturnType<typeof decodeJson>): Descriptor {
  return {
    mediaType: asText(required(at, "mediaType")),
    digest: parseDigest(asText(required(at, "digest"))),
    size: asCount(required(at, "size")),
  };
}

function tagKey(upstream: Upstream, tag: string): string {
  return `${upstream.host}/${upstream.repository}:${tag}`;
}

function contentKey(upstream: Upstream, digest: Digest): string {
  return `${upstream.host}/${upstream.repository}@${digest}`;
}

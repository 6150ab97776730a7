import {
  asCount,
  asList,
  asText,
  asTextMap,
  type Checked,
  decodeJson,
  member,
  optional,
  required,
} from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";

/** Kind of the store's records that hold one pushed repository each; a prune must keep them. */
export const repositoryRecordKind = "registry-repository";

/** What a registry knows of one pushed repository: which blobs and manifests are its own, and its tags. Plain data, replaced on change. */
export interface RepositoryState {
  readonly blobs: ReadonlySet<Digest>;
  readonly manifests: ReadonlyMap<Digest, ManifestFacts>;
  readonly tags: ReadonlyMap<string, Digest>;
}

export interface ManifestFacts {
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const noRepository: RepositoryState = { blobs: new Set(), manifests: new Map(), tags: new Map() };

/** Whether anything is left in a repository. */
export function isEmptyRepository(state: RepositoryState): boolean {
  return state.blobs.size === 0 && state.manifests.size === 0;
}

/** Adds a manifest with its tags; the same manifest again changes only its tags. */
export function withManifest(
  state: RepositoryState,
  digest: Digest,
  facts: ManifestFacts,
  tags: readonly string[],
): RepositoryState {
  return {
    ...state,
    manifests: new Map(state.manifests).set(digest, facts),
    tags: new Map([...state.tags, ...tags.map((tag) => [tag, digest] as const)]),
  };
}

/** Takes a manifest out, and every tag that points at it. */
export function withoutManifest(state: RepositoryState, digest: Digest): RepositoryState {
  const manifests = new Map(state.manifests);
  manifests.delete(digest);
  return { ...state, manifests, tags: new Map([...state.tags].filter(([, target]) => target !== digest)) };
}

/** The manifests that say they belong to `subject`, as descriptors sorted by digest. */
export function referrersOf(state: RepositoryState, subject: Digest): readonly Descriptor[] {
  return [...state.manifests]
    .filter(([, facts]) => facts.subject === subject)
    .map(([digest, facts]) => ({
      mediaType: facts.mediaType,
      digest,
      size: facts.sizeBytes,
      ...(facts.artifactType === undefined ? {} : { artifactType: facts.artifactType }),
      ...(facts.annotations === undefined ? {} : { annotations: facts.annotations }),
    }))
    .sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

/** Writes a state as JSON. */
export function encodeRepository(state: RepositoryState): Uint8Array {
  const value = {
    blobs: [...state.blobs],
    manifests: [...state.manifests].map(([digest, facts]) => ({ digest, ...facts })),
    tags: Object.fromEntries(state.tags),
  };
  return Buffer.from(JSON.stringify(value));
}

/** Reads a state; throws `DOCUMENT_INVALID` when it is none. */
export function decodeRepository(bytes: Uint8Array): RepositoryState {
  const at = decodeJson(bytes, "the record of a repository");
  const tags = asTextMap(required(at, "tags"));
  return {
    blobs: new Set(asList(required(at, "blobs")).map((item) => parseDigest(asText(item)))),
    manifests: new Map(
      asList(required(at, "manifests")).map((item) => [parseDigest(asText(required(item, "digest"))), readFacts(item)]),
    ),
    tags: new Map(Object.entries(tags).map(([tag, digest]) => [tag, parseDigest(digest)])),
  };
}

function readFacts(at: Checked): ManifestFacts {
  const subject = member(at, "subject");
  return {
    mediaType: asText(required(at, "mediaType")),
    sizeBytes: asCount(required(at, "sizeBytes")),
    ...(subject === undefined ? {} : { subject: parseDigest(asText(subject)) }),
    ...optional(at, "artifactType", asText),
    ...optional(at, "annotations", asTextMap),
  };
}

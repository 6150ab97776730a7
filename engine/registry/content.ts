import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";

/**
 * What a registry can answer for, wherever it comes from: pushed repositories, a bundle, the local store, an upstream.
 *
 * A repository is named by its path and, where the client told it, the host it stands for (`?ns=` of the specification's registry
 * proxying). Every method answers `undefined` for what is not there, and never anything of another repository.
 */
export interface Content {
  /** A manifest or an index by tag or digest. */
  manifest(name: RepositoryName, reference: string, signal: AbortSignal): Promise<StoredManifest | undefined>;
  /** A blob of the repository. */
  blob(name: RepositoryName, digest: Digest, signal: AbortSignal): Promise<BlobBody | undefined>;
  /** All tags, sorted bytewise; `undefined` when there is no such repository. */
  tags(name: RepositoryName, signal: AbortSignal): Promise<readonly string[] | undefined>;
  /** Descriptors of the manifests whose subject is `digest`, sorted by digest. */
  referrers(name: RepositoryName, digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]>;
  /** Paths of all repositories, sorted bytewise. */
  repositories(): readonly string[];
}

export interface RepositoryName {
  readonly path: string;
  /** Host of the registry the client meant, lower case, from `?ns=`. */
  readonly host?: string;
}

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A blob that can be read from any place; `close` lets go of it. */
export interface BlobBody {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Bytes `start` to `end` (exclusive); a chunk may be reused when the next one is asked for. */
  read(start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Content that can be pushed to. */
export interface WritableContent extends Content {
  /** Keeps a manifest whose bytes have this digest, under `tags` too. All it points at must be checked before. */
  putManifest(name: RepositoryName, manifest: NewManifest, signal: AbortSignal): Promise<void>;
  /** Removes a tag; the manifest stays. False when there is none. */
  deleteTag(name: RepositoryName, tag: string, signal: AbortSignal): Promise<boolean>;
  /** Removes a manifest and every tag that points at it. False when there is none. */
  deleteManifest(name: RepositoryName, digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Takes a blob out of the repository. False when there is none. */
  deleteBlob(name: RepositoryName, digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Makes a blob that is here already part of a repository; false when it is not here (or not in `from`, when given). */
  mountBlob(name: RepositoryName, digest: Digest, from: string | undefined, signal: AbortSignal): Promise<boolean>;
  /** Starts a blob that arrives in pieces. */
  startUpload(): Upload;
}

export interface NewManifest extends StoredManifest {
  readonly tags: readonly string[];
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A blob on its way. Disposal without `finish` leaves nothing. */
export interface Upload extends AsyncDisposable {
  readonly receivedBytes: number;
  /** Takes the next bytes; calls must not overlap. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the blob and makes it part of the repository; false when its bytes do not have this digest. */
  finish(name: RepositoryName, digest: Digest, signal: AbortSignal): Promise<boolean>;
}

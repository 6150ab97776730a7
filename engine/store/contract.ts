import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import type { ImageSource } from "../oci/imageSource.ts";

/**
 * What the store promises. `openStore` in `store.ts` keeps these promises on disk.
 *
 * **Who may use it at once.** Any number of processes and worker threads, without asking each other. Nothing blocks a reader or a
 * writer except a sweep that is just about to delete the very blob it asks for (milliseconds).
 *
 * **Visible means complete.** Every file is born under `tmp/`, flushed and renamed to its place. A blob, segment, recipe, name or
 * record is there whole or not at all, after SIGKILL and after power loss. Records alone are not flushed: after power loss a record
 * may be absent, never wrong.
 *
 * **Pin, then look.** Garbage collection may run at any moment in any process. `pin` is the only way to learn that a blob is there
 * *and will stay*; `stat` and `locate` tell about this instant. Everything a lease writes is pinned by it from before it is visible.
 * A pinned manifest or index keeps all it points at, a pinned recipe its segments. Pins end with the lease, and a lease ends with its
 * process, however that ends. So: pin what is used, write what is new, then `tag` or `writeRecord` what shall stay, then dispose.
 *
 * **Errors.** `STORE_FULL` from every write when the disk is full, `STORE_READ_ONLY` when it may not write; `CANCELLED` when the
 * signal fires. What was there before is untouched in each case. Other codes are named at each method.
 */
export interface Store extends ImageSource, AsyncDisposable {
  /** The folder given to `openStore`. */
  readonly dir: string;

  // ── bytes by digest ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Size and form of a blob at this instant, or undefined. One or two system calls. */
  stat(digest: Digest): BlobStat | undefined;
  /** Where the bytes of a blob lie, for readers that open files themselves (worker threads). Pin first. Undefined when absent. */
  locate(digest: Digest): BlobLocation | undefined;
  /**
   * The bytes of a blob in chunks of at most 1 MiB, however it is held. A full read checks size and digest and throws
   * `BLOB_CORRUPT` *instead of ending*; a range checks that it lies inside the blob (`RANGE_INVALID`). `BLOB_MISSING` when absent.
   */
  read(digest: Digest, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** A whole blob of at most `maxBytes`, checked: `BLOB_MISSING`, `BLOB_TOO_LARGE`, `BLOB_CORRUPT`. Synchronous underneath. */
  readBytes(digest: Digest, maxBytes: number): Uint8Array;

  // ── leases: the only door for writing ────────────────────────────────────────────────────────────────────────────

  /** Opens a lease. `purpose` is shown to people who ask what holds the store (`build`, `pull docker.io/library/nginx:1`). */
  lease(purpose: string): Lease;

  // ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Makes a normalised reference (`formatReference`) point at a manifest or an index. Atomic; the last writer wins; when it
   * returns the name survives SIGKILL and power loss. Refuses with `IMAGE_INCOMPLETE` unless the target and all it needs are in the store:
   * of an index at least one manifest, and of every manifest present its configuration and layers (layers with `urls` may be absent).
   */
  tag(name: string, target: Descriptor, signal: AbortSignal): Promise<void>;
  /** Removes a name; false when it was not there. What it pointed at goes with the next prune. */
  untag(name: string): Promise<boolean>;
  /** What a name points at at this instant. */
  lookup(name: string): NamedImage | undefined;
  /** All names, sorted bytewise. */
  list(): readonly NamedImage[];

  // ── records: small facts with references ─────────────────────────────────────────────────────────────────────────

  /**
   * Reads a record; undefined when there is none, or when what is there is damaged (a record is a memory, never the only truth).
   * Does not count as use: call `touchRecord`.
   */
  readRecord(kind: string, key: string): StoreRecord | undefined;
  /**
   * Writes or replaces a record, atomically; the last writer wins. Its `refs` are kept, with all they point at, as long as the
   * record is, so pin them until this returns. A later prune may drop the record by its policy: records are a cache.
   * `kind` is a word of `a-z0-9-`; `key` any text.
   */
  writeRecord(record: NewRecord): void;
  /** Marks a record as used now; nothing happens when it is gone. */
  touchRecord(kind: string, key: string): void;
  /** Removes a record; false when it was not there. */
  removeRecord(kind: string, key: string): boolean;
  /** Records of one kind, or of all, without their payload, most recently used first. */
  listRecords(kind?: string): readonly RecordEntry[];

  // ── locks ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * An exclusive lock across processes, first come first served; freed on disposal and when its process ends, however that ends.
   * For things that are not the store's (cache mounts, one download per blob). Not re-entrant. `key` is any text.
   */
  lock(key: string, signal: AbortSignal): Promise<AsyncDisposable>;

  // ── keeping house ────────────────────────────────────────────────────────────────────────────────────────────────

  /** What `prune` with the same policy would free now, and why. Changes nothing. */
  planPrune(policy: PrunePolicy, signal: AbortSignal): Promise<PrunePlan>;
  /** Frees what the policy allows and nothing that a name, a kept record or a lease needs. Safe beside anything else. */
  prune(policy: PrunePolicy, signal: AbortSignal): Promise<PruneReport>;
  /** Recomputes every digest and follows every reference. Reads all bytes. */
  verify(signal: AbortSignal, onProgress?: (progress: VerifyProgress) => void): Promise<VerifyReport>;
  /**
   * Takes away a blob that `verify` found damaged, so that the next pull, load or build writes it anew: until then it counts as there.
   * Reads it once more and leaves it, answering false, when it is whole after all or gone. Segments go with it unless another recipe uses
   * them.
   */
  discardDamaged(digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Bytes on disk, by image and by record: what is shared, what is its own, what nothing needs. */
  usage(): Usage;
}

/** Bytes `start` to `end` (exclusive) of a blob; both optional. `{}` is the whole blob, checked. */
export interface ByteRange {
  readonly start?: number;
  readonly end?: number;
}

export interface BlobStat {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** `whole`: one file named by its digest. `recipe`: a list of parts of segment files. */
  readonly heldAs: "whole" | "recipe";
}

/** Part `i` of a blob is `lengths[i]` bytes from `offsets[i]` of the file `paths[pathIndex[i]]`; the parts in order are the blob. */
export interface BlobLocation {
  readonly sizeBytes: number;
  readonly heldAs: "whole" | "recipe";
  /** Absolute paths of immutable files. For a recipe `segmentIds[j]` names `paths[j]`; for a whole blob `segmentIds` is empty. */
  readonly paths: readonly string[];
  readonly segmentIds: readonly SegmentId[];
  readonly pathIndex: Uint32Array;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
}

/** Names a segment file: random, so it says nothing about the content and never appears in a result. */
export type SegmentId = string & { readonly __brand: "SegmentId" };

/**
 * A running act's hold on what it uses and writes. All methods may be called at once, any number of times; all are idempotent.
 * Disposal removes unfinished files and lets go of every pin; a killed process lets go by dying.
 */
export interface Lease extends AsyncDisposable {
  /** Keeps a blob (and what it points at) if it is there: its stat, or undefined when it is not. Waits only for a sweep about to delete it. */
  pin(digest: Digest, signal: AbortSignal): Promise<BlobStat | undefined>;
  /** `pin` for many at the price of one: those that are there. */
  pinAll(digests: readonly Digest[], signal: AbortSignal): Promise<ReadonlyMap<Digest, BlobStat>>;
  /** `pin` for a segment named by something remembered: false when it is gone. */
  pinSegment(id: SegmentId, signal: AbortSignal): Promise<boolean>;

  /** Stores bytes held in memory; idempotent. Many at once are flushed together. */
  putBytes(bytes: Uint8Array, algorithm?: DigestAlgorithm): Promise<BlobStat>;
  /** Starts a blob whose bytes arrive in pieces. With `expected`, `commit` throws `BLOB_MISMATCH` unless they are those, and too many bytes throw at once. */
  createBlob(expected?: ExpectedBlob): BlobWriter;
  /** Starts a segment file: `path` is a new empty file for any thread of this process to write. */
  createSegment(): SegmentWriter;
  /**
   * Stores a blob as a recipe. The caller has hashed the bytes in passing and vouches for digest and size; a full `read` and `verify`
   * check them. Parts must lie inside committed segments that this lease has pinned or made (`BLOB_MISSING` otherwise), neighbours are
   * joined. Idempotent: where the blob is already there in any form, nothing is written.
   */
  putRecipe(digest: Digest, parts: Iterable<RecipePart>): Promise<BlobStat>;

  /** A fresh folder under the store's `tmp/`, in the same file system, removed with the lease. */
  scratchDir(): string;
}

export interface ExpectedBlob {
  /** Also chooses the algorithm. */
  readonly digest: Digest;
  readonly sizeBytes?: number;
}

export interface RecipePart {
  readonly segment: SegmentId;
  readonly offset: number;
  readonly length: number;
}

/** Writes one blob. Disposal without `commit` leaves nothing. */
export interface BlobWriter extends AsyncDisposable {
  /** Bytes taken so far. */
  readonly sizeBytes: number;
  /** Hashes and writes; resolves when the next chunk may come. Calls must not overlap. The chunk may be reused afterwards. */
  write(chunk: Uint8Array): Promise<void>;
  /** Flushes and publishes; `BLOB_MISMATCH` when it is not what was expected. */
  commit(): Promise<BlobStat>;
}

/** Writes one segment. Disposal without `commit` leaves nothing. */
export interface SegmentWriter extends AsyncDisposable {
  readonly id: SegmentId;
  /** An empty file. Write it through an own descriptor, close that, then commit. */
  readonly path: string;
  /** Flushes and publishes. An empty segment is not kept. Afterwards the file must not be written again. */
  commit(): Promise<void>;
}

export interface NamedImage {
  readonly name: string;
  readonly target: Descriptor;
  /** When it was tagged, milliseconds since 1970, from the `now` of whoever tagged. */
  readonly taggedAtMs: number;
}

export interface NewRecord {
  readonly kind: string;
  readonly key: string;
  /** Blobs this record keeps. */
  readonly refs: readonly Digest[];
  /** When given, `refs` are kept only while this blob is (a signature lives as long as what it signs). */
  readonly keptWith?: Digest;
  /** Anything: JSON as UTF-8, or a binary table of some megabytes. */
  readonly payload: Uint8Array;
}

export interface RecordEntry {
  readonly kind: string;
  readonly key: string;
  readonly refs: readonly Digest[];
  readonly keptWith?: Digest;
  /** Milliseconds since 1970; set by `writeRecord` and `touchRecord` from `now`. */
  readonly lastUsedAtMs: number;
  /** Bytes on disk. */
  readonly sizeBytes: number;
}

export interface StoreRecord extends RecordEntry {
  readonly payload: Uint8Array;
}

/** What a prune may take. Names and what they need are never taken. */
export interface PrunePolicy {
  /** Drop records not used for this long. */
  readonly recordsUnusedForMs?: number;
  /** Then drop the least recently used records until blobs, segments and records take at most this much. */
  readonly maxBytes?: number;
  /** Records these match are never dropped by age or size. */
  readonly keep?: readonly KeepRule[];
  /** Take blobs nothing refers to only when they were written at least this long ago. Absent: all of them. */
  readonly unreferencedForMs?: number;
}

/** Matches a record when all its members do; `{}` matches every record. */
export interface KeepRule {
  readonly kind?: string;
  readonly keyPrefix?: string;
  readonly usedWithinMs?: number;
}

/** Why something goes. */
export type PruneReason =
  | { readonly kind: "record-unused"; readonly lastUsedAtMs: number }
  | { readonly kind: "size-budget"; readonly lastUsedAtMs: number }
  | { readonly kind: "record-dropped" }
  | { readonly kind: "unreferenced" }
  | { readonly kind: "left-behind" };

/** One thing a prune takes. `what` is a digest, a segment id, `kind/key` of a record, or the name of a leftover file. */
export interface PruneItem {
  readonly type: "record" | "image" | "blob" | "recipe" | "segment" | "leftover";
  readonly what: string;
  readonly sizeBytes: number;
  readonly reason: PruneReason;
}

export interface PrunePlan {
  readonly items: readonly PruneItem[];
  readonly freesBytes: number;
  /** Bytes before and after, over blobs, segments and records. */
  readonly beforeBytes: number;
  readonly afterBytes: number;
  /** Set when the size budget cannot be met because names, leases and kept records need more. */
  readonly aboveBudgetBytes?: number;
}

export interface PruneReport {
  readonly removed: readonly PruneItem[];
  readonly freedBytes: number;
  /** Planned, then kept because somebody began to use it meanwhile. */
  readonly spared: number;
}

export interface VerifyProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface VerifyReport {
  readonly blobs: number;
  readonly bytes: number;
  readonly damaged: readonly Damage[];
  /** Records whose payload is damaged or which refer to something missing; they cost a cache hit, not an image. */
  readonly staleRecords: readonly string[];
}

export interface Damage {
  readonly digest: Digest;
  readonly kind: "missing" | "corrupt";
  readonly problem: string;
  /** Ways from a name to it: `docker.io/a/b:1 → sha256:… (manifest)`. Empty when nothing needs it. */
  readonly referredBy: readonly string[];
}

export interface Usage {
  readonly totalBytes: number;
  readonly blobBytes: number;
  readonly segmentBytes: number;
  readonly recordBytes: number;
  /** What the next prune without any policy frees. */
  readonly reclaimableBytes: number;
  readonly images: readonly ImageUsage[];
  readonly records: readonly RecordUsage[];
}

export interface ImageUsage {
  readonly name: string;
  readonly target: Descriptor;
  /** Bytes on disk of all it needs. */
  readonly sizeBytes: number;
  /** Part of that which no other target and no record needs: what removing this image alone would free. Names of one target count as one. */
  readonly ownBytes: number;
}

export interface RecordUsage {
  readonly kind: string;
  readonly key: string;
  readonly lastUsedAtMs: number;
  readonly sizeBytes: number;
  readonly ownBytes: number;
}

import path from "node:path";
import { EngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestHex, digestOf } from "../oci/digest.ts";
import { parseManifestOrIndex } from "../oci/index.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import { locateBlob, readBlob, readBlobBytes, statBlob } from "./blobs.ts";
import { missingParts } from "./completeness.ts";
import type {
  BlobLocation,
  BlobStat,
  ByteRange,
  Lease,
  NamedImage,
  NewRecord,
  PrunePlan,
  PrunePolicy,
  PruneReport,
  RecordEntry,
  Store,
  StoreRecord,
  Usage,
  VerifyProgress,
  VerifyReport,
} from "./contract.ts";
import { discardDamaged } from "./discard.ts";
import { Flusher } from "./flush.ts";
import { type Layout, makeFolder, openLayout } from "./layout.ts";
import { DiskLease } from "./lease.ts";
import { checkName, listNames, readName, removeName, writeName } from "./names.ts";
import { prune } from "./prune.ts";
import { workOutPrune } from "./prunePlan.ts";
import { listRecords, readRecord, removeRecord, touchRecord, writeRecord } from "./records.ts";
import { throwIfCancelled, writing, writingSync } from "./storeErrors.ts";
import { takeTicketLock } from "./ticketLock.ts";
import { measureUsage } from "./usage.ts";
import { verifyStore } from "./verify.ts";

export interface StoreOptions {
  /** Any folder; `store-v1/` is made in it when there is no store yet. */
  readonly dir: string;
  /** Milliseconds since 1970: when names were tagged and records used. Never part of an image. */
  readonly now: () => number;
}

/** Opens the store in a folder, or makes it. Throws `STORE_NEWER`, `STORE_READ_ONLY`, `STORE_FULL`, `STORE_UNUSABLE`. */
export function openStore(options: StoreOptions): Store {
  return new DiskStore(openLayout(options.dir), options.now);
}

/** The store on disk: what `contract.ts` promises, method by method, from the files beside this one. */
class DiskStore implements Store {
  readonly #layout: Layout;
  readonly #now: () => number;
  readonly #flusher: Flusher = new Flusher();
  readonly #leases = new Set<DiskLease>();

  constructor(layout: Layout, now: () => number) {
    this.#layout = layout;
    this.#now = now;
  }

  get dir(): string {
    return this.#layout.dir;
  }

  stat(digest: Digest): BlobStat | undefined {
    return statBlob(this.#layout, digest);
  }

  locate(digest: Digest): BlobLocation | undefined {
    return locateBlob(this.#layout, digest);
  }

  read(digest: Digest, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return readBlob(this.#layout, digest, range, signal);
  }

  readBytes(digest: Digest, maxBytes: number): Uint8Array {
    return readBlobBytes(this.#layout, digest, maxBytes);
  }

  lease(purpose: string): Lease {
    const lease = writingSync(
      this.dir,
      () => new DiskLease(this.#layout, this.#flusher, purpose, (ended) => this.#leases.delete(ended)),
    );
    this.#leases.add(lease);
    return lease;
  }

  async tag(name: string, target: Descriptor, signal: AbortSignal): Promise<void> {
    checkName(name);
    throwIfCancelled(signal, `tagging ${name}`);
    await using lease = this.lease(`tag ${name}`);
    await lease.pin(target.digest, signal);
    const missing = missingParts(this.#layout, target);
    if (missing.length > 0) {
      throw new EngineError("IMAGE_INCOMPLETE", {
        what: `tagging ${name}`,
        missing: missing.map((part) => part.digest),
      });
    }
    await writeName(this.#layout, this.#flusher, { name, target, taggedAtMs: this.#now() });
  }

  async untag(name: string): Promise<boolean> {
    return removeName(this.#layout, this.#flusher, name);
  }

  lookup(name: string): NamedImage | undefined {
    return readName(this.#layout, name);
  }

  list(): readonly NamedImage[] {
    return listNames(this.#layout);
  }

  async resolve(reference: string, _signal: AbortSignal): Promise<Descriptor | undefined> {
    const parsed = withDefaultTag(parseReference(reference));
    const named = this.lookup(formatReference(parsed));
    if (named !== undefined || parsed.digest === undefined) return named?.target;
    return this.#describe(parsed.digest);
  }

  async readDocument(descriptor: Descriptor, _signal: AbortSignal): Promise<Uint8Array> {
    return readBlobBytes(this.#layout, descriptor.digest, maxManifestBytes);
  }

  readBlob(descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return readBlob(this.#layout, descriptor.digest, {}, signal);
  }

  readRecord(kind: string, key: string): StoreRecord | undefined {
    return readRecord(this.#layout, kind, key);
  }

  writeRecord(record: NewRecord): void {
    writeRecord(this.#layout, record, this.#now());
  }

  touchRecord(kind: string, key: string): void {
    touchRecord(this.#layout, kind, key, this.#now());
  }

  removeRecord(kind: string, key: string): boolean {
    return removeRecord(this.#layout, kind, key);
  }

  listRecords(kind?: string): readonly RecordEntry[] {
    return listRecords(this.#layout, kind);
  }

  async lock(key: string, signal: AbortSignal): Promise<AsyncDisposable> {
    const folder = path.join(this.#layout.locks, digestHex(digestOf(key)).slice(0, 32));
    return writing(this.dir, async () => {
      makeFolder(folder);
      return takeTicketLock(folder, `waiting for the lock on ${key}`, signal);
    });
  }

  async planPrune(policy: PrunePolicy, signal: AbortSignal): Promise<PrunePlan> {
    throwIfCancelled(signal, "planning a prune");
    return workOutPrune(this.#layout, policy, this.#now()).plan;
  }

  async prune(policy: PrunePolicy, signal: AbortSignal): Promise<PruneReport> {
    return prune(this.#layout, policy, this.#now(), signal);
  }

  async verify(
    signal: AbortSignal,
    onProgress: (progress: VerifyProgress) => void = () => undefined,
  ): Promise<VerifyReport> {
    await using lease = this.lease("verify");
    return await verifyStore(this.#layout, lease, signal, onProgress);
  }

  async discardDamaged(digest: Digest, signal: AbortSignal): Promise<boolean> {
    return writing(this.dir, () => discardDamaged(this.#layout, digest, signal));
  }

  usage(): Usage {
    return measureUsage(this.#layout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lease of [...this.#leases]) await lease[Symbol.asyncDispose]();
  }

  /** A descriptor for a manifest or an index known by its digest alone. */
  #describe(digest: Digest): Descriptor | undefined {
    const stat = this.stat(digest);
    if (stat === undefined || stat.sizeBytes > maxManifestBytes) return undefined;
    const document = parseManifestOrIndex(this.readBytes(digest, maxManifestBytes), `manifest ${digest}`);
    const mediaType = document.kind === "index" ? document.index.mediaType : document.manifest.mediaType;
    return { mediaType, digest, size: stat.sizeBytes };
  }
}

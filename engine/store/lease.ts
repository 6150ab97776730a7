import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, statSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { type Digest, type DigestAlgorithm, digestOf } from "../oci/digest.ts";
import { statBlob } from "./blobs.ts";
import { createBlobWriter } from "./blobWriter.ts";
import type { BlobStat, BlobWriter, ExpectedBlob, Lease, RecipePart, SegmentId, SegmentWriter } from "./contract.ts";
import { type Flusher, writeAllSync } from "./flush.ts";
import { blobPath, entriesOf, type Layout, makeFolder, recipePath, removeFile, segmentPath } from "./layout.ts";
import { beat, heartbeatMs, isAlive, ownIdentity } from "./liveness.ts";
import { decodeRecipe, encodeRecipe, makeRecipe, type Recipe } from "./recipe.ts";
import { errnoOf, writing, writingSync } from "./storeErrors.ts";
import { sweepsThreatening, waitForSweeps } from "./sweep.ts";

const segmentPrefix = "segment:";
const never = new AbortController().signal;

/** The key of a segment among pins and in announcements of sweeps; blobs go by their digest. */
export function segmentKey(id: SegmentId): string {
  return `${segmentPrefix}${id}`;
}

/** What a pin's key names. */
export function readKey(key: string): { readonly segment: SegmentId } | { readonly digest: Digest } {
  return key.startsWith(segmentPrefix)
    ? { segment: key.slice(segmentPrefix.length) as SegmentId }
    : { digest: key as Digest };
}

/**
 * A lease on disk: a file named after its process, to which pins are appended, and a folder under `tmp/` of the same name.
 * Not flushed: whoever dies with the machine holds nothing afterwards.
 */
export class DiskLease implements Lease {
  readonly #layout: Layout;
  readonly #flusher: Flusher;
  readonly #name: string;
  readonly #tmp: string;
  /** Undefined on a store that cannot be written: nobody prunes there, so nothing needs a pin. */
  readonly #fd: number | undefined;
  readonly #pulse: NodeJS.Timeout;
  /** Keys whose pin is written and which no sweep threatened afterwards. */
  readonly #safe = new Set<string>();
  readonly #writers = new Set<BlobWriter>();
  readonly #unfinished = new Set<Promise<unknown>>();
  #born = 0;
  #ended = false;

  readonly #onEnd: (lease: DiskLease) => void;

  constructor(layout: Layout, flusher: Flusher, purpose: string, onEnd: (lease: DiskLease) => void) {
    this.#onEnd = onEnd;
    this.#layout = layout;
    this.#flusher = flusher;
    this.#name = `${ownIdentity()}_${randomBytes(8).toString("hex")}`;
    this.#tmp = path.join(layout.tmp, this.#name);
    this.#fd = openLeaseFile(layout, this.#name, purpose);
    this.#pulse = setInterval(() => beat(path.join(layout.leases, this.#name)), heartbeatMs);
    this.#pulse.unref();
  }

  async pin(digest: Digest, signal: AbortSignal): Promise<BlobStat | undefined> {
    await this.#hold([digest], signal);
    return statBlob(this.#layout, digest);
  }

  async pinAll(digests: readonly Digest[], signal: AbortSignal): Promise<ReadonlyMap<Digest, BlobStat>> {
    await this.#hold(digests, signal);
    const found = new Map<Digest, BlobStat>();
    for (const digest of digests) {
      const stat = statBlob(this.#layout, digest);
      if (stat !== undefined) found.set(digest, stat);
    }
    return found;
  }

  async pinSegment(id: SegmentId, signal: AbortSignal): Promise<boolean> {
    await this.#hold([segmentKey(id)], signal);
    return statSync(segmentPath(this.#layout, id), { throwIfNoEntry: false }) !== undefined;
  }

  putBytes(bytes: Uint8Array, algorithm: DigestAlgorithm = "sha256"): Promise<BlobStat> {
    return this.#finishing(this.#putBytes(bytes, algorithm));
  }

  async #putBytes(bytes: Uint8Array, algorithm: DigestAlgorithm): Promise<BlobStat> {
    const digest = digestOf(bytes, algorithm);
    const stat: BlobStat = { digest, sizeBytes: bytes.byteLength, heldAs: "whole" };
    await writing(this.#layout.dir, async () => {
      await this.#hold([digest], never);
      const place = blobPath(this.#layout, digest);
      if (!holds(place, bytes)) await this.#publishBytes(bytes, place);
    });
    return stat;
  }

  createBlob(expected?: ExpectedBlob): BlobWriter {
    const writer = createBlobWriter({
      dir: this.#layout.dir,
      born: writingSync(this.#layout.dir, () => this.#newFile("blob")),
      expected,
      publish: async (born, digest) =>
        this.#flusher.publish(born, blobPath(this.#layout, digest), () => this.#hold([digest], never)),
    });
    this.#writers.add(writer);
    return writer;
  }

  createSegment(): SegmentWriter {
    const id = randomBytes(16).toString("hex") as SegmentId;
    const born = writingSync(this.#layout.dir, () => this.#newFile("segment"));
    let committing: Promise<void> | undefined;
    return {
      id,
      path: born,
      commit: (): Promise<void> => {
        committing ??= this.#finishing(this.#commitSegment(born, id));
        return committing;
      },
      [Symbol.asyncDispose]: async (): Promise<void> => {
        await committing?.catch(() => undefined);
        await rm(born, { force: true });
      },
    };
  }

  async #commitSegment(born: string, id: SegmentId): Promise<void> {
    await writing(this.#layout.dir, async () => {
      if (statSync(born).size === 0) return;
      await this.#flusher.publish(born, segmentPath(this.#layout, id), () => this.#hold([segmentKey(id)], never));
    });
  }

  putRecipe(digest: Digest, parts: Iterable<RecipePart>): Promise<BlobStat> {
    return this.#finishing(this.#putRecipe(digest, parts));
  }

  async #putRecipe(digest: Digest, parts: Iterable<RecipePart>): Promise<BlobStat> {
    const recipe = makeRecipe(parts);
    await writing(this.#layout.dir, async () => {
      await this.#hold([digest, ...recipe.segments.map(segmentKey)], never);
      this.#checkParts(digest, recipe);
      if (!this.#hasSame(digest, recipe)) {
        await this.#publishBytes(encodeRecipe(recipe), recipePath(this.#layout, digest));
      }
    });
    return { digest, sizeBytes: recipe.sizeBytes, heldAs: "recipe" };
  }

  scratchDir(): string {
    return writingSync(this.#layout.dir, () => {
      const folder = path.join(this.#tmp, `scratch-${this.#born++}`);
      makeFolder(folder);
      return folder;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(this);
    clearInterval(this.#pulse);
    await Promise.allSettled(this.#unfinished);
    for (const writer of this.#writers) await writer[Symbol.asyncDispose]();
    await rm(this.#tmp, { recursive: true, force: true });
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    removeFile(path.join(this.#layout.leases, this.#name));
  }

  /** Disposal waits for writes that nobody has awaited yet, as when a scope is left with `return lease.putBytes(…)`. */
  #finishing<T>(write: Promise<T>): Promise<T> {
    const forget = (): void => {
      this.#unfinished.delete(write);
    };
    this.#unfinished.add(write);
    write.then(forget, forget);
    return write;
  }

  /** Writes the pins, then looks for a sweep that had no chance to see them, and waits for its end. */
  async #hold(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const fresh = keys.filter((key) => !this.#safe.has(key));
    if (fresh.length === 0 || this.#fd === undefined) return;
    const fd = this.#fd;
    // A line of its own before them ends whatever a write that failed half-way (a full disk) has left.
    const lines = Buffer.from(`\n${fresh.join("\n")}\n`, "latin1");
    writingSync(this.#layout.dir, () => writeAllSync(fd, lines));
    const sweeps = sweepsThreatening(this.#layout, fresh);
    if (sweeps.length > 0) await waitForSweeps(sweeps, "waiting for a running prune", signal);
    for (const key of fresh) this.#safe.add(key);
  }

  async #publishBytes(bytes: Uint8Array, place: string): Promise<void> {
    const born = this.#newFile("bytes");
    try {
      const handle = await open(born, "w");
      try {
        await handle.writeFile(bytes);
      } finally {
        await handle.close();
      }
      await this.#flusher.publish(born, place, async () => undefined);
    } finally {
      await rm(born, { force: true });
    }
  }

  #newFile(stem: string): string {
    const file = path.join(this.#tmp, `${stem}-${this.#born++}`);
    makeFolder(this.#tmp);
    closeSync(openSync(file, "wx"));
    return file;
  }

  #checkParts(digest: Digest, recipe: Recipe): void {
    const sizes = recipe.segments.map((id) => statSync(segmentPath(this.#layout, id), { throwIfNoEntry: false })?.size);
    for (let i = 0; i < recipe.segmentIndex.length; i++) {
      const size = sizes[recipe.segmentIndex[i] ?? 0];
      const end = (recipe.offsets[i] ?? 0) + (recipe.lengths[i] ?? 0);
      if (size === undefined || end > size) {
        const segment = recipe.segments[recipe.segmentIndex[i] ?? 0];
        throw new EngineError("BLOB_MISSING", {
          digest: `Segment ${segment} of ${digest}`,
          where: `the store ${this.#layout.dir}`,
        });
      }
    }
  }

  /** A whole blob of the right size makes a recipe needless; a recipe only counts when it is this one, so that writing again heals. */
  #hasSame(digest: Digest, recipe: Recipe): boolean {
    const stat = statBlob(this.#layout, digest);
    if (stat?.heldAs === "whole") return stat.sizeBytes === recipe.sizeBytes;
    if (stat === undefined) return false;
    const there = decodeRecipe(readFileSync(recipePath(this.#layout, digest)));
    return typeof there !== "string" && Buffer.from(encodeRecipe(there)).equals(encodeRecipe(recipe));
  }
}

/** Keys pinned by every living lease. Leases of dead processes are skipped here; `leftovers` lists them. */
export function readPins(layout: Layout): ReadonlySet<string> {
  const pins = new Set<string>();
  for (const name of entriesOf(layout.leases)) {
    const file = path.join(layout.leases, name);
    if (!isAlive(file)) continue;
    for (const line of readLines(file)) pins.add(line);
  }
  return pins;
}

/** What processes that are gone have left: files of leases, and whatever they had under `tmp/`. */
export function leftovers(layout: Layout): readonly string[] {
  const leaseLives = (name: string): boolean => {
    const file = path.join(layout.leases, name);
    return existsSync(file) && isAlive(file);
  };
  const leases = entriesOf(layout.leases).filter((name) => !leaseLives(name));
  // The folder of a lease has no heartbeat of its own; its lease has.
  const born = entriesOf(layout.tmp).filter((name) => !leaseLives(name) && !isAlive(path.join(layout.tmp, name)));
  return [...leases.map((name) => path.join(layout.leases, name)), ...born.map((name) => path.join(layout.tmp, name))];
}

/** Whole lines after the purpose. A line without its end is a pin whose writer has yet to look for our announcement: it will wait. */
function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, "latin1").split("\n").slice(1, -1);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

function openLeaseFile(layout: Layout, name: string, purpose: string): number | undefined {
  const file = path.join(layout.leases, name);
  let fd: number | undefined;
  try {
    fd = openSync(file, "ax");
    writeAllSync(fd, Buffer.from(`${purpose.replaceAll("\n", " ")}\n`, "utf8"));
    return fd;
  } catch (error) {
    if (fd !== undefined) {
      closeSync(fd);
      removeFile(file);
    }
    const code = errnoOf(error);
    if (code === "EROFS" || code === "EACCES" || code === "EPERM") return undefined;
    throw error;
  }
}

/** Whether a file has exactly these bytes; small files only. */
function holds(file: string, bytes: Uint8Array): boolean {
  try {
    return statSync(file).size === bytes.byteLength && readFileSync(file).equals(bytes);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

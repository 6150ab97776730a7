import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { EngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { readRecipe } from "./blobs.ts";
import type { RecordEntry, SegmentId } from "./contract.ts";
import type { Held } from "./inventory.ts";
import { blobPath, type Layout } from "./layout.ts";
import { readKey, readPins } from "./lease.ts";
import { listNames } from "./names.ts";
import { listRecords } from "./records.ts";
import { errnoOf } from "./storeErrors.ts";

/** Everything that keeps something else. */
export interface Roots {
  readonly pinned: readonly Digest[];
  readonly pinnedSegments: readonly SegmentId[];
  readonly named: readonly Digest[];
  readonly records: readonly RecordEntry[];
}

export interface Reached {
  readonly blobs: ReadonlySet<Digest>;
  readonly segments: ReadonlySet<SegmentId>;
}

/**
 * Reads what keeps something, in the one right order: leases before names before records. Whoever ends a lease has written the name
 * or record that is to stay before; so what leaves the first list while we read has entered a later one.
 */
export function readRoots(layout: Layout): Roots {
  const keys = [...readPins(layout)].map(readKey);
  const pinned = keys.flatMap((key) => ("digest" in key && isDigest(key.digest) ? [key.digest] : []));
  const pinnedSegments = keys.flatMap((key) => ("segment" in key ? [key.segment] : []));
  const named = listNames(layout).map((image) => image.target.digest);
  return { pinned, pinnedSegments, named, records: listRecords(layout) };
}

/** The blobs that names and leases keep. */
export function blobRoots(roots: Roots): readonly Digest[] {
  return [...roots.pinned, ...roots.named];
}

/** Whether a file holds something reached. */
export function isReached(held: Held, reached: Reached): boolean {
  return held.kind === "segment" ? reached.segments.has(held.segment) : reached.blobs.has(held.digest);
}

/** Follows references through the store. What a blob points at never changes, so it is read once per walker. */
export class Walker {
  readonly #layout: Layout;
  readonly #children = new Map<Digest, readonly Digest[]>();
  readonly #segments = new Map<Digest, readonly SegmentId[]>();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** All that the roots keep, the roots included, whether or not it is there. */
  reach(blobs: Iterable<Digest>, segments: Iterable<SegmentId>, records: readonly RecordEntry[]): Reached {
    const reached = { blobs: new Set<Digest>(), segments: new Set(segments) };
    this.#spread(blobs, reached);
    // A record that is kept with a blob speaks only once that blob is reached, which may reach the blob of another such record.
    let waiting = records;
    for (;;) {
      const speaks = (record: RecordEntry): boolean =>
        record.keptWith === undefined || reached.blobs.has(record.keptWith);
      const speaking = waiting.filter(speaks);
      if (speaking.length === 0) return reached;
      const heard = new Set(speaking);
      waiting = waiting.filter((record) => !heard.has(record));
      this.#spread(
        speaking.flatMap((record) => record.refs),
        reached,
      );
    }
  }

  /** What a manifest or an index points at; nothing for any other blob. */
  childrenOf(digest: Digest): readonly Digest[] {
    const known = this.#children.get(digest);
    if (known !== undefined) return known;
    const children = readChildren(blobPath(this.#layout, digest));
    if (children === undefined) return [];
    this.#children.set(digest, children);
    return children;
  }

  /** The segments of a blob held as a recipe. */
  segmentsOf(digest: Digest): readonly SegmentId[] {
    const known = this.#segments.get(digest);
    if (known !== undefined) return known;
    const segments = readSegments(this.#layout, digest);
    if (segments === undefined) return [];
    this.#segments.set(digest, segments);
    return segments;
  }

  #spread(from: Iterable<Digest>, reached: { readonly blobs: Set<Digest>; readonly segments: Set<SegmentId> }): void {
    const open = [...from];
    for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
      if (reached.blobs.has(digest)) continue;
      reached.blobs.add(digest);
      for (const segment of this.segmentsOf(digest)) reached.segments.add(segment);
      open.push(...this.childrenOf(digest));
    }
  }
}

/**
 * The references in a document that looks like a manifest or an index; undefined when the file is not there. Deliberately generous:
 * whatever carries a digest in one of the known places is kept, also in artifacts whose media type we do not know and in documents whose
 * own digest is wrong (their layers may be what repairs them cheaply). Manifests are always held whole.
 */
function readChildren(file: string): readonly Digest[] | undefined {
  const text = readIfObject(file);
  if (text === undefined) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return [];
  }
  if (!isObject(document) || document["schemaVersion"] !== 2) return [];
  const lists = [document["manifests"], document["layers"], document["blobs"]].flatMap((list) =>
    Array.isArray(list) ? (list as unknown[]) : [],
  );
  return [document["config"], document["subject"], ...lists].flatMap((item) => {
    const named = isObject(item) ? item["digest"] : undefined;
    return typeof named === "string" && isDigest(named) ? [named] : [];
  });
}

/** The text of a file that may be a JSON object, "" when it cannot be one, undefined when it is absent. */
function readIfObject(file: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const first = Buffer.alloc(1);
    const isObjectStart = readSync(fd, first, 0, 1, 0) === 1 && first[0] === 0x7b;
    return isObjectStart && fstatSync(fd).size <= maxManifestBytes ? readFileSync(fd, "utf8") : "";
  } finally {
    closeSync(fd);
  }
}

function readSegments(layout: Layout, digest: Digest): readonly SegmentId[] | undefined {
  try {
    return readRecipe(layout, digest)?.segments;
  } catch (error) {
    // A damaged recipe keeps nothing; `verify` tells about it.
    if (error instanceof EngineError) return [];
    throw error;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

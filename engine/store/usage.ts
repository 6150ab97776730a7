import type { Descriptor } from "../oci/descriptor.ts";
import type { ImageUsage, RecordEntry, RecordUsage, Usage } from "./contract.ts";
import { type Held, takeInventory } from "./inventory.ts";
import type { Layout } from "./layout.ts";
import { listNames } from "./names.ts";
import { blobRoots, isReached, type Reached, readRoots, Walker } from "./reachability.ts";

/** Bytes on disk, by image and by record. */
export function measureUsage(layout: Layout): Usage {
  const inventory = takeInventory(layout);
  const roots = readRoots(layout);
  const names = listNames(layout);
  const walker = new Walker(layout);
  const targets = new Map(names.map((image) => [image.target.digest, image.target]));
  const byTarget = new Map(
    [...targets.keys()].map((digest) => [
      digest,
      holdingsOf(
        inventory,
        walker.reach(
          [digest],
          [],
          roots.records.filter((record) => record.keptWith !== undefined),
        ),
      ),
    ]),
  );
  const byRecord = new Map(
    roots.records.map((record) => [record, holdingsOf(inventory, walker.reach(record.refs, [], []))]),
  );
  const holders = countHolders([...byTarget.values(), ...byRecord.values()]);
  const own = (held: ReadonlySet<Held>): number => bytesOf([...held].filter((item) => holders.get(item) === 1));
  const staying = walker.reach(blobRoots(roots), roots.pinnedSegments, roots.records);
  const recordBytes = roots.records.reduce((sum, record) => sum + record.sizeBytes, 0);
  const imageUsage = (name: string, target: Descriptor): ImageUsage => {
    const held = byTarget.get(target.digest) ?? new Set<Held>();
    return { name, target, sizeBytes: bytesOf(held), ownBytes: own(held) };
  };
  const recordUsage = (record: RecordEntry): RecordUsage => {
    const held = byRecord.get(record) ?? new Set<Held>();
    const { kind, key, lastUsedAtMs } = record;
    return {
      kind,
      key,
      lastUsedAtMs,
      sizeBytes: record.sizeBytes + bytesOf(held),
      ownBytes: record.sizeBytes + own(held),
    };
  };
  return {
    totalBytes: bytesOf(inventory) + recordBytes,
    blobBytes: bytesOf(inventory.filter((held) => held.kind !== "segment")),
    segmentBytes: bytesOf(inventory.filter((held) => held.kind === "segment")),
    recordBytes,
    reclaimableBytes: bytesOf(inventory.filter((held) => !isReached(held, staying))),
    images: names.map((image) => imageUsage(image.name, image.target)),
    records: roots.records.map(recordUsage),
  };
}

function holdingsOf(inventory: readonly Held[], reached: Reached): ReadonlySet<Held> {
  return new Set(inventory.filter((held) => isReached(held, reached)));
}

function countHolders(holdings: readonly ReadonlySet<Held>[]): ReadonlyMap<Held, number> {
  const counts = new Map<Held, number>();
  for (const held of holdings) for (const item of held) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

function bytesOf(items: Iterable<Held>): number {
  let sum = 0;
  for (const item of items) sum += item.file.sizeBytes;
  return sum;
}

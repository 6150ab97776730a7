import type { KeepRule, PrunePolicy, PruneReason, RecordEntry } from "./contract.ts";
import type { Held } from "./inventory.ts";
import { blobRoots, isReached, type Roots, type Walker } from "./reachability.ts";

/** Which records a policy drops, and why; in order of listing, the most recently used first. */
export function chooseRecords(
  policy: PrunePolicy,
  nowMs: number,
  roots: Roots,
  walker: Walker,
  inventory: readonly Held[],
): ReadonlyMap<RecordEntry, PruneReason> {
  const dropped = new Map<RecordEntry, PruneReason>();
  const fixed = roots.records.filter((record) => (policy.keep ?? []).some((rule) => keeps(rule, record, nowMs)));
  const isFixed = new Set(fixed);
  const open: RecordEntry[] = [];
  for (const record of roots.records) {
    if (isFixed.has(record)) continue;
    const { lastUsedAtMs } = record;
    const tooOld = policy.recordsUnusedForMs !== undefined && nowMs - lastUsedAtMs >= policy.recordsUnusedForMs;
    if (tooOld) dropped.set(record, { kind: "record-unused", lastUsedAtMs });
    else open.push(record);
  }
  if (policy.maxBytes === undefined) return dropped;
  const fits = countThatFits(open, policy.maxBytes, (records) =>
    bytesHeld([...fixed, ...records], roots, walker, inventory),
  );
  for (const record of open.slice(fits)) {
    dropped.set(record, { kind: "size-budget", lastUsedAtMs: record.lastUsedAtMs });
  }
  return dropped;
}

/** Bytes on disk of the records and of all that they, the names and the leases keep. */
export function bytesHeld(
  records: readonly RecordEntry[],
  roots: Roots,
  walker: Walker,
  inventory: readonly Held[],
): number {
  const reached = walker.reach(blobRoots(roots), roots.pinnedSegments, records);
  const held = inventory.reduce((sum, item) => (isReached(item, reached) ? sum + item.file.sizeBytes : sum), 0);
  return records.reduce((sum, record) => sum + record.sizeBytes, held);
}

/** How many from the front fit. More records never take fewer bytes, so halving finds it. */
function countThatFits(
  records: readonly RecordEntry[],
  maxBytes: number,
  bytesOf: (records: readonly RecordEntry[]) => number,
): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (bytesOf(records.slice(0, middle)) <= maxBytes) low = middle;
    else high = middle - 1;
  }
  return low;
}

function keeps(rule: KeepRule, record: RecordEntry, nowMs: number): boolean {
  if (rule.kind !== undefined && rule.kind !== record.kind) return false;
  if (rule.keyPrefix !== undefined && !record.key.startsWith(rule.keyPrefix)) return false;
  return rule.usedWithinMs === undefined || nowMs - record.lastUsedAtMs < rule.usedWithinMs;
}

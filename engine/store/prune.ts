import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { PruneItem, PrunePolicy, PruneReport } from "./contract.ts";
import type { Held } from "./inventory.ts";
import type { Layout } from "./layout.ts";
import { segmentKey } from "./lease.ts";
import { type WorkedOutPlan, workOutPrune } from "./prunePlan.ts";
import { blobRoots, isReached, readRoots } from "./reachability.ts";
import { removeRecord } from "./records.ts";
import { throwIfCancelled, writing } from "./storeErrors.ts";
import { announceSweep } from "./sweep.ts";
import { takeTicketLock } from "./ticketLock.ts";

const what = "Pruning the store";

/**
 * Frees what the policy allows: one prune at a time, beside any number of readers and writers.
 *
 * 1. Work out what goes, from names, records and leases as they are now.
 * 2. Drop the records, except those used since.
 * 3. Announce which blobs and segments are to be deleted (`sweep.ts` says why that is safe).
 * 4. Read leases, names and records again and spare whatever they reach now.
 * 5. Delete the rest, referrers before what they refer to; end the announcement.
 *
 * Killed at any point, what is left is whole: at most less was freed.
 */
export async function prune(
  layout: Layout,
  policy: PrunePolicy,
  nowMs: number,
  signal: AbortSignal,
): Promise<PruneReport> {
  return writing(layout.dir, async () => {
    await using _lock = await takeTicketLock(path.join(layout.locks, "prune"), what, signal);
    const work = workOutPrune(layout, policy, nowMs);
    const outcome = new Outcome();
    for (const { entry, item } of work.records) {
      throwIfCancelled(signal, what);
      outcome.count(item, removeRecord(layout, entry.kind, entry.key, entry.lastUsedAtMs));
    }
    if (work.condemned.length > 0) await sweep(layout, work, outcome, signal);
    for (const { path: file, item } of work.leftovers) {
      await rm(file, { recursive: true, force: true });
      outcome.count(item, true);
    }
    return outcome.report();
  });
}

async function sweep(layout: Layout, work: WorkedOutPlan, outcome: Outcome, signal: AbortSignal): Promise<void> {
  using _announcement = announceSweep(
    layout,
    work.condemned.map(({ held }) => keyOf(held)),
  );
  const roots = readRoots(layout);
  const staying = work.walker.reach(
    [...blobRoots(roots), ...work.young.digests],
    [...roots.pinnedSegments, ...work.young.segments],
    roots.records,
  );
  for (const { held, item } of work.condemned) {
    throwIfCancelled(signal, what);
    const goes = !isReached(held, staying) && existsSync(held.file.path);
    if (goes) await rm(held.file.path, { force: true });
    outcome.count(item, goes);
  }
}

function keyOf(held: Held): string {
  return held.kind === "segment" ? segmentKey(held.segment) : held.digest;
}

class Outcome {
  readonly #removed: PruneItem[] = [];
  #spared = 0;

  count(item: PruneItem, removed: boolean): void {
    if (removed) this.#removed.push(item);
    else this.#spared += 1;
  }

  report(): PruneReport {
    const freedBytes = this.#removed.reduce((sum, item) => sum + item.sizeBytes, 0);
    return { removed: this.#removed, freedBytes, spared: this.#spared };
  }
}

import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Digest } from "../oci/digest.ts";
import type { PruneItem, PrunePlan, PrunePolicy, PruneReason, RecordEntry, SegmentId } from "./contract.ts";
import { type Held, takeInventory } from "./inventory.ts";
import type { Layout } from "./layout.ts";
import { leftovers } from "./lease.ts";
import { blobRoots, isReached, readRoots, Walker } from "./reachability.ts";
import { bytesHeld, chooseRecords } from "./recordChoice.ts";

/** A plan with all that carrying it out needs. */
export interface WorkedOutPlan {
  readonly plan: PrunePlan;
  readonly walker: Walker;
  readonly records: readonly { readonly entry: RecordEntry; readonly item: PruneItem }[];
  /** What nothing kept reaches, referrers before what they refer to. */
  readonly condemned: readonly { readonly held: Held; readonly item: PruneItem }[];
  readonly leftovers: readonly { readonly path: string; readonly item: PruneItem }[];
  readonly young: Young;
}

/** Unreferenced but too young to go; they keep what they need, as roots do. */
export interface Young {
  readonly digests: readonly Digest[];
  readonly segments: readonly SegmentId[];
}

/** Works out what a prune would take. The inventory is read before the roots: what is born later is in neither, and so left alone. */
export function workOutPrune(layout: Layout, policy: PrunePolicy, nowMs: number): WorkedOutPlan {
  const inventory = takeInventory(layout);
  const roots = readRoots(layout);
  const walker = new Walker(layout);
  const dropped = chooseRecords(policy, nowMs, roots, walker, inventory);
  const kept = roots.records.filter((record) => !dropped.has(record));
  const referred = walker.reach(blobRoots(roots), roots.pinnedSegments, roots.records);
  const unreferred = inventory.filter((held) => !isReached(held, referred));
  const bornBeforeMs =
    policy.unreferencedForMs === undefined ? Number.POSITIVE_INFINITY : nowMs - policy.unreferencedForMs;
  const young = youngOf(unreferred, bornBeforeMs);
  const staying = walker.reach(
    [...blobRoots(roots), ...young.digests],
    [...roots.pinnedSegments, ...young.segments],
    kept,
  );
  const goes = inventory.filter((held) => !isReached(held, staying));
  const condemned = referrersFirst(goes, walker).map((held) => ({
    held,
    item: heldItem(held, walker, isReached(held, referred) ? { kind: "record-dropped" } : { kind: "unreferenced" }),
  }));
  const records = [...dropped].map(([entry, reason]) => ({ entry, item: recordItem(entry, reason) }));
  const left = leftovers(layout).map((file) => ({ path: file, item: leftoverItem(file) }));
  const beforeBytes =
    sum(inventory.map((held) => held.file.sizeBytes)) + sum(roots.records.map((one) => one.sizeBytes));
  const takenBytes = sum([...condemned, ...records].map((one) => one.item.sizeBytes));
  const items = [...records, ...condemned, ...left].map((one) => one.item);
  const neededBytes = policy.maxBytes === undefined ? 0 : bytesHeld(kept, roots, walker, inventory);
  const above = policy.maxBytes === undefined ? 0 : neededBytes - policy.maxBytes;
  return {
    plan: {
      items,
      freesBytes: sum(items.map((item) => item.sizeBytes)),
      beforeBytes,
      afterBytes: beforeBytes - takenBytes,
      ...(above > 0 ? { aboveBudgetBytes: above } : {}),
    },
    walker,
    records,
    condemned,
    leftovers: left,
    young,
  };
}

function youngOf(unreferred: readonly Held[], bornBeforeMs: number): Young {
  const young = unreferred.filter((held) => held.file.writtenAtMs > bornBeforeMs);
  return {
    digests: young.flatMap((held) => (held.kind === "segment" ? [] : [held.digest])),
    segments: young.flatMap((held) => (held.kind === "segment" ? [held.segment] : [])),
  };
}

/**
 * Orders files so that a referrer goes before what it refers to, segments last. A prune that is killed half-way then leaves no
 * manifest without its layers and no recipe without its segments.
 */
function referrersFirst(goes: readonly Held[], walker: Walker): readonly Held[] {
  const byDigest = Map.groupBy(
    goes.filter((held) => held.kind !== "segment"),
    (held) => held.digest,
  );
  const seen = new Set<Digest>();
  const childrenFirst: Held[] = [];
  // An own stack: a chain of indexes may be as deep as somebody cares to make it.
  const stack: { readonly digest: Digest; readonly done: boolean }[] = [...byDigest.keys()].map((digest) => ({
    digest,
    done: false,
  }));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { digest, done } = top;
    if (done) childrenFirst.push(...(byDigest.get(digest) ?? []));
    if (done || seen.has(digest) || !byDigest.has(digest)) continue;
    seen.add(digest);
    stack.push({ digest, done: true }, ...walker.childrenOf(digest).map((child) => ({ digest: child, done: false })));
  }
  return [...childrenFirst.reverse(), ...goes.filter((held) => held.kind === "segment")];
}

function heldItem(held: Held, walker: Walker, reason: PruneReason): PruneItem {
  const { sizeBytes } = held.file;
  switch (held.kind) {
    case "segment":
      return { type: "segment", what: held.segment, sizeBytes, reason };
    case "recipe":
      return { type: "recipe", what: held.digest, sizeBytes, reason };
    case "whole": {
      const type = walker.childrenOf(held.digest).length > 0 ? "image" : "blob";
      return { type, what: held.digest, sizeBytes, reason };
    }
    default:
      return held satisfies never;
  }
}

function recordItem(entry: RecordEntry, reason: PruneReason): PruneItem {
  return { type: "record", what: `${entry.kind}/${entry.key}`, sizeBytes: entry.sizeBytes, reason };
}

function leftoverItem(file: string): PruneItem {
  return { type: "leftover", what: path.basename(file), sizeBytes: treeBytes(file), reason: { kind: "left-behind" } };
}

function treeBytes(file: string): number {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.size;
  return sum(readdirSync(file).map((name) => treeBytes(path.join(file, name))));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

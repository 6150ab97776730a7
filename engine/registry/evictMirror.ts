import type { KeepRule, PrunePlan, PrunePolicy, PruneReport, Store } from "../store/contract.ts";
import { mirrorRecordKinds } from "./mirrorRecords.ts";

/** What a mirror may keep. */
export interface MirrorBudget {
  /** Bytes on disk that only the mirror needs. */
  readonly maxBytes?: number;
  /** Drop what was not asked for in this time. */
  readonly unusedForMs?: number;
  /** Repositories (`quay.io/coreos/etcd`) or whole hosts and paths (`quay.io/coreos/`) that stay whatever happens. */
  readonly pins: readonly string[];
}

/** Blobs that nothing refers to yet may belong to a push that is under way elsewhere. */
const graceMs = 60 * 60_000;

/** What `evictMirror` would free, with the reason for each; changes nothing. */
export async function planEviction(store: Store, budget: MirrorBudget, signal: AbortSignal): Promise<PrunePlan> {
  return store.planPrune(await policyOf(store, budget, signal), signal);
}

/** Drops the least recently used of what was mirrored until the budget holds. Images, pushed repositories, build cache and pins stay. */
export async function evictMirror(store: Store, budget: MirrorBudget, signal: AbortSignal): Promise<PruneReport> {
  return store.prune(await policyOf(store, budget, signal), signal);
}

async function policyOf(store: Store, budget: MirrorBudget, signal: AbortSignal): Promise<PrunePolicy> {
  const keep = [...otherRecords(store), ...pinned(budget.pins)];
  const age = budget.unusedForMs === undefined ? {} : { recordsUnusedForMs: budget.unusedForMs };
  const base = { keep, ...age, unreferencedForMs: graceMs };
  if (budget.maxBytes === undefined) return base;
  // The store's budget counts everything in it; what is not the mirror's comes on top of the mirror's own.
  const rest = await store.planPrune({ keep: otherRecords(store), maxBytes: 0, unreferencedForMs: graceMs }, signal);
  return { ...base, maxBytes: (rest.aboveBudgetBytes ?? 0) + budget.maxBytes };
}

function otherRecords(store: Store): readonly KeepRule[] {
  const mirrored = new Set<string>(Object.values(mirrorRecordKinds));
  const kinds = new Set(store.listRecords().map((record) => record.kind));
  return [...kinds].filter((kind) => !mirrored.has(kind)).map((kind) => ({ kind }));
}

function pinned(pins: readonly string[]): readonly KeepRule[] {
  const prefixes = pins.flatMap((pin) => (pin.endsWith("/") ? [pin] : [`${pin}:`, `${pin}@`]));
  return Object.values(mirrorRecordKinds).flatMap((kind) => prefixes.map((keyPrefix) => ({ kind, keyPrefix })));
}

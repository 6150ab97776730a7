import { EngineError } from "../errors.ts";
import type { DiskUsageResult, PruneParams, PruneResult, VerifyResult } from "../protocol.ts";
import { repositoryRecordKind } from "../registry/repositoryState.ts";
import type { KeepRule, PruneItem, PrunePolicy, Store } from "../store/contract.ts";
import { referrerKind } from "../store/referrers.ts";
import { containerOriginKind } from "./containerOrigins.ts";
import { buildRecordKind } from "./history.ts";
import { findImage, manifestsOf, normalise } from "./images.ts";
import { originKind } from "./origins.ts";

/** Records that no build takes anything from. */
const notCache: ReadonlySet<string> = new Set([buildRecordKind, originKind, containerOriginKind]);

/** What takes room in the store. */
export function diskUsage(store: Store): DiskUsageResult {
  const usage = store.usage();
  const taggedAt = new Map(store.list().map(({ name, taggedAtMs }) => [name, taggedAtMs]));
  return {
    totalBytes: usage.totalBytes,
    reclaimableBytes: usage.reclaimableBytes,
    items: [
      ...usage.images.map((image) => ({
        kind: "image" as const,
        name: image.name,
        sizeBytes: image.sizeBytes,
        lastUsedAt: taggedAt.get(image.name) ?? 0,
        inUse: true,
      })),
      ...usage.records.map((record) => ({
        kind: notCache.has(record.kind) ? ("other" as const) : ("cache" as const),
        name: `${record.kind} ${record.key.split("\0").at(-2) ?? record.key}`,
        sizeBytes: record.sizeBytes,
        lastUsedAt: record.lastUsedAtMs,
        inUse: false,
      })),
    ],
  };
}

/** Frees what nothing needs, or says what that would be. Names, running builds and what they need stay. */
export async function prune(
  store: Store,
  params: PruneParams,
  nowMs: number,
  signal: AbortSignal,
): Promise<PruneResult> {
  const policy = policyOf(store, params);
  const { pruneUnpacked } = await import("./unpackedLayers.ts");
  const { dir: storeDir } = store;
  const unpacked = await pruneUnpacked(
    { storeDir, nowMs, all: params.all === true, keepMs: params.keepMs, signal },
    params.dryRun,
  );
  const tree = unpacked === 0 ? [] : [{ kind: "unpacked", name: "layers unpacked for RUN", sizeBytes: unpacked }];
  if (params.dryRun) {
    const plan = await store.planPrune(policy, signal);
    return { dryRun: true, freedBytes: plan.freesBytes + unpacked, removed: [...plan.items.map(asRemoved), ...tree] };
  }
  const report = await store.prune(policy, signal);
  return {
    dryRun: false,
    freedBytes: report.freedBytes + unpacked,
    removed: [...report.removed.map(asRemoved), ...tree],
  };
}

function policyOf(store: Store, { all, keepMs, keepBytes }: PruneParams): PrunePolicy {
  return {
    // The history of builds is small and not a cache, what was pushed to the registry has no other record, and what is known of an image
    // stays as long as its name: `all` takes none of them.
    keep: [{ kind: buildRecordKind }, { kind: repositoryRecordKind }, ...factsOfNamedImages(store)],
    ...(all === true ? { recordsUnusedForMs: 0 } : {}),
    ...(keepMs === undefined ? {} : { recordsUnusedForMs: keepMs }),
    ...(keepBytes === undefined ? {} : { maxBytes: keepBytes }),
  };
}

function factsOfNamedImages(store: Store): readonly KeepRule[] {
  const manifests = store.list().flatMap(({ target }) => [target.digest, ...manifestsOf(store, target)]);
  return [...new Set(manifests)].flatMap((digest) =>
    [originKind, containerOriginKind, referrerKind].map((kind) => ({ kind, keyPrefix: digest })),
  );
}

function asRemoved({ type, what, sizeBytes }: PruneItem): PruneResult["removed"][number] {
  return { kind: type, name: what.replaceAll("\0", " "), sizeBytes };
}

/** Takes a name away; by digest, every name of it. Throws `IMAGE_NOT_FOUND`. */
export async function removeImage(store: Store, reference: string): Promise<{ readonly digest: string }> {
  const { target, names } = findImage(store, reference);
  const wanted = names.filter(({ name }) => reference === target.digest || name === normalise(reference));
  if (wanted.length === 0) throw new EngineError("IMAGE_NOT_FOUND", { reference, where: "the store" });
  for (const { name } of wanted) await store.untag(name);
  return { digest: target.digest };
}

/** Gives an image another name. Throws `IMAGE_NOT_FOUND`, `REFERENCE_INVALID`. */
export async function tagImage(
  store: Store,
  reference: string,
  newReference: string,
  signal: AbortSignal,
): Promise<{ readonly digest: string; readonly reference: string }> {
  const { target } = findImage(store, reference);
  const name = normalise(newReference);
  await store.tag(name, target, signal);
  return { digest: target.digest, reference: name };
}

/** Reads every blob and compares it with its digest. */
export async function verify(store: Store, signal: AbortSignal): Promise<VerifyResult> {
  const report = await store.verify(signal);
  return {
    checkedBlobs: report.blobs,
    checkedBytes: report.bytes,
    faults: report.damaged.map(({ digest, kind, problem }) => ({ digest, fault: `${kind}: ${problem}` })),
  };
}

import { EngineError } from "../errors.ts";
import { type Digest, shortDigest } from "../oci/digest.ts";
import { readBlob, statBlob } from "./blobs.ts";
import { missingParts } from "./completeness.ts";
import type { Damage, Lease, NamedImage, VerifyProgress, VerifyReport } from "./contract.ts";
import { takeInventory } from "./inventory.ts";
import type { Layout } from "./layout.ts";
import { listNames } from "./names.ts";
import { Walker } from "./reachability.ts";
import { damagedRecords, listRecords } from "./records.ts";

/**
 * Recomputes every digest and follows every reference. Everything is pinned before it is looked at, so that a prune beside it cannot
 * make a healthy store look damaged.
 */
export async function verifyStore(
  layout: Layout,
  lease: Lease,
  signal: AbortSignal,
  onProgress: (progress: VerifyProgress) => void,
): Promise<VerifyReport> {
  const digests = new Set(takeInventory(layout).flatMap((held) => (held.kind === "segment" ? [] : [held.digest])));
  const stats = await lease.pinAll([...digests], signal);
  const names = listNames(layout);
  await lease.pinAll(
    names.map((image) => image.target.digest),
    signal,
  );
  const totalBytes = [...stats.values()].reduce((sum, stat) => sum + stat.sizeBytes, 0);
  const damage = new Map<Digest, { readonly kind: Damage["kind"]; readonly problem: string }>();
  let doneBytes = 0;
  for (const digest of stats.keys()) {
    try {
      for await (const chunk of readBlob(layout, digest, {}, signal)) {
        doneBytes += chunk.byteLength;
        onProgress({ doneBytes, totalBytes });
      }
    } catch (error) {
      if (!(error instanceof EngineError) || error.code === "CANCELLED") throw error;
      damage.set(digest, { kind: "corrupt", problem: problemOf(error) });
    }
  }
  for (const image of names) addMissing(layout, image, damage);
  const walker = new Walker(layout);
  const damaged = [...damage].map(
    ([digest, { kind, problem }]): Damage => ({ digest, kind, problem, referredBy: waysTo(digest, names, walker) }),
  );
  return { blobs: stats.size, bytes: doneBytes, damaged, staleRecords: staleRecords(layout) };
}

function addMissing(
  layout: Layout,
  image: NamedImage,
  damage: Map<Digest, { readonly kind: Damage["kind"]; readonly problem: string }>,
): void {
  try {
    for (const part of missingParts(layout, image.target)) {
      const stat = statBlob(layout, part.digest);
      const problem =
        stat === undefined ? "it is not in the store" : `it has ${stat.sizeBytes} bytes, not ${part.size}`;
      if (!damage.has(part.digest))
        damage.set(part.digest, { kind: stat === undefined ? "missing" : "corrupt", problem });
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const { digest } = image.target;
    if (!damage.has(digest)) damage.set(digest, { kind: "corrupt", problem: problemOf(error) });
  }
}

/** `name → manifest → …` for every name that needs it. */
function waysTo(wanted: Digest, names: readonly NamedImage[], walker: Walker): readonly string[] {
  return names.flatMap((image) => {
    const way = findWay(image.target.digest, wanted, walker);
    return way === undefined ? [] : [[image.name, ...way.map(shortDigest)].join(" → ")];
  });
}

function findWay(from: Digest, wanted: Digest, walker: Walker): readonly Digest[] | undefined {
  const seen = new Set<Digest>([from]);
  const open: (readonly Digest[])[] = [[from]];
  for (let way = open.pop(); way !== undefined; way = open.pop()) {
    const last = way.at(-1);
    if (last === undefined || last === wanted) return way;
    for (const child of walker.childrenOf(last)) {
      if (seen.has(child)) continue;
      seen.add(child);
      open.push([...way, child]);
    }
  }
  return undefined;
}

function staleRecords(layout: Layout): readonly string[] {
  const dangling = listRecords(layout)
    .filter((record) => record.keptWith === undefined && record.refs.some((ref) => statBlob(layout, ref) === undefined))
    .map((record) => `${record.kind}/${record.key}`);
  return [...damagedRecords(layout), ...dangling];
}

function problemOf(error: EngineError): string {
  return "problem" in error.facts ? error.facts.problem : error.message;
}

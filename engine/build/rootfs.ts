import { lutimesSync, renameSync, rmdirSync, statfsSync } from "node:fs";
import { type ByteString, bytesOfText, fsPath } from "../byteString.ts";
import { unpackLayer } from "../layer/apply.ts";
import type { Owner } from "../layer/attributes.ts";
import type { LayerEntry } from "../layer/layerEntry.ts";
import { joinPath, parentPath, statOf } from "../layer/safePath.ts";
import { makeSpecialFiles, whiteoutDevice } from "../layer/specialFiles.ts";
import { readWhiteout } from "../layer/whiteout.ts";
import type { Digest } from "../oci/digest.ts";
import { chainIdOf, type HeldLayer, type LayerFacts, RootfsCache, type UnpackedLayer } from "./rootfsCache.ts";
import type { LayerSource, Rootfs, RootfsOptions, SandboxRun } from "./sandboxSpec.ts";

/** What `statfs` says of a tmpfs. */
const tmpfsMagic = 0x01021994;
/** A small file takes a page and an inode more than the tar says. */
const memoryPerTarByte = 2;

/**
 * Unpacks a chain of layers, bottom first, each once: what is there from earlier builds, or from another chain that begins with the same
 * layers, is used. A layer goes to memory when it fits the budget (creating files there is several times faster), else to disk.
 * Throws what `unpackLayer` throws; `CANCELLED`.
 */
export async function materialise(layers: readonly LayerSource[], options: RootfsOptions): Promise<Rootfs> {
  const disk = new RootfsCache(options.dir);
  const held: HeldLayer[] = [];
  const release = (): void => {
    for (const layer of held.splice(0)) layer.release();
  };
  try {
    let chainId: Digest | undefined;
    for (const layer of layers) {
      chainId = chainIdOf(chainId, layer.diffId);
      held.push(
        await holdLayer(
          layer,
          chainId,
          held.map((lower) => lower.layer),
          disk,
          options,
        ),
      );
    }
  } catch (error) {
    release();
    throw error;
  }
  const unpacked = held.map(({ layer }) => layer);
  return {
    layers,
    lowerDirs: unpacked.map(({ dir }) => dir).reverse(),
    runsDir: disk.runsDir,
    warnings: unpacked.flatMap(({ warnings }) => warnings),
    ownerOf: ownersOf(unpacked),
    [Symbol.asyncDispose]: async (): Promise<void> => release(),
  };
}

/**
 * Makes what a run wrote the unpacked form of the layer it became, so that the next RUN need not unpack it. To be called when the layer is
 * packed; the run's changes are gone afterwards. A run over a plain copy is left to be unpacked. `latestMtimeSeconds` is what the packer
 * clamped times to, so that later runs see the same times as from the layer.
 */
export async function adoptRun(
  run: SandboxRun,
  rootfs: Rootfs,
  layer: LayerSource,
  options: RootfsOptions & { readonly latestMtimeSeconds?: number },
): Promise<void> {
  if (run.method !== "overlay") return;
  const entries = await run.changes();
  await matchLayer(run.changesDir, entries, options);
  const chainId = [...rootfs.layers, layer].reduce<Digest | undefined>(
    (parent, { diffId }) => chainIdOf(parent, diffId),
    undefined,
  );
  if (chainId === undefined) return;
  const fill = async (dir: string): Promise<LayerFacts> => {
    rmdirSync(dir);
    renameSync(run.changesDir, dir);
    return { sizeBytes: layer.sizeBytes, warnings: [], unsetOwners: unsetOwnersOf(entries) };
  };
  const held = await new RootfsCache(options.dir).holdOrMake(chainId, fill, options.signal);
  held.release();
}

/** Brings the upper directory of a run to what unpacking its layer would give. */
async function matchLayer(
  dir: string,
  entries: readonly LayerEntry[],
  { latestMtimeSeconds, signal }: RootfsOptions & { readonly latestMtimeSeconds?: number },
): Promise<void> {
  const base = bytesOfText(dir);
  const deleted = entries
    .flatMap((entry) => readWhiteout(entry.path) ?? [])
    .flatMap((w) => (w.kind === "whiteout" ? w.path : []));
  // Those that are not there as devices are hidden by an opaque mark so far, which only overlayfs itself can read.
  const missing = deleted.filter((path) => statOf(joinPath(base, path)) === undefined);
  await makeSpecialFiles(dir, missing.map(whiteoutDevice), signal);
  const touched = new Set(missing.map(parentPath));
  const latest = latestMtimeSeconds ?? Number.POSITIVE_INFINITY;
  // Children before parents: nothing after this changes a directory.
  for (const entry of [...entries].reverse()) {
    const mtime = entry.mtimeSeconds + entry.mtimeNanoseconds / 1e9;
    if (readWhiteout(entry.path) !== undefined || (mtime <= latest && !touched.has(entry.path))) continue;
    const shown = Math.min(mtime, latest);
    lutimesSync(fsPath(joinPath(base, entry.path)), shown, shown);
  }
}

function unsetOwnersOf(entries: readonly LayerEntry[]): ReadonlyMap<ByteString, Owner> {
  if (process.geteuid?.() === 0) return new Map();
  const foreign = entries.filter(({ uid, gid }) => uid !== 0 || gid !== 0);
  return new Map(foreign.map(({ path, uid, gid }) => [path, { uid, gid }]));
}

/** Removes unpacked layers nobody uses, on disk and in memory; see `RootfsCache.prune`. Returns the bytes freed. */
export async function pruneRootfs(
  options: RootfsOptions & { readonly unusedSinceMs: number; readonly maxBytes: number },
): Promise<number> {
  const dirs = options.memory === undefined ? [options.dir] : [options.dir, options.memory.dir];
  let freed = 0;
  for (const dir of dirs) freed += await new RootfsCache(dir).prune(options, options.signal);
  return freed;
}

async function holdLayer(
  layer: LayerSource,
  chainId: Digest,
  below: readonly UnpackedLayer[],
  disk: RootfsCache,
  options: RootfsOptions,
): Promise<HeldLayer> {
  const { signal } = options;
  const onDisk = await disk.hold(chainId, signal);
  if (onDisk !== undefined) return onDisk;
  const memory = memoryCache(options);
  const inMemory = await memory?.hold(chainId, signal);
  if (inMemory !== undefined) return inMemory;
  const cache = memory !== undefined && fitsInMemory(layer.sizeBytes, memory, options) ? memory : disk;
  return cache.holdOrMake(chainId, (dir) => unpackOver(layer, dir, below, signal), signal);
}

async function unpackOver(
  layer: LayerSource,
  dir: string,
  below: readonly UnpackedLayer[],
  signal: AbortSignal,
): Promise<{ sizeBytes: number; warnings: readonly string[]; unsetOwners: ReadonlyMap<ByteString, Owner> }> {
  const applied = await unpackLayer(layer.open(signal), {
    root: dir,
    lowerDirs: below.map((lower) => lower.dir).reverse(),
    setOwners: process.geteuid?.() === 0,
    ownerBelow: ownersOf(below),
    signal,
  });
  return { sizeBytes: layer.sizeBytes, warnings: applied.warnings, unsetOwners: applied.unsetOwners };
}

/** The owner the topmost layer that says so gives a path. */
function ownersOf(layers: readonly UnpackedLayer[]): (path: ByteString) => Owner | undefined {
  const topFirst = layers.map(({ unsetOwners }) => unsetOwners).reverse();
  return (path) => topFirst.find((owners) => owners.has(path))?.get(path);
}

function memoryCache({ memory }: RootfsOptions): RootfsCache | undefined {
  return memory === undefined ? undefined : new RootfsCache(memory.dir);
}

function fitsInMemory(sizeBytes: number, cache: RootfsCache, { memory }: RootfsOptions): boolean {
  if (memory === undefined) return false;
  const system = statfsSync(memory.dir);
  if (system.type !== tmpfsMagic) return false;
  const used = cache.list().reduce((sum, layer) => sum + layer.sizeBytes, 0);
  const needed = sizeBytes * memoryPerTarByte;
  return used * memoryPerTarByte + needed <= memory.budgetBytes && needed <= system.bavail * system.bsize;
}

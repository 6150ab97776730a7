import { statfsSync } from "node:fs";
import type { ByteString } from "../byteString.ts";
import { unpackLayer } from "../layer/apply.ts";
import type { Owner } from "../layer/layerWriter.ts";
import type { Digest } from "../oci/digest.ts";
import { chainIdOf, type HeldLayer, RootfsCache, type UnpackedLayer } from "./rootfsCache.ts";
import type { LayerSource, Rootfs, RootfsOptions } from "./sandboxSpec.ts";

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

import { assembleLayer } from "../layer/assemble.ts";
import { decompress } from "../layer/decompress.ts";
import type { LayerEntry } from "../layer/layerEntry.ts";
import type { Digest } from "../oci/digest.ts";
import type { RunStep } from "../plan/steps.ts";
import { adoptRun, materialise } from "./rootfs.ts";
import { openMounts } from "./runMounts.ts";
import { runInSandbox } from "./sandbox.ts";
import type { LayerSource, RootfsOptions, SandboxRun } from "./sandboxSpec.ts";
import { ownLayer, type StageState } from "./stageRun.ts";
import type { NumberedStep, StepOutcome } from "./stepOutcome.ts";
import type { BuildWorkshop, StageLayer, Workshop } from "./workshop.ts";

/** Carries out a RUN in a sandbox and packs what it changed. Throws what `runInSandbox` and `materialise` throw. */
export async function carryOut(
  shop: BuildWorkshop,
  step: RunStep,
  numbered: NumberedStep,
  state: StageState,
  key: Digest,
  reason: string,
): Promise<StepOutcome> {
  const startedAt = shop.now();
  const options: RootfsOptions = {
    dir: shop.runDirs.rootfs,
    ...(shop.runDirs.memory === undefined ? {} : { memory: shop.runDirs.memory }),
    signal: shop.signal,
  };
  await using rootfs = await materialise(
    state.layers.map((layer) => layerSource(shop, layer)),
    options,
  );
  for (const warning of rootfs.warnings) shop.reporter.warning(numbered, warning);
  await using mounts = await openMounts(shop, step, state, options);
  await using run = await runInSandbox({
    rootfs,
    command: step.command,
    env: Object.fromEntries([...step.proxies, ...step.environment]),
    user: step.user,
    workingDir: step.workingDirectory,
    network: step.network === "default" ? shop.network : step.network,
    mounts: mounts.mounts,
    limits: {},
    onLine: (stream, line) => shop.reporter.output(numbered, stream, line),
    signal: shop.signal,
  });
  const made = await packRun(shop, run);
  if (made.diffId !== undefined) {
    const layer = layerSource(shop, ownLayer(made.diffId, made.sizeBytes));
    const { sourceDateEpoch } = shop;
    await adoptRun(run, rootfs, layer, {
      ...options,
      ...(sourceDateEpoch === undefined ? {} : { latestMtimeSeconds: sourceDateEpoch }),
    });
  }
  const builtAtMs = shop.now();
  const durationMs = Math.max(0, builtAtMs - startedAt);
  shop.memory.rememberLayer(key, { diffId: made.diffId, sizeBytes: made.sizeBytes, builtAtMs, durationMs });
  return {
    kind: "built",
    reason,
    layer: made.diffId === undefined ? undefined : { diffId: made.diffId, sizeBytes: made.sizeBytes },
    writtenBytes: made.writtenBytes,
    durationMs,
    builtAtMs,
    lastDurationMs: durationMs,
  };
}

/** A layer of the store as the sandbox unpacks it. */
export function layerSource(shop: Workshop, layer: StageLayer): LayerSource {
  const { diffId, descriptor } = layer;
  return {
    diffId,
    // Of a compressed layer only an estimate is known before it is unpacked.
    sizeBytes: descriptor.digest === diffId ? descriptor.size : descriptor.size * 3,
    open: (signal) => decompress(shop.store.read(descriptor.digest, {}, signal)),
  };
}

async function packRun(
  shop: BuildWorkshop,
  run: SandboxRun,
): Promise<{ readonly diffId: Digest | undefined; readonly sizeBytes: number; readonly writtenBytes: number }> {
  const entries = await run.changes();
  if (entries.length === 0) return { diffId: undefined, sizeBytes: 0, writtenBytes: 0 };
  const pieces = entries.map((entry) => ({ kind: "entry", entry: clamped(entry, shop.sourceDateEpoch) }) as const);
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  const readers = await shop.readersFor(pieces.length, bytes);
  await using segment = shop.lease.createSegment();
  const assembled = await assembleLayer(pieces, segment.path, { readers, signal: shop.signal });
  await segment.commit();
  const whole = [{ segment: segment.id, offset: 0, length: assembled.sizeBytes }];
  await shop.lease.putRecipe(assembled.diffId, whole);
  return { diffId: assembled.diffId, sizeBytes: assembled.sizeBytes, writtenBytes: assembled.writtenBytes };
}

/** Times in whole seconds, and not after the given epoch. */
function clamped(entry: LayerEntry, epoch: number | undefined): LayerEntry {
  const mtimeSeconds = epoch === undefined ? entry.mtimeSeconds : Math.min(entry.mtimeSeconds, epoch);
  return { ...entry, mtimeSeconds, mtimeNanoseconds: 0 };
}

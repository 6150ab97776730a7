import { type Definition, definitionKey } from "../cache/keys.ts";
import { assembleLayer } from "../layer/assemble.ts";
import { decompress } from "../layer/decompress.ts";
import type { LayerEntry } from "../layer/layerEntry.ts";
import type { Digest } from "../oci/digest.ts";
import type { RunStep } from "../plan/steps.ts";
import { cachedOutcome, toBuild } from "./buildHands.ts";
import { variableRecord, whyBuild } from "./reasons.ts";
import { adoptRun, materialise } from "./rootfs.ts";
import { openMounts } from "./runMounts.ts";
import { runInSandbox } from "./sandbox.ts";
import type { LayerSource, RootfsOptions, SandboxRun } from "./sandboxSpec.ts";
import { noLayer, ownLayer, type StageState, type StepDone, type StepHands } from "./stageRun.ts";
import type { NumberedStep, StepOutcome } from "./stepOutcome.ts";
import type { BuildWorkshop, StageLayer, Workshop } from "./workshop.ts";

/** RUN while building: from the cache when the same command ran over the same layers, else in a sandbox. */
export function runHands(shop: BuildWorkshop): StepHands["run"] {
  return async (step, numbered, state) => {
    const key = runKey(shop, step, state, await sourceDigests(step, state));
    const memory = shop.noCache ? undefined : shop.memory.layer(key);
    const present =
      memory !== undefined &&
      (memory.diffId === undefined || (await shop.lease.pin(memory.diffId, shop.signal)) !== undefined);
    const why = shop.noCache
      ? "the cache is switched off"
      : whyRun(shop, step, numbered, state, key, memory !== undefined);
    rememberRun(shop, step, numbered, state, key);
    if (memory !== undefined && present) {
      shop.memory.touchLayer(key, key);
      return doneWith(cachedOutcome(memory));
    }
    return doneWith(await carryOut(shop, step, numbered, state, key, why));
  };
}

/** RUN while planning: known when all layers below are. */
export function planRun(shop: Workshop): StepHands["run"] {
  return async (step, numbered, state) => {
    if (state.firstMissing !== undefined) {
      return noLayer("unknown", `line ${state.firstMissing.place.line} is built before it`);
    }
    if (!state.complete) return noLayer("unknown", "the stage below it is built before it");
    const sources = await sourceDigests(step, state);
    if (sources === undefined) return noLayer("unknown", "a stage it mounts is built before it");
    const key = runKey(shop, step, state, sources);
    const memory = shop.memory.layer(key);
    const present =
      memory !== undefined && (memory.diffId === undefined || shop.store.stat(memory.diffId) !== undefined);
    if (memory !== undefined && present) return doneWith(cachedOutcome(memory));
    return doneWith(toBuild(whyRun(shop, step, numbered, state, key, memory !== undefined)));
  };
}

function doneWith(outcome: StepOutcome): StepDone {
  const { layer } = outcome;
  return {
    outcome,
    layer: layer === undefined ? undefined : ownLayer(layer.diffId, layer.sizeBytes),
    shape: undefined,
    detected: undefined,
  };
}

/** The layers of the stages a RUN mounts, by name; undefined when one is not complete. */
async function sourceDigests(
  step: RunStep,
  state: StageState,
): Promise<Readonly<Record<string, readonly Digest[]>> | undefined> {
  const found: Record<string, readonly Digest[]> = {};
  for (const [name, index] of step.mountStages) {
    const stage = await state.stage(index);
    if (!stage.complete) return undefined;
    found[name] = stage.layers.map(({ diffId }) => diffId);
  }
  return found;
}

/** Everything the result of a RUN depends on: the layers below, the command, what it sees. Secrets by their id alone. */
function runKey(
  shop: Workshop,
  step: RunStep,
  state: StageState,
  sources: Readonly<Record<string, readonly Digest[]>> | undefined,
): Digest {
  const definition: Definition = {
    step: "run",
    command: { ...step.command },
    environment: step.environment.map(([name, value]) => `${name}=${value}`),
    user: step.user,
    workingDirectory: step.workingDirectory,
    mounts: step.mounts.map((mount) => Object.fromEntries(mount)),
    sources: sources ?? {},
    network: step.network,
    below: state.layers.map(({ diffId }) => diffId),
    sourceDateEpoch: shop.sourceDateEpoch ?? null,
  };
  return definitionKey(definition);
}

function whyRun(
  shop: Workshop,
  step: RunStep,
  numbered: NumberedStep,
  state: StageState,
  key: Digest,
  layerGone: boolean,
): string {
  return whyBuild({
    before: shop.memory.trace(numbered.identity),
    definition: key,
    variables: step.variables,
    below: belowOf(state),
    index: undefined,
    members: undefined,
    sourceOf: () => undefined,
    layerGone,
  });
}

function rememberRun(shop: Workshop, step: RunStep, numbered: NumberedStep, state: StageState, key: Digest): void {
  if (shop.memory.trace(numbered.identity)?.key === key) return;
  shop.memory.rememberTrace(numbered.identity, {
    key,
    definition: key,
    text: step.place.text,
    variables: variableRecord(step.variables),
    below: belowOf(state),
  });
}

function belowOf(state: StageState): string {
  return definitionKey({ below: state.layers.map(({ diffId }) => diffId) });
}

async function carryOut(
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
  const readers = shop.readersFor(pieces.length, bytes);
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

import { type Definition, definitionKey } from "../cache/keys.ts";
import type { Digest } from "../oci/digest.ts";
import type { RunStep } from "../plan/steps.ts";
import { cachedOutcome, toBuild } from "./buildHands.ts";
import { variableRecord, whyBuild } from "./reasons.ts";
import { noLayer, ownLayer, type StageState, type StepDone, type StepHands } from "./stageRun.ts";
import type { NumberedStep, StepOutcome } from "./stepOutcome.ts";
import type { BuildWorkshop, Workshop } from "./workshop.ts";

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
    // What a sandbox takes is loaded only when a RUN must be carried out.
    const { carryOut } = await import("./runCarryOut.ts");
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

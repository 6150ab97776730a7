import { findBaseImage } from "../build/baseImage.ts";
import { planHands, toBuild } from "../build/buildHands.ts";
import { allSteps, type PlatformPlan, planPlatform, runPlatform } from "../build/platformBuild.ts";
import { planRun } from "../build/runStep.ts";
import { type NumberedStep, type StepOutcome, silentReporter } from "../build/stepOutcome.ts";
import type { Workshop } from "../build/workshop.ts";
import { ContextMemory } from "../cache/contextMemory.ts";
import { StepMemory } from "../cache/stepMemory.ts";
import type { PlannedStep, PlanParams, PlanResult } from "../protocol.ts";
import { markKubefilePlace } from "./buildImage.ts";
import { markPlace } from "./errorPlace.ts";
import { openInputs } from "./inputs.ts";
import type { EngineParts } from "./parts.ts";
import { layerSummary, stepInfo } from "./stepRecords.ts";

/**
 * Tells for every instruction whether the next build would take it from the cache, and why not. Builds nothing and writes only what it
 * learns of the context's files. Throws what evaluating the Kubefile throws.
 */
export async function planImage(parts: EngineParts, params: PlanParams, outer: AbortSignal): Promise<PlanResult> {
  const startedAt = performance.now();
  const inputs = openInputs(params, params.text);
  const { store } = parts;
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const memory = new StepMemory(store);
  const bases = { store, lease: undefined, puller: undefined, policy: "never", signal } as const;
  const shop: Workshop = {
    store,
    memory,
    context: inputs.context,
    contextMemory: new ContextMemory(memory, inputs.contextDir, parts.now()),
    readersFor: (files, bytes) => parts.readersFor(files, bytes),
    now: parts.now,
    sourceDateEpoch: params.sourceDateEpoch,
    image: (reference, platform) => findBaseImage(reference, platform, bases),
    signal,
  };
  const outcomes = new Map<number, StepOutcome>();
  const plans: PlatformPlan[] = [];
  try {
    for (const platform of inputs.platforms) {
      plans.push(await planPlatform(inputs.recipe, platform, allSteps(plans).length, bases));
    }
    const reporter = {
      ...silentReporter,
      finished: (step: NumberedStep, outcome: StepOutcome) => outcomes.set(step.id, outcome),
      failed: (step: NumberedStep, error: unknown) =>
        markPlace(error, { kubefile: inputs.recipe.path, line: step.place.line, endLine: step.place.endLine }),
    };
    const hands = planHands(shop, planRun(shop));
    for (const plan of plans) await runPlatform(shop, plan, hands, reporter, () => stop.abort());
  } catch (error) {
    markKubefilePlace(error, inputs.recipe.path);
    throw error;
  } finally {
    shop.contextMemory.save();
  }
  const steps = allSteps(plans).map((step) => plannedStep(step, outcomes.get(step.id) ?? toBuild("not reached")));
  return {
    kubefile: inputs.recipe.path,
    steps,
    problems: [],
    cachedSteps: steps.filter(({ status }) => status === "cached").length,
    buildSteps: steps.filter(({ status }) => status === "build" || status === "unknown").length,
    durationMs: performance.now() - startedAt,
  };
}

const statusOf = {
  cached: "cached",
  built: "cached",
  metadata: "metadata",
  toBuild: "build",
  unknown: "unknown",
} as const;

function plannedStep(step: NumberedStep, outcome: StepOutcome): PlannedStep {
  return {
    ...stepInfo(step),
    status: statusOf[outcome.kind],
    reason: outcome.reason,
    ...layerSummary(outcome.layer),
    ...(outcome.builtAtMs === undefined ? {} : { builtAt: outcome.builtAtMs }),
    ...(outcome.lastDurationMs === undefined ? {} : { lastDurationMs: outcome.lastDurationMs }),
  };
}

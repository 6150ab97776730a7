import { parse } from "../../kubefile/parse.ts";
import type { Kubefile } from "../../kubefile/syntax.ts";
import { platformValues } from "../../kubefile/variables.ts";
import { EngineError, isEngineError } from "../errors.ts";
import { formatPlatform, type Platform, parsePlatform } from "../oci/platform.ts";
import { evaluateStage, globalArguments, type PlanDialect } from "../plan/evaluate.ts";
import { type NeededStage, neededStages, type StageGraph } from "../plan/stages.ts";
import type { StagePlan } from "../plan/steps.ts";
import { type BaseImage, type BaseImageOptions, findBaseImage } from "./baseImage.ts";
import {
  evaluatedConfig,
  inheritedApplications,
  runStage,
  type StageJob,
  type StageResult,
  type StepHands,
} from "./stageRun.ts";
import type { NumberedStep, StepReporter } from "./stepOutcome.ts";
import type { Workshop } from "./workshop.ts";

/** What is built, apart from files: the Kubefile and the words of the command line. */
export interface Recipe {
  readonly kubefile: Kubefile;
  /** Path of the Kubefile, for messages and to tell its instructions from those of others. */
  readonly path: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  readonly dialect: PlanDialect;
  /** What the machine that builds is. */
  readonly buildPlatform: Platform;
}

/** Reads a Kubefile's text. Throws `KUBEFILE_NOT_TEXT` for what is no text. */
export function readKubefile(text: string, path: string): Kubefile {
  if (text.includes("\0")) throw new EngineError("KUBEFILE_NOT_TEXT", { path, offset: text.indexOf("\0") });
  return parse(text);
}

/** The image of one platform, evaluated: every step numbered, nothing done yet. */
export interface PlatformPlan {
  readonly platform: Platform;
  readonly graph: StageGraph;
  readonly jobs: ReadonlyMap<number, StageJob>;
}

/** Evaluates all stages the image of a platform needs. `firstId` numbers the steps. Finds base images, which may pull them. */
export async function planPlatform(
  recipe: Recipe,
  platform: Platform,
  firstId: number,
  bases: BaseImageOptions,
): Promise<PlatformPlan> {
  const platformText = formatPlatform(platform);
  const values = platformValues({ targetPlatform: platformText, buildPlatform: formatPlatform(recipe.buildPlatform) });
  const globals = globalArguments(recipe.kubefile, recipe.buildArgs, values);
  const graph = neededStages(recipe.kubefile, globals, values, recipe.target);
  const jobs = new Map<number, StageJob>();
  const apps = new Map<number, readonly string[]>();
  let nextId = firstId;
  for (const needed of graph.needed) {
    const base = await baseOf(needed, platform, bases);
    const parent = needed.base.kind === "stage" ? jobs.get(needed.base.index) : undefined;
    const inheritedApps =
      needed.base.kind === "stage" ? (apps.get(needed.base.index) ?? []) : [...inheritedApplications(base).keys()];
    const plan = evaluateStage({
      kubefile: recipe.kubefile,
      stage: needed.stage,
      globals,
      buildArgs: recipe.buildArgs,
      platform: values,
      base: parent === undefined ? base?.config : evaluatedConfig(parent.plan, platform),
      inheritedApps,
      dialect: recipe.dialect,
      stageNamed: (name) => graph.named(name, needed.index),
    });
    const steps = numberSteps(recipe, plan, needed, platformText, nextId);
    nextId += steps.length;
    apps.set(needed.index, [...inheritedApps, ...plan.cluster.apps.map(({ name }) => name)]);
    jobs.set(needed.index, { needed, plan, steps, base, platform });
  }
  return { platform, graph, jobs };
}

async function baseOf(
  needed: NeededStage,
  platform: Platform,
  bases: BaseImageOptions,
): Promise<BaseImage | undefined> {
  if (needed.base.kind !== "image") return undefined;
  const wanted = needed.base.platform === undefined ? platform : parsePlatform(needed.base.platform);
  return findBaseImage(needed.base.reference, wanted, bases);
}

function numberSteps(
  recipe: Recipe,
  plan: StagePlan,
  needed: NeededStage,
  platform: string,
  firstId: number,
): readonly NumberedStep[] {
  const seen = new Map<string, number>();
  return plan.steps.map(({ place }, index) => {
    const times = seen.get(place.text) ?? 0;
    seen.set(place.text, times + 1);
    const identity = [recipe.path, platform, needed.name, place.text, times].join("\0");
    return { id: firstId + index, place, stage: needed.name, platform, identity };
  });
}

/**
 * Carries out (or looks up) every stage of a platform: each as soon as the stages it reads are done, independent ones at the same time.
 * At the first failure `cancelOthers` is called, which must fire the workshop's signal.
 */
export async function runPlatform(
  shop: Workshop,
  platformPlan: PlatformPlan,
  hands: StepHands,
  reporter: StepReporter,
  cancelOthers: () => void,
): Promise<{ readonly plan: StagePlan; readonly result: StageResult }> {
  const { graph, jobs } = platformPlan;
  const running = new Map<number, Promise<StageResult>>();
  const stage = (index: number): Promise<StageResult> => {
    const known = running.get(index);
    if (known !== undefined) return known;
    const job = jobs.get(index);
    if (job === undefined) throw new Error(`stage ${index} was not planned`);
    const started = (async () => {
      const { base } = job.needed;
      const below = base.kind === "stage" ? await stage(base.index) : undefined;
      return runStage(shop, job, below, hands, reporter, stage);
    })();
    running.set(index, started);
    started.catch(cancelOthers);
    return started;
  };
  const all = [...jobs.keys()].map(stage);
  const settled = await Promise.allSettled(all);
  const failures = settled.flatMap((one): unknown[] => (one.status === "rejected" ? [one.reason] : []));
  // The stages that were cancelled for it come after the failure itself.
  if (failures.length > 0) throw failures.find((error) => !isEngineError(error, "CANCELLED")) ?? failures[0];
  const target = jobs.get(graph.target);
  if (target === undefined) throw new Error("the target was not planned");
  return { plan: target.plan, result: await stage(graph.target) };
}

/** All steps of several platforms, by id. */
export function allSteps(plans: readonly PlatformPlan[]): readonly NumberedStep[] {
  return plans.flatMap(({ jobs }) => [...jobs.values()].flatMap(({ steps }) => steps));
}

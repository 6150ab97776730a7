import { EngineError } from "../errors.ts";
import { type LayerShape, TreeShape } from "../layer/treeShape.ts";
import type { Application } from "../oci/clusterImage.ts";
import type { History, ImageConfig } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import type { Platform } from "../oci/platform.ts";
import type { NeededStage } from "../plan/stages.ts";
import type { CopyStep, RunStep, StagePlan, Step, WorkdirStep } from "../plan/steps.ts";
import { type AppDetection, stageApplications } from "./apps.ts";
import type { BaseImage } from "./baseImage.ts";
import { shapeOfLayer } from "./layerShapes.ts";
import type { NumberedStep, StepOutcome, StepReporter } from "./stepOutcome.ts";
import type { StageLayer, Workshop } from "./workshop.ts";

/** A stage that was evaluated, and what it stands on. */
export interface StageJob {
  readonly needed: NeededStage;
  readonly plan: StagePlan;
  readonly steps: readonly NumberedStep[];
  readonly base: BaseImage | undefined;
  readonly platform: Platform;
}

/** What a stage is when all its steps are done (or looked up). */
export interface StageResult {
  readonly layers: readonly StageLayer[];
  readonly history: readonly History[];
  readonly applications: ReadonlyMap<string, Application>;
  readonly containerImages: string | undefined;
  readonly shape: () => Promise<TreeShape>;
  /** False while planning when some layer is not there yet: then `layers` lacks it. */
  readonly complete: boolean;
  readonly base: { readonly name: string; readonly digest: Digest } | undefined;
}

/** How a step fared: its outcome, and what it adds to the stage. */
export interface StepDone {
  readonly outcome: StepOutcome;
  readonly layer: StageLayer | undefined;
  /** What it does to the tree; undefined when only its layer could tell. */
  readonly shape: LayerShape | undefined;
  readonly detected: { readonly app: string; readonly detection: AppDetection } | undefined;
}

/** Carries out steps of one kind, or says what would be done. */
export interface StepHands {
  copy(step: CopyStep, numbered: NumberedStep, stage: StageState): Promise<StepDone>;
  run(step: RunStep, numbered: NumberedStep, stage: StageState): Promise<StepDone>;
  workdir(step: WorkdirStep, numbered: NumberedStep, stage: StageState): Promise<StepDone>;
}

/** A stage under construction, as its steps see it. */
export interface StageState {
  readonly job: StageJob;
  readonly layers: readonly StageLayer[];
  readonly complete: boolean;
  /** Line of the first step that is not there yet, while planning. */
  readonly firstMissing: NumberedStep | undefined;
  shape(): Promise<TreeShape>;
  /** Another stage, when it is done. */
  stage(index: number): Promise<StageResult>;
}

/** Runs the steps of one stage in order. `below` is the result of the stage it starts from. */
export async function runStage(
  shop: Workshop,
  job: StageJob,
  below: StageResult | undefined,
  hands: StepHands,
  reporter: StepReporter,
  stage: (index: number) => Promise<StageResult>,
): Promise<StageResult> {
  const state = new Stage(shop, job, below, stage);
  for (const [index, step] of job.plan.steps.entries()) {
    const numbered = job.steps[index];
    if (numbered === undefined) continue;
    throwIfCancelled(shop.signal);
    const done = await oneStep(shop, step, numbered, state, hands, reporter);
    state.add(step, done, numbered);
  }
  for (const warning of job.plan.warnings) reporter.warning(undefined, warning.message);
  return state.finish();
}

async function oneStep(
  shop: Workshop,
  step: Step,
  numbered: NumberedStep,
  state: StageState,
  hands: StepHands,
  reporter: StepReporter,
): Promise<StepDone> {
  const startedAt = shop.now();
  reporter.started(numbered);
  try {
    const done = await carryOut(step, numbered, state, hands);
    const outcome = { ...done.outcome, durationMs: Math.max(0, shop.now() - startedAt) };
    reporter.finished(numbered, outcome);
    return { ...done, outcome };
  } catch (error) {
    reporter.failed(numbered, error, Math.max(0, shop.now() - startedAt));
    throw error;
  }
}

function carryOut(step: Step, numbered: NumberedStep, state: StageState, hands: StepHands): Promise<StepDone> {
  switch (step.kind) {
    case "copy":
      return hands.copy(step, numbered, state);
    case "run":
      return hands.run(step, numbered, state);
    case "workdir":
      return hands.workdir(step, numbered, state);
    case "metadata":
      return Promise.resolve(noLayer("metadata", "no layer"));
    default:
      return step satisfies never;
  }
}

/** The result of a step that makes no layer. */
export function noLayer(kind: StepOutcome["kind"], reason: string): StepDone {
  const outcome: StepOutcome = {
    kind,
    reason,
    layer: undefined,
    writtenBytes: 0,
    durationMs: 0,
    builtAtMs: undefined,
    lastDurationMs: undefined,
  };
  return { outcome, layer: undefined, shape: undefined, detected: undefined };
}

/** A layer of ours as a manifest lists it. */
export function ownLayer(diffId: Digest, sizeBytes: number): StageLayer {
  return { diffId, descriptor: { mediaType: mediaTypes.ociLayer, digest: diffId, size: sizeBytes } };
}

export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new EngineError("CANCELLED", { what: "Building the image" });
}

class Stage implements StageState {
  readonly job: StageJob;
  readonly #shop: Workshop;
  readonly #below: StageResult | undefined;
  readonly #stage: (index: number) => Promise<StageResult>;
  readonly #layers: StageLayer[];
  readonly #history: History[];
  readonly #detected = new Map<string, AppDetection>();
  /** The shapes of the layers of this stage that are not in `#tree` yet. */
  readonly #pending: (() => Promise<LayerShape>)[] = [];
  #tree: TreeShape | undefined;
  #firstMissing: NumberedStep | undefined;

  constructor(
    shop: Workshop,
    job: StageJob,
    below: StageResult | undefined,
    stage: (index: number) => Promise<StageResult>,
  ) {
    this.#shop = shop;
    this.job = job;
    this.#below = below;
    this.#stage = stage;
    this.#layers = [...(below?.layers ?? job.base?.layers ?? [])];
    this.#history = [...(below?.history ?? job.base?.config.history ?? [])];
  }

  get layers(): readonly StageLayer[] {
    return this.#layers;
  }

  get complete(): boolean {
    return this.#firstMissing === undefined && (this.#below?.complete ?? true);
  }

  get firstMissing(): NumberedStep | undefined {
    return this.#firstMissing;
  }

  stage(index: number): Promise<StageResult> {
    return this.#stage(index);
  }

  /** Directories and links of all layers up to here; read only when a step asks. */
  async shape(): Promise<TreeShape> {
    this.#tree ??= await this.#shapeBelow();
    for (const next of this.#pending.splice(0)) this.#tree.add(await next());
    return this.#tree;
  }

  add(step: Step, done: StepDone, numbered: NumberedStep): void {
    const { outcome, layer } = done;
    if (outcome.kind === "toBuild" || outcome.kind === "unknown") this.#firstMissing ??= numbered;
    if (done.detected !== undefined) this.#detected.set(done.detected.app, done.detected.detection);
    if (layer !== undefined) this.#layers.push(layer);
    const shape = done.shape;
    if (shape !== undefined) this.#pending.push(async () => shape);
    else if (layer !== undefined) this.#pending.push(() => shapeOfLayer(this.#shop, layer));
    if (step.kind !== "metadata" || step.inHistory) this.#remember(step, layer === undefined);
  }

  finish(): StageResult {
    const { job } = this;
    const inherited = this.#below?.applications ?? inheritedApplications(job.base);
    return {
      layers: this.#layers,
      history: this.#history,
      applications: stageApplications(inherited, job.plan.cluster, this.#detected),
      containerImages: this.#below === undefined ? job.base?.containerImages : this.#below.containerImages,
      shape: () => this.shape(),
      complete: this.complete,
      base:
        this.#below !== undefined
          ? this.#below.base
          : job.base && { name: job.base.reference, digest: job.base.descriptor.digest },
    };
  }

  #remember(step: Step, emptyLayer: boolean): void {
    this.#history.push({
      created: createdAt(this.#shop.sourceDateEpoch),
      created_by: step.place.text,
      ...(emptyLayer ? { empty_layer: true } : {}),
    });
  }

  async #shapeBelow(): Promise<TreeShape> {
    if (this.#below !== undefined) return new TreeShape(await this.#below.shape());
    const tree = new TreeShape();
    for (const layer of this.job.base?.layers ?? []) tree.add(await shapeOfLayer(this.#shop, layer));
    return tree;
  }
}

/** The applications of the image below, by name. */
export function inheritedApplications(base: BaseImage | undefined): ReadonlyMap<string, Application> {
  return new Map((base?.extension?.applications ?? []).map((application) => [application.name, application]));
}

/** The date an image and its history carry: the given epoch, else 1970, never the clock. RFC 3339. */
export function createdAt(sourceDateEpoch: number | undefined): string {
  return new Date((sourceDateEpoch ?? 0) * 1000).toISOString().replace(".000Z", "Z");
}

/** The configuration a later stage starts from, before that stage's layers are known. */
export function evaluatedConfig(plan: StagePlan, platform: Platform): ImageConfig {
  return {
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    ...(plan.config.author === undefined ? {} : { author: plan.config.author }),
    config: plan.config.runtime,
    rootfs: { type: "layers", diff_ids: [] },
  };
}

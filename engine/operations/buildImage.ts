import { findBaseImage } from "../build/baseImage.ts";
import { buildHands } from "../build/buildHands.ts";
import { writeImage, writeIndex } from "../build/imageDocuments.ts";
import { allSteps, type PlatformPlan, planPlatform, runPlatform } from "../build/platformBuild.ts";
import { runHands } from "../build/runStep.ts";
import { throwIfCancelled } from "../build/stageRun.ts";
import type { NumberedStep, StepOutcome, StepReporter } from "../build/stepOutcome.ts";
import type { BuildWorkshop } from "../build/workshop.ts";
import type { CollectProgress } from "../bundle/collect.ts";
import { ContextMemory } from "../cache/contextMemory.ts";
import { StepMemory } from "../cache/stepMemory.ts";
import { isEngineError } from "../errors.ts";
import { HeldUntil } from "../heldUntil.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import type { BuildParams, BuildRecord, BuildResult, PackedSummary } from "../protocol.ts";
import type { Lease, Store } from "../store/contract.ts";
import type { Packed } from "./containerImages.ts";
import { rememberContainerImages } from "./containerOrigins.ts";
import { markPlace, protocolError } from "./errorPlace.ts";
import { rememberBuild } from "./history.ts";
import { type OpenInputs, openInputs } from "./inputs.ts";
import { mayNeedImages } from "./mayNeedImages.ts";
import { rememberOrigin } from "./origins.ts";
import type { Packer } from "./packer.ts";
import type { EngineParts } from "./parts.ts";
import { runDirsOf, secretReader } from "./runInputs.ts";
import { RecordingReporter } from "./stepRecords.ts";

export type { CollectProgress, NumberedStep, StepOutcome };

/** Follows a build: all steps once they are known, then each as it goes. */
export interface BuildFollower extends StepReporter {
  planned(steps: readonly NumberedStep[]): void;
  /** How far the container images of a platform are. */
  containerImages(platform: string, progress: CollectProgress): void;
}

/**
 * Builds an image and names it. What was there stays as it was until the very end: a build that fails or is cancelled leaves no name and
 * no half-written blob, only layers in the cache. Throws what evaluating and carrying out the Kubefile throws; `placeOf` tells the line.
 */
export async function buildImage(
  parts: EngineParts,
  params: BuildParams,
  follower: BuildFollower,
  signal: AbortSignal,
): Promise<BuildResult> {
  const startedAt = parts.now();
  const references = params.tags.map((tag) => formatReference(withDefaultTag(parseReference(tag))));
  const inputs = openInputs(params, undefined);
  const recorder = new RecordingReporter(follower, inputs.recipe.path);
  const conclude = (rest: Pick<BuildRecord, "outcome" | "digest" | "error">): void =>
    rememberBuild(parts.store, {
      buildId: params.buildId,
      kubefile: inputs.recipe.path,
      contextDir: inputs.contextDir,
      startedAt,
      durationMs: Math.max(0, parts.now() - startedAt),
      references,
      steps: recorder.steps,
      ...rest,
    });
  try {
    const { target, sizeBytes, summary } = await buildAll(
      parts,
      params,
      inputs,
      references,
      recorder,
      follower,
      signal,
    );
    conclude({ outcome: "succeeded", digest: target.digest });
    return {
      buildId: params.buildId,
      digest: target.digest,
      references,
      sizeBytes,
      durationMs: Math.max(0, parts.now() - startedAt),
      ...countSteps(recorder),
      ...(summary === undefined ? {} : { containerImages: summary }),
    };
  } catch (error) {
    markKubefilePlace(error, inputs.recipe.path);
    conclude({ outcome: isEngineError(error, "CANCELLED") ? "cancelled" : "failed", error: protocolError(error) });
    throw error;
  }
}

/** Mistakes found while evaluating know their line themselves. */
export function markKubefilePlace(error: unknown, kubefile: string): void {
  if (!isEngineError(error, "KUBEFILE_INVALID")) return;
  markPlace(error, { kubefile, line: error.facts.line, endLine: error.facts.endLine });
}

async function buildAll(
  parts: EngineParts,
  params: BuildParams,
  inputs: OpenInputs,
  references: readonly string[],
  recorder: RecordingReporter,
  follower: BuildFollower,
  outer: AbortSignal,
  resolveOnly = false,
): Promise<Built> {
  const { store } = parts;
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  await using lease = store.lease(`build ${references[0] ?? inputs.recipe.path}`);
  const memory = new StepMemory(store);
  const bases = { store, lease, puller: parts.puller, policy: params.pull ?? "missing", signal } as const;
  const shop: BuildWorkshop = {
    store,
    lease,
    memory,
    context: inputs.context,
    contextMemory: new ContextMemory(memory, inputs.contextDir, parts.now()),
    readersFor: (files, bytes) => parts.readersFor(files, bytes),
    now: parts.now,
    sourceDateEpoch: params.sourceDateEpoch,
    noCache: params.noCache === true,
    fetch: parts.fetch,
    reporter: recorder,
    image: (reference, platform) => findBaseImage(reference, platform, bases),
    secret: secretReader(params.secrets ?? []),
    agentSocket: (id) => params.ssh?.find((agent) => agent.id === id)?.socket,
    network: params.network ?? "host",
    runDirs: runDirsOf(store.dir),
    signal,
  };
  const plans: PlatformPlan[] = [];
  for (const platform of inputs.platforms) {
    plans.push(await planPlatform(inputs.recipe, platform, allSteps(plans).length, bases));
  }
  recorder.planned(allSteps(plans));
  follower.planned(allSteps(plans));
  const hands = buildHands(shop, recorder, runHands(shop));
  await using held = new HeldUntil();
  let packer: Packer | undefined;
  const openOnce = async (stages: Awaited<ReturnType<typeof runPlatform>>): Promise<Packer | undefined> => {
    if (params.buildMode !== "all" || packer !== undefined) return packer;
    if (!resolveOnly && !(await mayNeedImages(params, inputs.recipe.path, stages))) return undefined;
    // Discovery, charts and registries are most of the engine: loaded when an image may need them.
    const { openPacker } = await import("./packer.ts");
    packer = held.use(await openPacker(parts, params, inputs, lease, signal, resolveOnly));
    return packer;
  };
  const images: PlatformImage[] = [];
  try {
    for (const plan of plans) {
      const stages = await runPlatform(shop, plan, hands, recorder, () => stop.abort());
      throwIfCancelled(signal);
      images.push(await imageOf(plan, stages, { lease, params, packer: await openOnce(stages), follower }));
    }
  } finally {
    // What was read is known whatever became of the build.
    shop.contextMemory.save();
    if (recorder.ranSomething) await (await import("./unpackedLayers.ts")).freeMemory(store.dir, outer);
  }
  const descriptors = images.map(({ descriptor }) => descriptor);
  const [single] = descriptors;
  const target = single !== undefined && images.length === 1 ? single : await writeIndex(lease, descriptors);
  throwIfCancelled(signal);
  rememberWhereFrom(store, images, inputs, recorder);
  for (const reference of references) await store.tag(reference, target, outer);
  const packed = images.flatMap((image) => image.packed ?? []);
  for (const warning of packer?.warnings(packed) ?? []) follower.warning(undefined, warning);
  const sizeBytes = images.reduce((sum, image) => sum + image.sizeBytes, 0);
  const summary = params.buildMode === "all" ? summaryOf(packed) : undefined;
  return { target, sizeBytes, packed, summary };
}

/** Adds up what was packed for all platforms. */
function summaryOf(packed: readonly Packed[]): PackedSummary {
  const sum = (value: (each: Packed) => number): number => packed.reduce((total, each) => total + value(each), 0);
  return {
    images: sum(({ collected }) => collected.images.length),
    sizeBytes: sum(({ layer }) => layer?.sizeBytes ?? 0),
    movedBytes: sum(({ collected }) => collected.movedBytes),
    left: packed.flatMap(({ collected }) => collected.left),
  };
}

/** Notes beside each platform's image which lines made its layers, and which places asked for its container images. */
function rememberWhereFrom(
  store: Store,
  images: readonly PlatformImage[],
  inputs: OpenInputs,
  recorder: RecordingReporter,
): void {
  for (const { descriptor, packed } of images) {
    rememberOrigin(store, descriptor, inputs, recorder.steps);
    rememberContainerImages(store, descriptor.digest, packed?.carried ?? []);
  }
}

interface PlatformImage {
  readonly descriptor: Descriptor;
  readonly sizeBytes: number;
  readonly packed: Packed | undefined;
}

/** The image of one platform, its container images packed when that was asked for. */
async function imageOf(
  { platform }: PlatformPlan,
  stages: Awaited<ReturnType<typeof runPlatform>>,
  to: {
    readonly lease: Lease;
    readonly params: BuildParams;
    readonly packer: Packer | undefined;
    readonly follower: BuildFollower;
  },
): Promise<PlatformImage> {
  const { lease, params, packer, follower } = to;
  const name = formatPlatform(platform);
  const packed = await packer?.pack(platform, stages, (progress) => follower.containerImages(name, progress));
  const result = packed?.result ?? stages.result;
  const additions = {
    type: params.type ?? "kube-installer",
    labels: params.labels ?? {},
    annotations: params.annotations ?? {},
    sourceDateEpoch: params.sourceDateEpoch,
  } as const;
  const descriptor = await writeImage(lease, platform, stages.plan, result, additions);
  return { descriptor, packed, sizeBytes: result.layers.reduce((sum, layer) => sum + layer.descriptor.size, 0) };
}

interface Built {
  readonly target: Descriptor;
  readonly sizeBytes: number;
  /** One per platform when container images were asked for; else none. */
  readonly packed: readonly Packed[];
  readonly summary: PackedSummary | undefined;
}

/**
 * Goes through a build without naming its image, to find what container images it needs and what their names stand for now. Layers stay in
 * the cache; no blob of a container image is fetched. Throws what `buildImage` throws.
 */
export async function resolveContainerImages(
  parts: EngineParts,
  params: BuildParams,
  follower: BuildFollower,
  signal: AbortSignal,
): Promise<{ readonly kubefile: string; readonly packed: readonly Packed[] }> {
  const inputs = openInputs(params, undefined);
  const recorder = new RecordingReporter(follower, inputs.recipe.path);
  const all = { ...params, buildMode: "all" } as const;
  const { packed } = await buildAll(parts, all, inputs, [], recorder, follower, signal, true);
  return { kubefile: inputs.recipe.path, packed };
}

function countSteps(recorder: RecordingReporter): Pick<BuildResult, "cachedSteps" | "builtSteps" | "writtenBytes"> {
  return {
    cachedSteps: recorder.steps.filter(({ outcome }) => outcome === "cached").length,
    builtSteps: recorder.steps.filter(({ outcome }) => outcome === "built").length,
    writtenBytes: recorder.writtenBytes,
  };
}

import type { Stage } from "../../kubefile/syntax.ts";
import { platformValues } from "../../kubefile/variables.ts";
import { type BaseImage, findBaseImage } from "../build/baseImage.ts";
import type { Recipe } from "../build/platformBuild.ts";
import { evaluatedConfig, inheritedApplications } from "../build/stageRun.ts";
import { type ByteString, bytesOfText, textOfBytes } from "../byteString.ts";
import { isEngineError } from "../errors.ts";
import { type ContainerImage, parseContainerImages } from "../oci/clusterImage.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { BuildContext } from "../plan/context.ts";
import { contextSources, placeSources, type TopSource } from "../plan/copyLayout.ts";
import { evaluateStage, globalArguments } from "../plan/evaluate.ts";
import { excludeRules } from "../plan/excludes.ts";
import { cleanPath } from "../plan/sources.ts";
import { type NeededStage, neededStages } from "../plan/stages.ts";
import type { CopySource, CopyStep, StagePlan } from "../plan/steps.ts";
import { hasWildcard, matchSegment } from "../plan/wildcard.ts";
import type { Store } from "../store/contract.ts";

/** Where the files of a context lie in the image that a Kubefile makes of it. */
export interface Landing {
  /** Path in the image → path in the context. Files that RUN makes and those of base images are not among them. */
  readonly files: ReadonlyMap<string, string>;
  /** The instructions of the wanted stage, and of those it starts from, that bring files; in order. */
  readonly instructions: readonly LandedInstruction[];
  /** Shell text of everything the image launches, as far as it can be told without building. */
  readonly commands: readonly string[];
  /** What the base image carries already; empty when it is not in the store. */
  readonly carried: readonly ContainerImage[];
}

/** An instruction that brings files. */
export interface LandedInstruction {
  readonly keyword: string;
  readonly app: string | undefined;
  readonly line: number;
  readonly endLine: number;
  /** Paths in the context. */
  readonly files: ReadonlySet<string>;
}

interface LandedStage {
  readonly files: Map<string, string>;
  readonly instructions: LandedInstruction[];
  readonly plan: StagePlan;
  readonly base: BaseImage | undefined;
  readonly apps: readonly string[];
}

/**
 * Works out where the files of a context go, without building or pulling: a base image that the store does not have counts as empty.
 * Throws what evaluating the Kubefile and finding the sources of its instructions throws.
 */
export async function landingOf(
  recipe: Recipe,
  context: BuildContext,
  platform: Platform,
  store: Store,
  signal: AbortSignal,
): Promise<Landing> {
  const values = platformValues({
    targetPlatform: formatPlatform(platform),
    buildPlatform: formatPlatform(recipe.buildPlatform),
  });
  const globals = globalArguments(recipe.kubefile, recipe.buildArgs, values);
  const graph = neededStages(recipe.kubefile, globals, values, recipe.target);
  const stages = new Map<number, LandedStage>();
  for (const needed of graph.needed) {
    const below = needed.base.kind === "stage" ? stages.get(needed.base.index) : undefined;
    const base = below === undefined ? await baseInStore(needed, platform, store, signal) : below.base;
    const inherited = inheritedApps(needed, below, base);
    const plan = evaluateStage({
      kubefile: recipe.kubefile,
      stage: needed.stage,
      globals,
      buildArgs: recipe.buildArgs,
      platform: values,
      base: below === undefined ? base?.config : evaluatedConfig(below.plan, platform),
      inheritedApps: inherited,
      dialect: recipe.dialect,
      stageNamed: (name) => graph.named(name, needed.index),
    });
    stages.set(needed.index, {
      files: new Map(below?.files),
      instructions: [...(below?.instructions ?? [])],
      apps: [...inherited, ...plan.cluster.apps.map(({ name }) => name)],
      ...{ plan, base },
    });
    await landSteps(needed.index, stages, context, signal);
  }
  const target = stages.get(graph.target);
  if (target === undefined) throw new Error("the target was not evaluated");
  return landingOfStage(target);
}

/** Applications of a base that is not here are taken to exist. */
function inheritedApps(
  { base: from, stage }: NeededStage,
  below: LandedStage | undefined,
  base: BaseImage | undefined,
): readonly string[] {
  if (below !== undefined) return below.apps;
  if (from.kind === "image" && base === undefined) return appsUsed(stage);
  return [...inheritedApplications(base).keys()];
}

async function landSteps(
  index: number,
  stages: ReadonlyMap<number, LandedStage>,
  context: BuildContext,
  signal: AbortSignal,
): Promise<void> {
  const stage = stages.get(index);
  for (const step of stage?.plan.steps ?? [])
    if (stage !== undefined && step.kind === "copy") await land(step, stage, stages, context, signal);
}

function landingOfStage({ files, instructions, plan, base }: LandedStage): Landing {
  const runtime = plan.config.runtime;
  return {
    files,
    instructions,
    commands: [
      ...plan.cluster.launchCommands,
      ...[...plan.cluster.appCommands.values()].flat(),
      ...(runtime.Entrypoint ?? []),
      ...(runtime.Cmd ?? []),
    ],
    carried:
      base?.containerImages === undefined ? [] : parseContainerImages(base.containerImages, base.descriptor.digest),
  };
}

async function baseInStore(
  { base }: NeededStage,
  platform: Platform,
  store: Store,
  signal: AbortSignal,
): Promise<BaseImage | undefined> {
  if (base.kind !== "image") return undefined;
  try {
    return await findBaseImage(base.reference, platform, {
      store,
      lease: undefined,
      puller: undefined,
      policy: "never",
      signal,
    });
  } catch (error) {
    if (isEngineError(error, "BASE_IMAGE_MISSING") || isEngineError(error, "BASE_PLATFORM_MISSING")) return undefined;
    throw error;
  }
}

/** Names that instructions use although nothing above may declare them. */
function appsUsed(stage: Stage): readonly string[] {
  return stage.instructions.flatMap((instruction) => {
    if (instruction.kind === "LAUNCH") return instruction.apps.map(({ value }) => value);
    if (instruction.kind !== "APPENV" && instruction.kind !== "APPCMDS") return [];
    return instruction.app === undefined ? [] : [instruction.app.value];
  });
}

async function land(
  step: CopyStep,
  stage: LandedStage,
  stages: ReadonlyMap<number, LandedStage>,
  context: BuildContext,
  signal: AbortSignal,
): Promise<void> {
  const sources = await sourcesOf(step, stages, context, signal);
  if (sources.length === 0) return;
  const path = cleanPath(bytesOfText(step.destination));
  const inside = path === "" ? "" : `${textOfBytes(path)}/`;
  const exists = path === "" || [...stage.files.keys()].some((file) => file.startsWith(inside));
  const { placed } = placeSources(sources, {
    instruction: step.place.keyword,
    path,
    intoDirectory: step.intoDirectory,
    exists,
    sourceCount: step.sources.length,
  });
  for (const { target, item } of placed) stage.files.set(textOfBytes(target), item);
  const { keyword, line, endLine } = step.place;
  const files = new Set(placed.map(({ item }) => item));
  stage.instructions.push({ keyword, app: step.app, line, endLine, files });
}

/** What a step brings, as paths in the context: directly, or through another stage. */
async function sourcesOf(
  step: CopyStep,
  stages: ReadonlyMap<number, LandedStage>,
  context: BuildContext,
  signal: AbortSignal,
): Promise<readonly TopSource<string>[]> {
  const patterns = step.sources.flatMap((source) => (isPath(source) ? [source.pattern] : []));
  if (patterns.length === 0) return [];
  const excludes = excludeRules(step.excludes);
  if (step.origin.kind === "image") return [];
  if (step.origin.kind === "stage") {
    const from = stages.get(step.origin.index)?.files ?? new Map<string, string>();
    return patterns.flatMap((pattern) => stageSources(from, pattern));
  }
  const request = { instruction: step.place.keyword, sources: patterns, parents: step.parents, excludes };
  const found = await contextSources(context, request, signal);
  return found.map(({ name, isDirectory, items }) => ({
    name,
    isDirectory,
    items: items.flatMap(({ inside, item }) =>
      item.kind === "file" ? [{ inside, item: textOfBytes(item.path) }] : [],
    ),
  }));
}

function isPath(source: CopySource): source is Extract<CopySource, { kind: "path" }> {
  return source.kind === "path";
}

/** Files of another stage that a source means: one file, or everything below a directory. */
function stageSources(files: ReadonlyMap<string, string>, pattern: string): readonly TopSource<string>[] {
  const parts = cleanPath(bytesOfText(pattern)).split("/");
  const depth = parts[0] === "" ? 0 : parts.length;
  const tops = new Map<string, { inside: ByteString; item: string }[]>();
  for (const [path, item] of files) {
    const own = bytesOfText(path).split("/");
    const isMeant = own.length >= depth && parts.slice(0, depth).every((part, at) => isNamed(part, own[at] ?? ""));
    if (!isMeant) continue;
    const top = own.slice(0, depth).join("/");
    const inside = own.slice(depth).join("/") as ByteString;
    tops.set(top, [...(tops.get(top) ?? []), { inside, item }]);
  }
  return [...tops].map(([top, items]) => ({
    name: top.slice(top.lastIndexOf("/") + 1) as ByteString,
    isDirectory: items.some(({ inside }) => inside !== ""),
    items,
  }));
}

function isNamed(pattern: string, name: string): boolean {
  return hasWildcard(pattern) ? matchSegment(pattern, name) : pattern === name;
}

import { bytesOfText, textOfBytes } from "../byteString.ts";
import type { LayerMemory, StepTrace } from "../cache/stepMemory.ts";
import type { Digest } from "../oci/digest.ts";
import { cleanPath } from "../plan/sources.ts";
import type { CopyStep, WorkdirStep } from "../plan/steps.ts";
import { type CopyMember, impliedDirectory, shapeOfMembers } from "./copyEntries.ts";
import { type PreparedCopy, prepareCopy, writtenChecksum } from "./copyPreparation.ts";
import {
  copyInputs,
  type KnownCopy,
  knowContents,
  type MadeLayer,
  packDerived,
  packKnown,
  packUnknown,
  rememberedContents,
} from "./copyStep.ts";
import { variableRecord, whyBuild } from "./reasons.ts";
import { noLayer, ownLayer, type StageState, type StepDone, type StepHands } from "./stageRun.ts";
import type { NumberedStep, StepOutcome, StepReporter } from "./stepOutcome.ts";
import type { BuildWorkshop, Workshop } from "./workshop.ts";

/** What RUN needs beyond the workshop; whoever composes the engine brings it. */
export type RunHands = StepHands["run"];

/** Hands that build: from the cache where it has the result, else by packing. */
export function buildHands(shop: BuildWorkshop, reporter: StepReporter, run: RunHands): StepHands {
  return {
    run,
    async copy(step, numbered, state) {
      const prepared = await prepareCopy(shop, step, state, async (url, checksum) => {
        const { download } = await import("./download.ts");
        return download(shop, url, checksum);
      });
      return finishCopy(await buildCopy(shop, step, numbered, prepared, reporter));
    },
    async workdir(step, numbered, state) {
      const prepared = await prepareWorkdir(shop, step, state);
      if (prepared === undefined) return noLayer("metadata", "the directory is there");
      return finishCopy(await buildCopy(shop, step, numbered, prepared, reporter));
    },
  };
}

/** Hands that only look: what would be taken from the cache, and why the rest would not. */
export function planHands(shop: Workshop, run: RunHands): StepHands {
  return {
    run,
    async copy(step, numbered, state) {
      const known = async (url: string, checksum: string | undefined): Promise<Digest | undefined> =>
        writtenChecksum(checksum) ?? (await import("./download.ts")).knownDownload(shop, url)?.digest;
      return planCopy(shop, step, numbered, await prepareCopy(shop, step, state, known));
    },
    async workdir(step, numbered, state) {
      const prepared = await prepareWorkdir(shop, step, state);
      return prepared === undefined
        ? noLayer("metadata", "the directory is there")
        : planCopy(shop, step, numbered, prepared);
    },
  };
}

interface BuiltCopy {
  readonly prepared: PreparedCopy;
  readonly outcome: StepOutcome;
}

function finishCopy({ prepared, outcome }: BuiltCopy): StepDone {
  const { layer } = outcome;
  return {
    outcome,
    layer: layer === undefined ? undefined : ownLayer(layer.diffId, layer.sizeBytes),
    shape: prepared.shape,
    detected: prepared.detected,
  };
}

/** One COPY under way: what it is, when it began, and whom it tells. */
interface CopyTask {
  readonly shop: BuildWorkshop;
  readonly step: CopyStep | WorkdirStep;
  readonly numbered: NumberedStep;
  readonly prepared: PreparedCopy;
  readonly before: StepTrace | undefined;
  readonly startedAt: number;
  readonly onProgress: (done: number) => void;
}

async function buildCopy(
  shop: BuildWorkshop,
  step: CopyStep | WorkdirStep,
  numbered: NumberedStep,
  prepared: PreparedCopy,
  reporter: StepReporter,
): Promise<BuiltCopy> {
  const { inputs, derive } = prepared;
  if (inputs.members.length === 0 && derive === undefined) {
    return { prepared, outcome: noLayer("metadata", "nothing to copy").outcome };
  }
  const task: CopyTask = {
    shop,
    step,
    numbered,
    prepared,
    before: shop.memory.trace(numbered.identity),
    startedAt: shop.now(),
    onProgress: (done) => reporter.progress(numbered, done, prepared.totalBytes),
  };
  const remembered = rememberedContents(shop, inputs.members);
  const isNew =
    derive === undefined && remembered.unknown.length > 0 && !shop.memory.knowsDefinition(inputs.definition);
  const outcome = isNew ? await buildNew(task) : await buildKnown(task, remembered);
  return { prepared, outcome };
}

/** Nothing like it was ever built here: read and packed in one go, and dropped again in the rare case that the cache has it after all. */
async function buildNew(task: CopyTask): Promise<StepOutcome> {
  const { shop, prepared, startedAt, onProgress } = task;
  let hit: LayerMemory | undefined;
  const { known, made } = await packUnknown(shop, prepared.inputs, onProgress, (found) => {
    hit = shop.noCache ? undefined : shop.memory.layer(found.key);
    return hit === undefined;
  });
  const found = hit === undefined ? undefined : await cachedLayer(shop, known, hit);
  trace(task, known);
  if (found !== undefined) return found;
  if (made !== undefined) return builtOutcome(shop, known, made, startedAt, "not built before");
  return rebuild(shop, known, onProgress, startedAt, "its layer was pruned");
}

/** Looked up by content, and built from what an earlier layer of it still has. */
async function buildKnown(task: CopyTask, remembered: ReturnType<typeof rememberedContents>): Promise<StepOutcome> {
  const { shop, step, numbered, prepared, startedAt, onProgress } = task;
  const known = await knowContents(shop, prepared.inputs, remembered);
  const memory = shop.noCache ? undefined : shop.memory.layer(known.key);
  const found = memory === undefined ? undefined : await cachedLayer(shop, known, memory);
  const missed = shop.noCache ? "the cache is switched off" : undefined;
  const reason = found === undefined ? (missed ?? whyNot(shop, step, numbered, known, memory !== undefined)) : "";
  trace(task, known);
  if (found !== undefined) return found;
  if (prepared.derive === undefined) return rebuild(shop, known, onProgress, startedAt, reason);
  const made = await packDerived(shop, copyInputs({}, await prepared.derive(shop)), onProgress);
  return builtOutcome(shop, known, made, startedAt, reason);
}

async function rebuild(
  shop: BuildWorkshop,
  known: KnownCopy,
  onProgress: (done: number) => void,
  startedAt: number,
  reason: string,
): Promise<StepOutcome> {
  return builtOutcome(shop, known, await packKnown(shop, known, onProgress), startedAt, reason);
}

function builtOutcome(
  shop: BuildWorkshop,
  known: KnownCopy,
  made: MadeLayer,
  startedAt: number,
  reason: string,
): StepOutcome {
  const builtAtMs = shop.now();
  const durationMs = Math.max(0, builtAtMs - startedAt);
  shop.memory.rememberLayer(known.key, { diffId: made.diffId, sizeBytes: made.sizeBytes, builtAtMs, durationMs });
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

/** The remembered layer, pinned; undefined when it is gone. */
async function cachedLayer(
  shop: BuildWorkshop,
  known: { readonly key: Digest; readonly definition: Digest },
  memory: LayerMemory,
): Promise<StepOutcome | undefined> {
  if (memory.diffId !== undefined && (await shop.lease.pin(memory.diffId, shop.signal)) === undefined) return undefined;
  shop.memory.touchLayer(known.key, known.definition);
  return cachedOutcome(memory);
}

/** The outcome of a step the cache has. */
export function cachedOutcome(memory: LayerMemory): StepOutcome {
  return {
    kind: "cached",
    reason: "nothing it reads changed",
    layer: memory.diffId === undefined ? undefined : { diffId: memory.diffId, sizeBytes: memory.sizeBytes },
    writtenBytes: 0,
    durationMs: 0,
    builtAtMs: memory.builtAtMs,
    lastDurationMs: memory.durationMs,
  };
}

/** Notes how the instruction was, for the next time somebody asks what changed; writes only what is new. */
function trace({ shop, step, numbered, before }: CopyTask, known: KnownCopy): void {
  if (before?.key === known.key && before.definition === known.definition) return;
  shop.memory.rememberTrace(numbered.identity, {
    key: known.key,
    definition: known.definition,
    text: step.place.text,
    variables: variableRecord(step.variables),
    below: "",
  });
}

async function planCopy(
  shop: Workshop,
  step: CopyStep | WorkdirStep,
  numbered: NumberedStep,
  prepared: PreparedCopy,
): Promise<StepDone> {
  const { inputs } = prepared;
  const done = (outcome: StepOutcome): StepDone => finishCopy({ prepared, outcome });
  if (prepared.blocked !== undefined) return done(noLayer("unknown", prepared.blocked).outcome);
  if (inputs.members.length === 0 && prepared.derive === undefined) {
    return done(noLayer("metadata", "nothing to copy").outcome);
  }
  const remembered = rememberedContents(shop, inputs.members);
  if (
    prepared.derive === undefined &&
    remembered.unknown.length > 0 &&
    !shop.memory.knowsDefinition(inputs.definition)
  ) {
    return done(toBuild(whyNew(shop, step, numbered, inputs.definition)));
  }
  const known = await knowContents(shop, inputs, remembered);
  const memory = shop.memory.layer(known.key);
  const present = memory !== undefined && (memory.diffId === undefined || shop.store.stat(memory.diffId) !== undefined);
  if (memory !== undefined && present) return done(cachedOutcome(memory));
  return done({
    ...toBuild(whyNot(shop, step, numbered, known, memory !== undefined)),
    lastDurationMs: memory?.durationMs,
  });
}

/** The outcome of a step that a build would have to do. */
export function toBuild(reason: string): StepOutcome {
  return noLayer("toBuild", reason).outcome;
}

function whyNew(shop: Workshop, step: CopyStep | WorkdirStep, numbered: NumberedStep, definition: Digest): string {
  return whyBuild({
    before: shop.memory.trace(numbered.identity),
    definition,
    variables: step.variables,
    below: "",
    index: undefined,
    members: undefined,
    sourceOf: () => undefined,
    layerGone: false,
  });
}

function whyNot(
  shop: Workshop,
  step: CopyStep | WorkdirStep,
  numbered: NumberedStep,
  known: KnownCopy,
  layerGone: boolean,
): string {
  const sources = (): ReadonlyMap<string, string> =>
    new Map(
      known.members.flatMap(({ entry, source }) =>
        source === undefined ? [] : [[entry.path, textOfBytes(source.path)]],
      ),
    );
  return whyBuild({
    before: shop.memory.trace(numbered.identity),
    definition: known.definition,
    variables: step.variables,
    below: "",
    index: shop.memory.index(known.definition),
    members: { paths: known.members.map(({ entry }) => entry.path), facts: known.facts, contents: known.contents },
    sourceOf: (path) => sources().get(path),
    layerGone,
  });
}

/** WORKDIR as a copy of one directory, or undefined when the image below has it. */
async function prepareWorkdir(shop: Workshop, step: WorkdirStep, state: StageState): Promise<PreparedCopy | undefined> {
  const shape = await state.shape();
  const path = shape.resolve(cleanPath(bytesOfText(step.path)));
  if (shape.isDirectory(path)) return undefined;
  const attributes = { owner: undefined, sourceDateEpoch: shop.sourceDateEpoch };
  const members: CopyMember[] = [];
  const parts = path.split("/");
  for (let count = 1; count <= parts.length; count++) {
    const directory = parts.slice(0, count).join("/") as typeof path;
    if (!shape.isDirectory(directory))
      members.push({ entry: impliedDirectory(directory, attributes), source: undefined, digest: undefined });
  }
  const definition = { step: "workdir", path: step.path, sourceDateEpoch: shop.sourceDateEpoch ?? null };
  return {
    inputs: copyInputs(definition, members),
    shape: shapeOfMembers(members),
    totalBytes: 0,
    detected: undefined,
    derive: undefined,
    blocked: undefined,
  };
}

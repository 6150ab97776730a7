import { readFile } from "node:fs/promises";
import path from "node:path";
import { type KnownImage, knownImage } from "../bundle/knownImages.ts";
import { defaultKubeVersion } from "../chart/capabilities.ts";
import { commandPaths } from "../discover/commandPaths.ts";
import { discoverImages } from "../discover/discover.ts";
import type { Discovery, Finding, Unresolved } from "../discover/found.ts";
import { type ImageLock, ignoringEntry, type LockProblem, parseLock } from "../discover/lock.ts";
import { scanPlan } from "../discover/rootfs.ts";
import { ScanMemory } from "../discover/scanMemory.ts";
import { EngineError } from "../errors.ts";
import { type Platform, parsePlatform } from "../oci/platform.ts";
import type {
  DiscoveredImage,
  DiscoverParams,
  DiscoverResult,
  ImagePlace,
  InstructionImages,
  UnresolvedPlace,
} from "../protocol.ts";
import type { Store } from "../store/contract.ts";
import { type ContextTree, contextTree } from "./contextTree.ts";
import { hostPlatform, type OpenInputs, openInputs } from "./inputs.ts";
import { type Landing, landingOf } from "./landing.ts";
import { lockPath } from "./lockFile.ts";
import { readablePlaces } from "./namingLines.ts";
import type { EngineParts } from "./parts.ts";
import { unneededImages } from "./unneededImages.ts";

/** What is remembered between scans, by context. The least recently scanned context is forgotten first. */
export class DiscoverMemory {
  readonly #contexts = new Map<string, ContextMemory>();

  /** The memory of a context, the most recent from now on. */
  of(contextDir: string): ContextMemory {
    const memory = this.#contexts.get(contextDir) ?? {
      scans: new ScanMemory(),
      landing: undefined,
      running: undefined,
    };
    this.#contexts.delete(contextDir);
    this.#contexts.set(contextDir, memory);
    const [oldest] = this.#contexts.keys();
    if (this.#contexts.size > mostContexts && oldest !== undefined) this.#contexts.delete(oldest);
    return memory;
  }
}

const mostContexts = 8;

interface ContextMemory {
  readonly scans: ScanMemory;
  landing: { readonly key: string; readonly landing: Landing } | undefined;
  /** The scan under way: the next waits for it, so that what one learns the other knows. */
  running: Promise<unknown> | undefined;
}

/**
 * Tells which container images the files of a build context need: everywhere in it, and of each place whether the Kubefile brings it where
 * a build looks. Reads only files that changed since the last time; asks no registry and writes nothing.
 *
 * Throws `CONTEXT_MISSING`, `IGNORE_FILE_INVALID`, `KUBEFILE_MISSING`, `PLATFORM_INVALID`, `CANCELLED`. A Kubefile that cannot be evaluated is told in
 * the answer.
 */
export async function discoverContext(
  parts: EngineParts,
  params: DiscoverParams,
  memory: DiscoverMemory,
  signal: AbortSignal,
): Promise<DiscoverResult> {
  const startedAt = performance.now();
  const platform = params.platform === undefined ? hostPlatform() : parsePlatform(params.platform);
  const kubefile = params.kubefile ?? path.join(params.contextDir, "Kubefile");
  const inputs = openInputs({ contextDir: params.contextDir, kubefile }, unsavedText(params, kubefile));
  const own = memory.of(inputs.contextDir);
  const answer = await oneAtATime(own, () => lookThrough(parts, { params, inputs, platform, memory: own }, signal));
  return { ...answer, durationMs: performance.now() - startedAt };
}

/** One question, opened. */
interface Question {
  readonly params: DiscoverParams;
  readonly inputs: OpenInputs;
  readonly platform: Platform;
  readonly memory: ContextMemory;
}

async function lookThrough(
  parts: EngineParts,
  question: Question,
  signal: AbortSignal,
): Promise<Omit<DiscoverResult, "durationMs">> {
  const { params, inputs, platform } = question;
  const { scans } = question.memory;
  const tree = await contextTree(inputs.context, unsavedFiles(params), signal);
  scans.begin();
  const discovery = await discoverImages(tree, { ...everything, memory: scans, signal });
  const scanned = scans.made;
  const landing = await landed(parts, question, tree, signal);
  const lock = await readLockOf(inputs, params);
  const isPacked = await packedTest(tree, landing, signal);
  const places = await readablePlaces(tree, discovery.findings, scans, isPacked, signal);
  scans.end();
  const images = imageFacts({ store: parts.store, places, lock, landing, platform });
  return {
    contextDir: inputs.contextDir,
    kubefile: inputs.recipe.path,
    images,
    places,
    unresolved: discovery.unresolved.map((entry) => unresolvedPlace(entry, isPacked)),
    instructions: "problem" in landing ? [] : instructionImages(landing, discovery, images),
    lock: {
      path: lock.path,
      exists: lock.exists,
      problems: lock.problems,
      unneeded: await unneededImages(tree, lock.lock, discovery, signal),
    },
    ...("problem" in landing ? { kubefileProblem: landing.problem } : {}),
    scanned,
  };
}

const everything = {
  scope: "everything",
  commands: [],
  rules: [],
  charts: { capabilities: { kubeVersion: defaultKubeVersion, extraApiVersions: [] }, valueSets: [] },
} as const;

/** Path in the context → text that is newer than the file. */
function unsavedFiles({ contextDir, files }: DiscoverParams): ReadonlyMap<string, string> {
  return new Map(
    (files ?? []).map((file) => [path.relative(contextDir, file.path).split(path.sep).join("/"), file.text]),
  );
}

function unsavedText(params: DiscoverParams, file: string): string | undefined {
  return params.files?.find((unsaved) => path.resolve(unsaved.path) === path.resolve(file))?.text;
}

/** A scan that was superseded ends soon, by its signal; until then the next one waits. */
async function oneAtATime<Result>(memory: ContextMemory, run: () => Promise<Result>): Promise<Result> {
  while (memory.running !== undefined) await memory.running;
  const running = run();
  const ended = running.then(
    () => undefined,
    () => undefined,
  );
  memory.running = ended;
  try {
    return await running;
  } finally {
    memory.running = undefined;
  }
}

/** Where the context's files land: as last time when neither the Kubefile nor the names of files changed. */
async function landed(
  { store }: EngineParts,
  { inputs, platform, memory }: Question,
  tree: ContextTree,
  signal: AbortSignal,
): Promise<LandingOrProblem> {
  // A base image that came into the store changes the answer too; names are few, and looking is cheap.
  const names = store.list().map(({ name, target }) => `${name} ${target.digest}`);
  const key = [inputs.recipe.path, inputs.recipe.kubefile.text, tree.names, ...names].join("\0");
  if (memory.landing?.key === key) return memory.landing.landing;
  try {
    const landing = await landingOf(inputs.recipe, inputs.context, platform, store, signal);
    memory.landing = { key, landing };
    return landing;
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === "CANCELLED") throw error;
    return { problem: error.message };
  }
}

type LandingOrProblem = Landing | { readonly problem: string };

interface OpenLock {
  readonly path: string;
  readonly exists: boolean;
  readonly lock: ImageLock;
  readonly problems: readonly LockProblem[];
}

async function readLockOf(inputs: OpenInputs, params: DiscoverParams): Promise<OpenLock> {
  const file = lockPath(inputs.recipe.path);
  const text = unsavedText(params, file) ?? (await textOrNothing(file));
  return { path: file, exists: text !== undefined, ...parseLock(text ?? "version: 1\n") };
}

async function textOrNothing(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether a file, or the chart it belongs to, goes where a build looks for images. */
type PackedTest = (file: string) => ImagePlace["packed"];

async function packedTest(tree: ContextTree, landing: LandingOrProblem, signal: AbortSignal): Promise<PackedTest> {
  if ("problem" in landing) return () => "unknown";
  const paths = [...landing.files.keys()];
  const readScript = async (script: string): Promise<string> =>
    new TextDecoder().decode(await tree.read(landing.files.get(script) ?? script, signal));
  const named = await commandPaths(landing.commands, paths, readScript);
  const plan = scanPlan(paths, "rootfs", named);
  const scanned = new Set([...plan.manifests, ...plan.lists, ...plan.packages]);
  const folders = plan.charts.map((folder) => (folder === "" ? "" : `${folder}/`));
  const packed = new Set<string>();
  for (const [place, file] of landing.files)
    if (scanned.has(place) || folders.some((folder) => place.startsWith(folder))) packed.add(file);
  return (file) => (packed.has(file) ? "yes" : "no");
}

function unresolvedPlace({ text, reason, rule, origin }: Unresolved, isPacked: PackedTest): UnresolvedPlace {
  const packed = isPacked(origin.file);
  const stopsBuild = rule === "chart" && packed === "yes";
  return { text, reason, rule, file: origin.file, line: origin.line, packed, stopsBuild };
}

function imageFacts(from: {
  readonly store: Store;
  readonly places: readonly ImagePlace[];
  readonly lock: OpenLock;
  readonly landing: LandingOrProblem;
  readonly platform: Platform;
}): readonly DiscoveredImage[] {
  const { store, places, lock, landing, platform } = from;
  const carried = "problem" in landing ? [] : landing.carried;
  const base = new Set(carried.map(({ image }) => image));
  const asked = new Set(
    places.filter(({ packed, confidence }) => packed === "yes" && confidence !== "declared").map(({ image }) => image),
  );
  const names = new Set([...places, ...lock.lock.add].map(({ image }) => image));
  return [...names].sort().map((image) => {
    const known = knownImage(store, image, platform);
    const words = lockWords(image, lock.lock);
    const isPacked = words.added !== undefined || (asked.has(image) && words.ignored === undefined);
    const inBase = base.has(image);
    const problem = isPacked && !inBase && lock.exists ? problemOf(words.locked?.digest, known) : undefined;
    return {
      ...{ image, isPacked, inBase, cached: known?.isComplete === true },
      ...(known === undefined ? {} : { digest: known.digest }),
      ...(known?.sizeBytes === undefined ? {} : { sizeBytes: known.sizeBytes }),
      ...words,
      ...(problem === undefined ? {} : { problem }),
    };
  });
}

function lockWords(image: string, lock: ImageLock): Pick<DiscoveredImage, "locked" | "ignored" | "added"> {
  const locked = lock.images.find((entry) => entry.image === image);
  const ignored = ignoringEntry(image, lock);
  const added = lock.add.find((entry) => entry.image === image);
  return {
    ...(locked && { locked: { digest: locked.digest, line: locked.line ?? 1, optional: locked.optional } }),
    ...(ignored && { ignored: { pattern: ignored.image, reason: ignored.reason, line: ignored.line ?? 1 } }),
    ...(added && { added: { reason: added.reason, line: added.line ?? 1 } }),
  };
}

function problemOf(lockedDigest: string | undefined, known: KnownImage | undefined): DiscoveredImage["problem"] {
  if (lockedDigest === undefined) return "notLocked";
  return known !== undefined && known.digest !== lockedDigest ? "moved" : undefined;
}

/** The images of every APP, CNI and CSI, and of other instructions that bring some. */
function instructionImages(
  landing: Landing,
  discovery: Discovery,
  facts: readonly DiscoveredImage[],
): readonly InstructionImages[] {
  const packed = new Set(facts.filter(({ isPacked }) => isPacked).map(({ image }) => image));
  return landing.instructions.map(({ keyword, app, line, endLine, files }) => {
    const brought = discovery.findings.filter((finding) => packed.has(finding.image) && isBrought(finding, files));
    const images = [...new Set(brought.map(({ image }) => image))].sort();
    return { keyword, ...(app === undefined ? {} : { app }), line, endLine, images };
  });
}

function isBrought({ confidence, origin }: Finding, files: ReadonlySet<string>): boolean {
  return confidence !== "declared" && files.has(origin.file);
}

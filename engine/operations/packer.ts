import { readFile } from "node:fs/promises";
import path from "node:path";
import type { StageResult } from "../build/stageRun.ts";
import type { CollectProgress } from "../bundle/collect.ts";
import { applySet, SetError } from "../chart/setValues.ts";
import { writeYaml } from "../chart/yaml/write.ts";
import { parseRules } from "../discover/customRules.ts";
import { type ImageLock, lockDrift, requiredImages } from "../discover/lock.ts";
import { sealerListImages } from "../discover/sealerScan.ts";
import { EngineError } from "../errors.ts";
import type { Platform } from "../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import type { StagePlan } from "../plan/steps.ts";
import type { BuildInputs, ContainerImageChoices } from "../protocol.ts";
import type { RegistryClient } from "../remote/client.ts";
import type { Lease } from "../store/contract.ts";
import { type Packed, type PackingOptions, packContainerImages } from "./containerImages.ts";
import type { OpenInputs } from "./inputs.ts";
import { lockPath, readLock } from "./lockFile.ts";
import type { EngineParts } from "./parts.ts";

/** Packs the container images of one build's platforms, with one client. */
export interface Packer extends AsyncDisposable {
  readonly options: PackingOptions;
  pack(
    platform: Platform,
    stages: { readonly plan: StagePlan; readonly result: StageResult },
    onProgress: (progress: CollectProgress) => void,
  ): Promise<Packed>;
  /** What a person should know although the build succeeded. */
  warnings(packed: readonly Packed[]): readonly string[];
}

/**
 * Reads what was said about container images: the image lock beside the Kubefile, lists, values and rules. Throws `IMAGE_LOCK_INVALID`,
 * `FILE_UNREADABLE`, `DISCOVERY_RULES_INVALID`, `REFERENCE_INVALID`.
 */
export async function openPacker(
  parts: EngineParts,
  inputs: BuildInputs,
  open: OpenInputs,
  lease: Lease,
  signal: AbortSignal,
  resolveOnly = false,
): Promise<Packer> {
  const choices = inputs.containerImages ?? {};
  const { lock, exists } = await readLock(lockPath(open.recipe.path));
  const options: PackingOptions = {
    lock,
    holdToLock: choices.ignoreLockedDigests !== true,
    locked: choices.locked === true,
    freshness: choices.freshness ?? "newer",
    mirrors: new Map(Object.entries(choices.mirrors ?? {})),
    imageList: choices.imageListFile === undefined ? undefined : await namedText(choices.imageListFile),
    ignored: await ignoredNames(choices),
    valueSets: await valueSets(choices, lock, path.dirname(open.recipe.path)),
    rules:
      choices.rulesFile === undefined ? [] : parseRules((await namedText(choices.rulesFile)).text, choices.rulesFile),
    sourceDateEpoch: inputs.sourceDateEpoch,
    resolveOnly,
  };
  let client: (RegistryClient & AsyncDisposable) | undefined;
  const hands = {
    store: parts.store,
    lease,
    signal,
    async client() {
      if (parts.registryClient === undefined) throw new EngineError("REGISTRIES_UNAVAILABLE", {});
      client ??= await parts.registryClient(choices.insecureRegistries ?? []);
      return client;
    },
  };
  return {
    options,
    pack: (platform, { plan, result }, onProgress) =>
      packContainerImages(hands, platform, plan, result, options, onProgress),
    warnings: (packed) => [
      ...packed.flatMap(leftImages),
      ...(exists ? packed.flatMap((each) => driftWarnings(each, options)) : []),
    ],
    async [Symbol.asyncDispose]() {
      await client?.[Symbol.asyncDispose]();
    },
  };
}

function leftImages({ collected }: Packed): readonly string[] {
  return collected.left.map(({ image, reason }) => `the optional image ${image} is left out: ${reason}`);
}

function driftWarnings({ discovery }: Packed, options: PackingOptions): readonly string[] {
  const { missing, unneeded } = lockDrift(requiredImages(discovery, options.lock), options.lock);
  if (missing.length + unneeded.length === 0) return [];
  const parts = [
    ...(missing.length === 0 ? [] : [`${missing.length} not in it (${missing.map(({ image }) => image).join(", ")})`]),
    ...(unneeded.length === 0
      ? []
      : [`${unneeded.length} no longer needed (${unneeded.map(({ image }) => image).join(", ")})`]),
  ];
  return [`kubefile.lock is not up to date: ${parts.join(", ")}. Run kubefile lock.`];
}

async function namedText(file: string): Promise<{ readonly file: string; readonly text: string }> {
  try {
    return { file: path.basename(file), text: await readFile(file, "utf8") };
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new EngineError("FILE_UNREADABLE", { path: file, reason }, { cause });
  }
}

async function ignoredNames(choices: ContainerImageChoices): Promise<readonly string[]> {
  if (choices.ignoredImageListFile === undefined) return [];
  const { text } = await namedText(choices.ignoredImageListFile);
  return sealerListImages(text).map((name) => formatReference(withDefaultTag(parseReference(name))));
}

/** The sets of values that were given: each file of the command line and of the lock, and all assignments together. */
async function valueSets(
  choices: ContainerImageChoices,
  lock: ImageLock,
  lockDir: string,
): Promise<PackingOptions["valueSets"]> {
  const files = [...(choices.valuesFiles ?? []), ...lock.values.map((file) => path.resolve(lockDir, file))];
  const named = await Promise.all([...new Set(files)].map(namedText));
  const sets = named.map(({ file, text }) => ({ name: file, text }));
  const assignments = choices.setValues ?? [];
  return assignments.length === 0 ? sets : [...sets, { name: "--set", text: assignedValues(assignments) }];
}

function assignedValues(assignments: readonly string[]): string {
  const values = new Map();
  try {
    for (const assignment of assignments) applySet(values, assignment, "typed");
  } catch (error) {
    if (!(error instanceof SetError)) throw error;
    throw new EngineError("CHART_VALUES_INVALID", { source: "--set", reason: error.message }, { cause: error });
  }
  return writeYaml(values, () => undefined);
}

import { stat } from "node:fs/promises";
import path from "node:path";
import { defaultKubeVersion } from "../chart/capabilities.ts";
import { loadChart } from "../chart/load.ts";
import { defaultChartLimits, renderChart } from "../chart/render.ts";
import type { ValueSet } from "../discover/charts.ts";
import { parseRules } from "../discover/customRules.ts";
import { discoverImages } from "../discover/discover.ts";
import { folderTree } from "../discover/folderTree.ts";
import type { Discovery } from "../discover/found.ts";
import { type FileTree, scanPlan } from "../discover/rootfs.ts";
import { sealerLineImages, sealerListImages, sealerNormalised } from "../discover/sealerScan.ts";
import { EngineError } from "../errors.ts";

export interface PathDiscoveryOptions {
  readonly valueSets: readonly ValueSet[];
  readonly kubeVersion?: string;
  /** Text of a file with rules for custom resources, and its name. */
  readonly rulesText?: string;
  readonly rulesFile?: string;
}

/**
 * Finds the images of everything in a folder, of one chart, or of one manifest. Throws `CONTEXT_MISSING`, `DISCOVERY_RULES_INVALID`,
 * `CANCELLED`.
 */
export async function discoverPath(
  file: string,
  options: PathDiscoveryOptions,
  signal: AbortSignal,
): Promise<Discovery> {
  const tree = await treeAt(file, signal);
  const rules = options.rulesText === undefined ? [] : parseRules(options.rulesText, options.rulesFile ?? "the rules");
  const capabilities = { kubeVersion: options.kubeVersion ?? defaultKubeVersion, extraApiVersions: [] };
  const charts = { capabilities, valueSets: options.valueSets };
  return await discoverImages(tree, { scope: "everything", commands: [], rules, charts, signal });
}

async function treeAt(file: string, signal: AbortSignal): Promise<FileTree> {
  const info = await stat(file).catch((cause: unknown) => {
    throw new EngineError("CONTEXT_MISSING", { path: file, reason: "there is no such file or directory" }, { cause });
  });
  if (info.isDirectory()) return await folderTree(file, signal);
  const parent = await folderTree(path.dirname(file), signal);
  return { ...parent, paths: [path.basename(file)] };
}

/** What sealer's own scan finds in the same files, normalised as sealer does, each once. */
export async function sealerDiscovery(folder: string, signal: AbortSignal): Promise<readonly string[]> {
  const tree = await treeAt(folder, signal);
  const plan = scanPlan(tree.paths, "everything", []);
  const text = async (file: string): Promise<string> => new TextDecoder().decode(await tree.read(file, signal));
  const names: string[] = [];
  for (const file of plan.manifests.filter((each) => !each.endsWith(".json")))
    names.push(...sealerLineImages(await text(file)));
  for (const file of plan.lists) names.push(...sealerListImages(await text(file)));
  for (const chart of plan.charts)
    for (const rendered of await sealerRendering(path.join(folder, chart), signal))
      names.push(...sealerLineImages(rendered));
  return [...new Set(names.flatMap((name) => sealerNormalised(name) ?? []))].sort();
}

/** sealer renders with the chart's own values alone, under the release name `dryrun`. */
async function sealerRendering(folder: string, signal: AbortSignal): Promise<readonly string[]> {
  const { manifests, hooks } = await renderChart(await loadChart(folder, signal), {
    values: [],
    release: { name: "dryrun", namespace: "default", isUpgrade: false },
    capabilities: { kubeVersion: defaultKubeVersion, extraApiVersions: [] },
    limits: defaultChartLimits,
    nowMs: 0,
    randomSeed: "",
    signal,
  });
  return [...manifests, ...hooks].map((document) => document.text);
}

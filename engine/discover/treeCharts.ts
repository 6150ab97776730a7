import {
  ArchiveError,
  type ChartFiles,
  largestChartBytes,
  largestFileBytes,
  unpackChart,
  withoutBom,
} from "../chart/archive.ts";
import type { Capabilities } from "../chart/capabilities.ts";
import { IgnoreRuleError, IgnoreRules } from "../chart/ignore.ts";
import { type ChartLimits, defaultChartLimits } from "../chart/render.ts";
import { type ChartScan, scanChart, type ValueSet, valueSetPaths } from "./charts.ts";
import type { CustomRule } from "./customResources.ts";
import { applicationOf, type FileTree } from "./rootfs.ts";
import { throwIfCancelled } from "./scan.ts";
import type { ScanMemory } from "./scanMemory.ts";

/** How the charts of a tree are rendered. */
export interface ChartOptions {
  readonly capabilities: Capabilities;
  readonly limits?: ChartLimits;
  /** Sets of values given by the caller, for every chart or for those in one folder. */
  readonly valueSets: readonly (ValueSet & { readonly chart?: string })[];
}

/** A chart inside a tree: a folder, or a packaged chart. */
export interface ChartPlace {
  /** Folder of the chart, or path of the `.tgz`. */
  readonly path: string;
  readonly packaged: boolean;
}

/**
 * Looks through one chart of a tree, with the sets of values that lie about it and those that were given. With a memory, a chart of which
 * nothing changed is not read, and of one whose set of values changed only that set is rendered.
 */
export async function scanTreeChart(
  tree: FileTree,
  place: ChartPlace,
  options: ChartOptions,
  rules: readonly CustomRule[],
  signal: AbortSignal,
  memory?: ScanMemory,
): Promise<ChartScan> {
  const { fingerprint } = tree;
  if (memory === undefined || fingerprint === undefined) return await scan(tree, place, options, rules, signal);
  const files = place.packaged ? [place.path] : chartPaths(place.path, tree.paths);
  const slot = `chart ${place.path}`;
  const prints = files.map((path) => `${path}\0${fingerprint(path)}`).join("\n");
  let isNew = false;
  const found = await memory.value(slot, prints, () => {
    isNew = true;
    return scan(tree, place, options, rules, signal, memory);
  });
  if (!isNew) memory.keepBelow(`${slot}\0`);
  return found;
}

/** The files that a chart is made of, and the sets of values beside it. */
function chartPaths(folder: string, paths: readonly string[]): readonly string[] {
  const start = folder === "" ? "" : `${folder}/`;
  const sets = new Set(valueSetPaths(folder, paths));
  return paths.filter((path) => path.startsWith(start) || sets.has(path)).sort();
}

async function scan(
  tree: FileTree,
  place: ChartPlace,
  options: ChartOptions,
  rules: readonly CustomRule[],
  signal: AbortSignal,
  memory?: ScanMemory,
): Promise<ChartScan> {
  const app = applicationOf(place.packaged ? place.path : `${place.path}/Chart.yaml`);
  const owner = app === undefined ? {} : { app };
  try {
    const files = place.packaged
      ? unpackChart(await tree.read(place.path, signal))
      : await folderFiles(tree, place.path, signal);
    const valueSets = [
      ...(await setsInTree(tree, place, signal)),
      ...options.valueSets.filter((set) => isFor(set, place)),
    ];
    const { capabilities, limits = defaultChartLimits } = options;
    const chart = { path: place.path, files, valueSets, capabilities, limits, ...owner };
    return await scanChart(chart, rules, signal, memory);
  } catch (error) {
    if (!(error instanceof ArchiveError) && !(error instanceof IgnoreRuleError)) throw error;
    const origin = { file: place.path, line: 1, path: "", chart: place.path, ...owner };
    return { findings: [], unresolved: [{ text: place.path, reason: error.message, rule: "chart", origin }] };
  }
}

async function setsInTree(tree: FileTree, place: ChartPlace, signal: AbortSignal): Promise<readonly ValueSet[]> {
  if (place.packaged) return [];
  const sets: ValueSet[] = [];
  for (const path of valueSetPaths(place.path, tree.paths))
    sets.push({
      name: path.slice(path.lastIndexOf("/") + 1),
      text: new TextDecoder().decode(await tree.read(path, signal)),
    });
  return sets;
}

function isFor(set: { readonly chart?: string }, place: ChartPlace): boolean {
  return set.chart === undefined || set.chart === place.path;
}

async function folderFiles(tree: FileTree, folder: string, signal: AbortSignal): Promise<ChartFiles> {
  const start = folder === "" ? "" : `${folder}/`;
  const inside = tree.paths.filter((path) => path.startsWith(start));
  const ignore = inside.find((path) => path === `${start}.helmignore`);
  const rules = new IgnoreRules(ignore === undefined ? "" : new TextDecoder().decode(await tree.read(ignore, signal)));
  const files = new Map<string, Uint8Array>();
  let total = 0;
  for (const path of [...inside].sort()) {
    throwIfCancelled(signal);
    const name = path.slice(start.length);
    if (isIgnored(name, rules)) continue;
    const bytes = await tree.read(path, signal);
    total += bytes.length;
    if (bytes.length > largestFileBytes || total > largestChartBytes)
      throw new ArchiveError(`its file ${name} makes it larger than a chart may be`);
    files.set(name, withoutBom(bytes));
  }
  return files;
}

/** A file is ignored when it, or any folder above it, is. */
function isIgnored(name: string, rules: IgnoreRules): boolean {
  const parts = name.split("/");
  return parts.some((_, index) => rules.ignores(parts.slice(0, index + 1).join("/"), index < parts.length - 1));
}

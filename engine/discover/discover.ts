import { commandPaths } from "./commandPaths.ts";
import type { CustomRule } from "./customResources.ts";
import type { Discovery, Origin } from "./found.ts";
import { kubernetesImages } from "./kubernetesImages.ts";
import { isKustomization, kustomizedMentions } from "./kustomize.ts";
import { listImages } from "./lists.ts";
import { type ManifestImages, manifestImages } from "./manifest.ts";
import { applicationOf, type FileTree, type ScanPlan, type Scope, scanPlan } from "./rootfs.ts";
import { allRules, type Collection, resolveMentions, sorted, throwIfCancelled } from "./scan.ts";
import type { ScanMemory } from "./scanMemory.ts";
import { withoutTemplate } from "./templated.ts";
import { type ChartOptions, type ChartPlace, scanTreeChart } from "./treeCharts.ts";

export interface DiscoverOptions {
  readonly scope: Scope;
  /** Shell text of everything the image launches; what it names is scanned too. */
  readonly commands: readonly string[];
  /** Rules for custom resources beside the known ones. */
  readonly rules: readonly CustomRule[];
  /** How charts are rendered. */
  readonly charts: ChartOptions;
  /** Kubernetes version whose own images are needed, `v1.30.4`; absent when the image brings no Kubernetes. */
  readonly kubernetesVersion?: string;
  /** Images listed by the caller (`--image-list`), as the text of such a file and its name. */
  readonly imageList?: { readonly file: string; readonly text: string };
  /** What earlier scans of the same tree with the same options found. */
  readonly memory?: ScanMemory;
  readonly signal: AbortSignal;
}

/**
 * Finds every container image that a tree of files needs: manifests by their types, charts by rendering them, text lists as they are.
 *
 * The answer is sorted and does not depend on the order of `tree.paths`. Throws `CANCELLED`, and what `tree.read` throws.
 */
export async function discoverImages(tree: FileTree, options: DiscoverOptions): Promise<Discovery> {
  const { signal } = options;
  const rules = allRules(options.rules);
  const collection: Collection = { findings: [], unresolved: [] };
  const text = async (path: string): Promise<string> => {
    throwIfCancelled(signal);
    return new TextDecoder().decode(await tree.read(path, signal));
  };
  const named = await commandPaths(options.commands, tree.paths, text);
  const plan = scanPlan(tree.paths, options.scope, named);
  const kustomizations = new Map<string, string>();
  for (const path of plan.manifests.filter(isKustomization)) kustomizations.set(path, await text(path));
  const kustomized = kustomizedMentions(kustomizations);
  for (const path of plan.manifests.filter((manifest) => !kustomizations.has(manifest))) {
    const read = async (): Promise<ManifestImages> => readManifest(path, await text(path), rules);
    addManifest(path, await remembered(tree, options.memory, path, read), kustomized, collection);
  }
  for (const path of plan.lists) resolveMentions(listImages(await text(path)), placeOf(path), collection);
  if (options.imageList !== undefined)
    resolveMentions(listImages(options.imageList.text), { file: options.imageList.file }, collection);
  for (const chart of chartsOf(plan)) {
    throwIfCancelled(signal);
    const found = await scanTreeChart(tree, chart, options.charts, rules, signal, options.memory);
    collection.findings.push(...found.findings);
    collection.unresolved.push(...found.unresolved);
  }
  if (options.kubernetesVersion !== undefined)
    resolveMentions(kubernetesImages(options.kubernetesVersion), { file: "bin/kubeadm" }, collection);
  return sorted(collection);
}

function chartsOf(plan: ScanPlan): readonly ChartPlace[] {
  return [
    ...plan.charts.map((path) => ({ path, packaged: false })),
    ...plan.packages.map((path) => ({ path, packaged: true })),
  ];
}

function remembered<Value>(
  tree: FileTree,
  memory: ScanMemory | undefined,
  path: string,
  make: () => Promise<Value>,
): Promise<Value> {
  const fingerprint = tree.fingerprint?.(path);
  return memory === undefined || fingerprint === undefined
    ? make()
    : memory.value(`manifest ${path}`, fingerprint, make);
}

function readManifest(path: string, text: string, rules: readonly CustomRule[]): ManifestImages {
  return manifestImages(path.endsWith(".tmpl") ? withoutTemplate(text) : text, rules);
}

function addManifest(
  path: string,
  { mentions, problems }: ManifestImages,
  kustomized: ReturnType<typeof kustomizedMentions>,
  into: Collection,
): void {
  resolveMentions(kustomized(path, mentions), placeOf(path), into);
  // A JSON or template file that is no manifest is nobody's mistake; a YAML file that cannot be read may hide an image.
  if (path.endsWith(".tmpl") || path.endsWith(".json")) return;
  for (const problem of problems)
    into.unresolved.push({
      text: path,
      reason: `the document cannot be read: ${problem.message}`,
      rule: "manifest",
      origin: { ...placeOf(path), line: problem.line, path: "" },
    });
}

/** What every place in one file has in common. */
function placeOf(path: string): Omit<Origin, "line" | "path"> {
  const app = applicationOf(path);
  return { file: path, ...(app === undefined ? {} : { app }) };
}

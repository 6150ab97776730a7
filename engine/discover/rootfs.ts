import { compareText } from "./found.ts";

/**
 * Which files of a tree discovery reads, and as what. The tree is a finished root file system or any folder of manifests and charts.
 */

/** The files that may be read, told by path; reading them is the caller's affair. */
export interface FileTree {
  /** Paths of all regular files, `/`-separated, without a leading slash; any order. */
  readonly paths: readonly string[];
  /** The bytes of one of `paths`. */
  read(path: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Something that changes when the file does, told without reading it; a tree that can tell is scanned again faster. */
  fingerprint?(path: string): string;
}

export interface ScanPlan {
  /** YAML and JSON manifests, and `.tmpl` files that hold one. */
  readonly manifests: readonly string[];
  /** Text lists of images. */
  readonly lists: readonly string[];
  /** Folders that hold a chart, the outermost ones only; `""` is the tree itself. */
  readonly charts: readonly string[];
  /** Packaged charts outside other charts. */
  readonly packages: readonly string[];
}

/** `rootfs`: the folders that sealer and sealos scan, and what commands name. `everything`: the whole tree. */
export type Scope = "rootfs" | "everything";

const manifestFile = /\.(?:ya?ml|json|ya?ml\.tmpl|tmpl)$/i;
const packageFile = /\.tgz$/i;
const scannedFolders = /^(?:manifests|charts|application\/apps\/[^/]+)\//;
const listFile = /^(?:manifests\/imageList|images\/shim\/[^/]+)$/;
const valuesFile = /(?:^|\/)(?:values|values-[^/]+|[^/]+[.-]values)\.ya?ml$/;

/**
 * Chooses what to read.
 *
 * @param paths all regular files of the tree
 * @param named files and folders of the tree that launch commands name; they count in every scope
 */
export function scanPlan(paths: readonly string[], scope: Scope, named: readonly string[]): ScanPlan {
  const sorted = [...paths].sort(compareText);
  const all = new Set(sorted);
  const isNamed = (path: string): boolean => named.some((name) => path === name || path.startsWith(`${name}/`));
  const inScope = (path: string): boolean => scope === "everything" || scannedFolders.test(path) || isNamed(path);
  const charts = outermostCharts(sorted, all).filter((folder) =>
    inScope(folder === "" ? "Chart.yaml" : `${folder}/Chart.yaml`),
  );
  const inChart = (path: string): boolean => charts.some((folder) => folder === "" || path.startsWith(`${folder}/`));
  const loose = sorted.filter((path) => inScope(path) && !inChart(path));
  return {
    charts,
    packages: loose.filter((path) => packageFile.test(path)),
    lists: sorted.filter((path) => listFile.test(path)),
    manifests: loose.filter((path) => manifestFile.test(path) && !valuesFile.test(path)),
  };
}

/** A folder is a chart when it holds `Chart.yaml`; one below another chart belongs to that one. */
function outermostCharts(sorted: readonly string[], all: ReadonlySet<string>): readonly string[] {
  const folders = sorted
    .filter((path) => path === "Chart.yaml" || path.endsWith("/Chart.yaml"))
    .map((path) => path.slice(0, Math.max(0, path.length - "/Chart.yaml".length)))
    .filter(
      (folder) => hasTemplates(folder, sorted) || all.has(folder === "" ? "values.yaml" : `${folder}/values.yaml`),
    );
  return folders.filter((folder) => !folders.some((outer) => outer !== folder && isBelow(folder, outer)));
}

function hasTemplates(folder: string, sorted: readonly string[]): boolean {
  const start = folder === "" ? "templates/" : `${folder}/templates/`;
  return sorted.some((path) => path.startsWith(start));
}

function isBelow(folder: string, outer: string): boolean {
  return outer === "" || folder.startsWith(`${outer}/`);
}

/** The application whose files lie at `path`. */
export function applicationOf(path: string): string | undefined {
  return /^application\/apps\/([^/]+)\//.exec(path)?.[1];
}

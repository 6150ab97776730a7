/** The charts of a root file system, with their versions. */
import { ArchiveError, unpackChart } from "../chart/archive.ts";
import { MetadataError, readMetadata } from "../chart/metadata.ts";
import { applicationOf, type FileTree, scanPlan } from "../discover/rootfs.ts";

export interface ChartFact {
  /** Where it lies: a folder, or a `.tgz`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly appVersion?: string;
  /** The application whose files it is among. */
  readonly appName?: string;
}

/** Charts outside other charts, in order of path. What is no readable chart is left out: discovery tells about it. */
export async function chartsOf(tree: FileTree, signal: AbortSignal): Promise<readonly ChartFact[]> {
  const { charts, packages } = scanPlan(tree.paths, "rootfs", []);
  const found: ChartFact[] = [];
  for (const path of [...charts, ...packages].sort()) {
    const fact = await readChart(tree, path, packages.includes(path), signal);
    if (fact !== undefined) found.push(fact);
  }
  return found;
}

async function readChart(
  tree: FileTree,
  path: string,
  packaged: boolean,
  signal: AbortSignal,
): Promise<ChartFact | undefined> {
  try {
    const file = "Chart.yaml";
    const bytes = packaged
      ? unpackChart(await tree.read(path, signal)).get(file)
      : await tree.read(`${path}/${file}`, signal);
    if (bytes === undefined) return undefined;
    const { name, version, appVersion } = readMetadata(Buffer.from(bytes).toString("utf8"), undefined);
    const appName = applicationOf(packaged ? path : `${path}/${file}`);
    return {
      path,
      name,
      version,
      ...(appVersion === undefined || appVersion === "" ? {} : { appVersion }),
      ...(appName === undefined ? {} : { appName }),
    };
  } catch (error) {
    if (error instanceof ArchiveError || error instanceof MetadataError) return undefined;
    throw error;
  }
}

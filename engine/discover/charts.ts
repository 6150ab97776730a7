import { createHash } from "node:crypto";
import type { ChartFiles } from "../chart/archive.ts";
import type { Capabilities } from "../chart/capabilities.ts";
import { type Chart, ChartError, readChart } from "../chart/chart.ts";
import type { RenderedDocument } from "../chart/order.ts";
import { type ChartLimits, renderChart } from "../chart/render.ts";
import { readValues, ValuesError } from "../chart/values.ts";
import { isEngineError } from "../errors.ts";
import type { CustomRule } from "./customResources.ts";
import type { Mention, Origin } from "./found.ts";
import { manifestImages } from "./manifest.ts";
import { type Collection, resolveMentions } from "./scan.ts";
import type { ScanMemory } from "./scanMemory.ts";
import { child, itemsOf, parseDocuments, textOf } from "./tree.ts";
import { valuesLines } from "./valuesOrigin.ts";

/** A set of values to render a chart with, and where it comes from. */
export interface ValueSet {
  /** What people see: the file's name, or `--set`. */
  readonly name: string;
  readonly text: string;
}

/** One chart to look through: its files, and every set of values that somebody may install it with. */
export interface ChartToScan {
  /** Folder or `.tgz` of the chart inside the tree. */
  readonly path: string;
  readonly files: ChartFiles;
  /** Sets beside the chart's own `values.yaml`; each is rendered over it, on its own. */
  readonly valueSets: readonly ValueSet[];
  readonly capabilities: Capabilities;
  readonly limits: ChartLimits;
  readonly app?: string;
}

export type ChartScan = Pick<Collection, "findings" | "unresolved">;

const release = { name: "release", namespace: "default", isUpgrade: false } as const;
/** Name of the set that is the chart's own values. */
export const ownValues = "values.yaml";

/**
 * Finds the images of a chart: it is rendered once for every set of values, and the images are united, each with the set it came from.
 * What the chart merely declares in its annotations is found too, as `declared`.
 *
 * A chart that cannot be read or rendered is `unresolved` with the reason; other sets of values still count. Throws `CANCELLED`.
 */
export async function scanChart(
  toScan: ChartToScan,
  rules: readonly CustomRule[],
  signal: AbortSignal,
  memory?: ScanMemory,
): Promise<ChartScan> {
  const found: Collection = { findings: [], unresolved: [] };
  const chart = readOrReport(toScan, found);
  if (chart === undefined) return found;
  let lines: ReturnType<typeof valuesLines> | undefined;
  const lineOf: ReturnType<typeof valuesLines> = (image) => {
    lines ??= valuesLines(textFile(toScan.files, ownValues));
    return lines(image);
  };
  const common = memory === undefined ? "" : commonPrint(toScan);
  for (const set of [{ name: ownValues, text: "" }, ...toScan.valueSets]) {
    const scanSet = async (): Promise<Collection> => {
      const own: Collection = { findings: [], unresolved: [] };
      const documents = await render(toScan, chart, set, own, signal);
      for (const document of documents) scanDocument(toScan, set, document, lineOf, rules, own);
      return own;
    };
    const slot = `chart ${toScan.path}\0${set.name}`;
    const own = await (memory === undefined ? scanSet() : memory.value(slot, `${common}\0${set.text}`, scanSet));
    found.findings.push(...own.findings);
    found.unresolved.push(...own.unresolved);
  }
  const place = { file: join(toScan.path, "Chart.yaml"), chart: toScan.path, ...appOf(toScan) };
  resolveMentions(declaredImages(textFile(toScan.files, "Chart.yaml")), place, found);
  return found;
}

/**
 * The sets of values that lie about a chart: `<chart>.values.yaml` beside it, as sealos reads it, and `values-*.yaml` inside it.
 *
 * @param chartPath folder of the chart in its tree
 * @param paths all files of the tree
 */
export function valueSetPaths(chartPath: string, paths: readonly string[]): readonly string[] {
  const inside = new RegExp(`^${escaped(chartPath === "" ? "" : `${chartPath}/`)}values-[^/]+\\.ya?ml$`);
  const beside = [`${chartPath}.values.yaml`, `${chartPath}.values.yml`];
  return paths.filter((path) => beside.includes(path) || inside.test(path)).sort();
}

/**
 * What the rendering of every set depends on: all files of the chart, but for the other sets of values where no template can read them.
 */
function commonPrint({ path, files, capabilities }: ChartToScan): string {
  const readsFiles = [...files].some(
    ([name, bytes]) => /(?:^|\/)templates\//.test(name) && Buffer.from(bytes).includes("Files"),
  );
  const others = new Set(readsFiles ? [] : valueSetPaths("", [...files.keys()]));
  const hash = createHash("sha256").update(JSON.stringify([path, capabilities]));
  for (const [name, bytes] of files) if (!others.has(name)) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  return hash.digest("hex");
}

function readOrReport(toScan: ChartToScan, found: Collection): Chart | undefined {
  try {
    return readChart(toScan.files);
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
    report(toScan, ownValues, error.message, found);
    return undefined;
  }
}

async function render(
  toScan: ChartToScan,
  chart: Chart,
  set: ValueSet,
  found: Collection,
  signal: AbortSignal,
): Promise<readonly RenderedDocument[]> {
  try {
    const rendered = await renderChart(chart, {
      values: set.text === "" ? [] : [readValues(set.text)],
      release,
      capabilities: toScan.capabilities,
      limits: toScan.limits,
      // Nothing that names an image depends on the time or on chance; fixed, so that a scan repeats.
      nowMs: 0,
      randomSeed: "discover",
      signal,
    });
    return [...rendered.manifests, ...rendered.hooks];
  } catch (error) {
    const isUsers = error instanceof ValuesError || (isEngineError(error) && error.code !== "CANCELLED");
    if (!isUsers || !(error instanceof Error)) throw error;
    report(toScan, set.name, error.message, found);
    return [];
  }
}

function report(toScan: ChartToScan, values: string, reason: string, found: Collection): void {
  const origin: Origin = {
    file: join(toScan.path, "Chart.yaml"),
    line: 1,
    path: "",
    chart: toScan.path,
    values,
    ...appOf(toScan),
  };
  found.unresolved.push({ text: toScan.path, reason, rule: "chart", origin });
}

function scanDocument(
  toScan: ChartToScan,
  set: ValueSet,
  document: RenderedDocument,
  lineOf: (image: string) => number | undefined,
  rules: readonly CustomRule[],
  found: Collection,
): void {
  const { mentions } = manifestImages(document.text, rules);
  const isTest = document.hookEvents.some((event) => event.startsWith("test"));
  const place = {
    // Helm's source begins with the chart's name; the tree knows the chart by its folder.
    file: join(toScan.path, document.source.split("/").slice(1).join("/")),
    chart: toScan.path,
    values: set.name,
    ...appOf(toScan),
  };
  const tagged = isTest
    ? mentions.map((mention): Mention => ({ ...mention, rule: `${mention.rule}, a test` }))
    : mentions;
  resolveMentions(tagged, place, found, (_, image) => {
    const line = lineOf(image);
    return line === undefined ? {} : { valuesOrigin: { file: join(toScan.path, ownValues), line } };
  });
}

const declaringAnnotations = ["artifacthub.io/images", "helm.sh/images", "images"];

/** The images that a chart says it may use: a YAML list of `name` and `image` inside an annotation. */
function declaredImages(chartYaml: string): readonly Mention[] {
  const annotations = child(parseDocuments(chartYaml)[0]?.tree, "annotations");
  return declaringAnnotations.flatMap((key) => {
    const value = child(annotations, key);
    const list = textOf(value);
    if (value === undefined || list === undefined) return [];
    return parseDocuments(list, value.line + 1).flatMap(({ tree }) =>
      itemsOf(tree).flatMap((item): Mention[] => {
        const text = textOf(child(item, "image"));
        if (text === undefined) return [];
        return [
          {
            text,
            path: `annotations.${key}`,
            line: item.line,
            rule: `chart annotation ${key}`,
            confidence: "declared",
          },
        ];
      }),
    );
  });
}

function textFile(files: ChartFiles, path: string): string {
  const bytes = files.get(path);
  return bytes === undefined ? "" : new TextDecoder().decode(bytes);
}

function appOf(toScan: ChartToScan): { readonly app?: string } {
  return toScan.app === undefined ? {} : { app: toScan.app };
}

function join(folder: string, file: string): string {
  return folder === "" ? file : `${folder}/${file}`;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

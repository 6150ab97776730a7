import { ownValues, valueSetPaths } from "../discover/charts.ts";
import type { Finding, Origin } from "../discover/found.ts";
import type { ScanMemory } from "../discover/scanMemory.ts";
import { valuesLines } from "../discover/valuesOrigin.ts";
import { parseReference } from "../oci/reference.ts";
import type { ImagePlace } from "../protocol.ts";
import type { ContextTree } from "./contextTree.ts";

/**
 * Turns findings into places that a person can open: a manifest's own line; for a chart the line of the values that names the image, or
 * of the template, since lines of what was rendered exist in no file.
 *
 * @param memory keeps what was read of values and templates
 */
export async function readablePlaces(
  tree: ContextTree,
  findings: readonly Finding[],
  memory: ScanMemory,
  isPacked: (file: string) => ImagePlace["packed"],
  signal: AbortSignal,
): Promise<readonly ImagePlace[]> {
  const lines = new LineFinder(tree, memory, signal);
  const places: ImagePlace[] = [];
  for (const finding of findings) {
    const { origin } = finding;
    const { image, text, confidence, rule } = finding;
    const at = origin.chart === undefined ? origin : await lines.inChart(finding, origin.chart);
    places.push({
      ...{ image, text, confidence, rule, file: at.file, line: at.line, foundIn: origin.file, path: origin.path },
      ...(origin.chart === undefined ? {} : { chart: origin.chart }),
      ...(origin.values === undefined ? {} : { values: origin.values }),
      ...(origin.valuesOrigin === undefined ? {} : { valuesOrigin: origin.valuesOrigin }),
      packed: isPacked(origin.file),
    });
  }
  return places;
}

interface Place {
  readonly file: string;
  readonly line: number;
}

class LineFinder {
  readonly #tree: ContextTree;
  readonly #memory: ScanMemory;
  readonly #signal: AbortSignal;
  readonly #paths: ReadonlySet<string>;

  constructor(tree: ContextTree, memory: ScanMemory, signal: AbortSignal) {
    this.#tree = tree;
    this.#memory = memory;
    this.#signal = signal;
    this.#paths = new Set(tree.paths);
  }

  /** What names the image first: the set of values, the chart's values, those of the subchart, the template. */
  async inChart({ image, text, origin }: Finding, chart: string): Promise<Place> {
    const set = this.#setFile(chart, origin.values);
    const inSet = set === undefined ? undefined : await this.#inValues(set, image);
    if (inSet !== undefined) return inSet;
    if (origin.valuesOrigin !== undefined) return origin.valuesOrigin;
    for (const values of nearestValues(chart, origin)) {
      const found = await this.#inValues(values, image);
      if (found !== undefined) return found;
    }
    return { file: origin.file, line: await this.#inTemplate(origin.file, text, image) };
  }

  #setFile(chart: string, values: string | undefined): string | undefined {
    if (values === undefined || values === ownValues) return undefined;
    return valueSetPaths(chart, this.#tree.paths).find((path) => path.slice(path.lastIndexOf("/") + 1) === values);
  }

  async #inValues(file: string, image: string): Promise<Place | undefined> {
    if (!this.#paths.has(file)) return undefined;
    const lineOf = await this.#memory.value(`values ${file}`, this.#tree.fingerprint(file), async () =>
      valuesLines(await this.#text(file)),
    );
    const line = lineOf(image);
    return line === undefined ? undefined : { file, line };
  }

  async #inTemplate(file: string, text: string, image: string): Promise<number> {
    if (!this.#paths.has(file)) return 1;
    const lines = await this.#memory.value(`template ${file}`, this.#tree.fingerprint(file), async () =>
      (await this.#text(file)).split("\n"),
    );
    const wanted = [text, parseReference(image).repository.split("/").at(-1) ?? text];
    const found = wanted.map((word) => lines.findIndex((line) => line.includes(word))).find((index) => index >= 0);
    // A name that is put together from helpers stands nowhere; the field that takes it is the next best.
    return (
      (found ??
        Math.max(
          0,
          lines.findIndex((line) => /\bimage:/.test(line)),
        )) + 1
    );
  }

  async #text(file: string): Promise<string> {
    return new TextDecoder().decode(await this.#tree.read(file, this.#signal));
  }
}

/** `values.yaml` beside the template and above it, up to the chart's own. */
function nearestValues(chart: string, { file }: Origin): readonly string[] {
  const found: string[] = [];
  let folder = file;
  while (folder.length > chart.length) {
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")));
    if (folder.length > chart.length) found.push(`${folder}/${ownValues}`);
  }
  return found;
}

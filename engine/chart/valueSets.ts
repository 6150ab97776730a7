/** The value sets a chart is worth rendering with: its defaults, the files beside it and those inside it. */
import type { ChartFiles } from "./archive.ts";
import { textOf } from "./go/bytes.ts";
import { compareText, type ValueMap } from "./go/value.ts";
import { readValues, ValuesError } from "./values.ts";

/** One way to render a chart. */
export interface ValueSet {
  /** Where the values come from: `defaults`, `beside` the chart or `inside` it. */
  readonly origin: "defaults" | "beside" | "inside";
  /** Path of the file: inside the chart, or beside it. Empty for the defaults. */
  readonly path: string;
  readonly values: ValueMap;
}

/** Value files of this size and more belong to an attack. */
const largestFile = 5 * 1024 * 1024;

/**
 * Finds value sets: the chart's defaults; `<chart>.values.yaml` beside the chart, as sealos has it; `values-*.yaml` and
 * `values.*.yaml` in the chart's own folder.
 * @param chartDirName name of the chart's folder or, without `.tgz`, of its archive
 * @param files the chart's files
 * @param siblings files beside the chart, by name
 * @returns the sets in a fixed order, defaults first
 * @throws ValuesError when one of the files is no YAML map; its message begins with the file's path
 */
export function valueSets(chartDirName: string, files: ChartFiles, siblings: ChartFiles): readonly ValueSet[] {
  const sets: ValueSet[] = [{ origin: "defaults", path: "", values: new Map() }];
  for (const name of [`${chartDirName}.values.yaml`, `${chartDirName}.values.yml`]) {
    const bytes = siblings.get(name);
    if (bytes !== undefined) sets.push(setOf("beside", name, bytes));
  }
  const inside = [...files].filter(([path]) => /^values[-.][^/]*\.ya?ml$/.test(path) && path !== "values.schema.yaml");
  for (const [path, bytes] of inside.toSorted(([a], [b]) => compareText(a, b))) sets.push(setOf("inside", path, bytes));
  return sets;
}

function setOf(origin: "beside" | "inside", path: string, bytes: Uint8Array): ValueSet {
  if (bytes.length > largestFile) throw new ValuesError(`${path}: the file is larger than ${largestFile} bytes`);
  return { origin, path, values: readValues(textOf(bytes), `${path}: `) };
}

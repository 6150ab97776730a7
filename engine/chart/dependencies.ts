/** Which subcharts take part in a render: conditions, tags, aliases and imported values. */
import type { Chart, TemplateFile } from "./chart.ts";
import { isInRange } from "./functions/semver.ts";
import { sprint } from "./go/format.ts";
import type { ValueMap } from "./go/value.ts";
import type { EnabledDependency, Metadata } from "./metadata.ts";
import { coalesceTables, coalesceValues, copyValues, tableAt, valueAt } from "./values.ts";

/** A chart as one render sees it: named by its alias, without the subcharts that are off. */
export interface ActiveChart {
  readonly name: string;
  readonly metadata: Metadata;
  readonly values: ValueMap;
  readonly schema: string | undefined;
  readonly templates: readonly TemplateFile[];
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly dependencies: readonly EnabledDependency[];
  readonly subcharts: readonly ActiveChart[];
}

/**
 * Helm's ProcessDependencies: removes what conditions and tags turn off, applies aliases, imports values of children.
 * @throws ValuesMismatch when given values have the wrong shape for a subchart
 */
export function activeChart(chart: Chart, values: ValueMap): ActiveChart {
  return withImports(enabled(unfiltered(chart, chart.metadata.name), values, ""));
}

/** Names of dependencies that Chart.yaml lists and `charts/` does not hold. */
export function missingDependencies(chart: Chart): string[] {
  const present = new Set(chart.subcharts.map((sub) => sub.metadata.name));
  return chart.metadata.dependencies.map(({ name }) => name).filter((name) => !present.has(name));
}

function unfiltered(chart: Chart, name: string): ActiveChart {
  return {
    name,
    metadata: chart.metadata,
    values: chart.values,
    schema: chart.schema,
    templates: chart.templates,
    files: chart.files,
    dependencies: chart.metadata.dependencies.map((dependency) => ({ ...dependency, enabled: true })),
    subcharts: chart.subcharts.map((sub) => unfiltered(sub, sub.metadata.name)),
  };
}

function enabled(chart: ActiveChart, values: ValueMap, path: string): ActiveChart {
  if (chart.dependencies.length === 0) return chart;
  const fits = (sub: ActiveChart, dependency: EnabledDependency): boolean => {
    return sub.name === dependency.name && isInRange(dependency.version, sub.metadata.version);
  };
  const unlisted = chart.subcharts.filter((sub) => !chart.dependencies.some((dependency) => fits(sub, dependency)));
  const listed = chart.dependencies.flatMap((dependency) => {
    const sub = chart.subcharts.find((candidate) => fits(candidate, dependency));
    return sub === undefined ? [] : [dependency.alias === "" ? sub : { ...sub, name: dependency.alias }];
  });
  const named = chart.dependencies.map((dependency) => {
    return dependency.alias === "" ? dependency : { ...dependency, name: dependency.alias };
  });
  const whole = { ...chart, dependencies: named, subcharts: [...unlisted, ...listed] };
  const all = coalesceValues(whole, values, false);
  const dependencies = named.map((dependency) => ({ ...dependency, enabled: isEnabled(dependency, all, path) }));
  const off = new Set(dependencies.filter((dependency) => !dependency.enabled).map(({ name }) => name));
  return {
    ...whole,
    dependencies: dependencies.filter(({ name }) => !off.has(name)),
    subcharts: whole.subcharts
      .filter((sub) => !off.has(sub.name))
      .map((sub) => enabled(sub, all, `${path}${sub.name}.`)),
  };
}

/** Tags first, then the first condition that has a boolean value decides. */
function isEnabled(dependency: EnabledDependency, values: ValueMap, path: string): boolean {
  let on = true;
  const tags = tableAt(values, "tags");
  if (tags !== undefined) {
    const set = dependency.tags.map((tag) => tags.get(tag)).filter((value) => typeof value === "boolean");
    on = set.includes(true) || !set.includes(false);
  }
  for (const condition of dependency.condition.trim().split(",")) {
    if (condition === "") continue;
    const value = valueAt(values, path + condition);
    if (typeof value === "boolean") return value;
  }
  return on;
}

function withImports(chart: ActiveChart): ActiveChart {
  const subcharts = chart.subcharts.map(withImports);
  const inner = { ...chart, subcharts };
  if (chart.dependencies.length === 0) return inner;
  const all = coalesceValues(inner, new Map(), true);
  let imported: ValueMap = new Map();
  for (const dependency of chart.dependencies) {
    for (const entry of dependency.importValues) {
      const [child, parent] =
        entry instanceof Map
          ? [sprint(entry.get("child")), sprint(entry.get("parent"))]
          : [`exports.${typeof entry === "string" ? entry : ""}`, "."];
      const table = tableAt(all, `${dependency.name}.${child}`);
      if (table !== undefined) imported = coalesceTables(imported, nestedAt(parent, table), true);
    }
  }
  return { ...inner, values: coalesceTables(copyValues(all), imported, true) };
}

/** A map that holds the table at a dotted path. */
function nestedAt(path: string, table: ValueMap): ValueMap {
  if (path === ".") return table;
  return path.split(".").reduceRight<ValueMap>((inner, part) => new Map([[part, inner]]), table);
}

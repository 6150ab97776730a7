/**
 * Renders charts as `helm template` does, in this process: no helm, no cluster, no network, no file outside the chart.
 * @see https://helm.sh/docs/chart_template_guide/
 */
import { setImmediate } from "node:timers/promises";
import { EngineError } from "../errors.ts";
import { type Capabilities, capabilitiesValue, parseKubeVersion } from "./capabilities.ts";
import type { Chart } from "./chart.ts";
import { type ActiveChart, activeChart, missingDependencies } from "./dependencies.ts";
import { describeFailure, type Failure } from "./failures.ts";
import { filesValue } from "./filesValue.ts";
import { isInRange } from "./functions/semver.ts";
import { textOf } from "./go/bytes.ts";
import { GoTime } from "./go/time.ts";
import { compareText, goInt, typedMap, type Value, type ValueMap } from "./go/value.ts";
import { utc } from "./go/zones.ts";
import { chartValue } from "./metadata.ts";
import { ManifestError, type RenderedDocument, type RenderedFile, sortDocuments } from "./order.ts";
import { seededBytes } from "./random.ts";
import { schemaProblems } from "./schema/chartSchema.ts";
import { GoError, LimitReached } from "./template/failure.ts";
import { Meter } from "./template/meter.ts";
import { ParseError } from "./template/tokens.ts";
import { isPartial, type NamedTemplate, parseAll, TemplateRunner, templatesOf } from "./templates.ts";
import { coalesceValues, copyValues, mergeMaps, ValuesMismatch } from "./values.ts";

/** What a render may spend before it is stopped. */
export interface ChartLimits {
  readonly timeMs: number;
  /** Longest text one template or function may produce, in UTF-16 units. */
  readonly outputLength: number;
}

/** Generous for real charts, small against an attack. */
export const defaultChartLimits: ChartLimits = { timeMs: 30_000, outputLength: 32 * 1024 * 1024 };

/** The release a chart is rendered for. */
export interface Release {
  readonly name: string;
  readonly namespace: string;
  readonly isUpgrade: boolean;
}

export interface RenderOptions {
  /** Value sets over the chart's own, later ones over earlier ones. */
  readonly values: readonly ValueMap[];
  readonly release: Release;
  readonly capabilities: Capabilities;
  readonly limits: ChartLimits;
  /** What `now` answers, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Random functions draw from this; the same seed gives the same documents. */
  readonly randomSeed: string;
  readonly signal: AbortSignal;
}

/** What a chart renders to. */
export interface RenderedChart {
  readonly chartName: string;
  /** Documents of `crds/`, as they stand there; Helm prints them only when asked. */
  readonly crds: readonly RenderedDocument[];
  /** Plain documents in install order. */
  readonly manifests: readonly RenderedDocument[];
  /** Hooks, tests among them, in install order. */
  readonly hooks: readonly RenderedDocument[];
  /** Text of NOTES.txt; empty when there is none. */
  readonly notes: string;
}

/**
 * Renders a chart.
 * @throws EngineError CHART_RENDER_FAILED, CHART_LIMIT_REACHED, CANCELLED
 */
export async function renderChart(chart: Chart, options: RenderOptions): Promise<RenderedChart> {
  const name = chart.metadata.name;
  const startedAt = performance.now();
  const meter = new Meter(options.limits, options.signal, () => performance.now() - startedAt);
  try {
    return await render(chart, options, meter);
  } catch (error) {
    throw engineErrorOf(name, error);
  }
}

function engineErrorOf(chart: string, error: unknown): unknown {
  if (error instanceof LimitReached) {
    return error.limit === "cancelled"
      ? new EngineError("CANCELLED", { what: `render chart ${chart}` }, { cause: error })
      : new EngineError("CHART_LIMIT_REACHED", { chart, reason: error.message }, { cause: error });
  }
  if (error instanceof RenderFailure) {
    return new EngineError("CHART_RENDER_FAILED", { chart, ...error.failure }, { cause: error });
  }
  if (error instanceof RangeError) {
    return new EngineError(
      "CHART_LIMIT_REACHED",
      { chart, reason: "it needs more memory than a render may have" },
      { cause: error },
    );
  }
  return error;
}

/** A render that cannot go on, in Helm's words. */
class RenderFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.detail, options);
    this.failure = failure;
  }
}

function refuse(detail: string): never {
  throw new RenderFailure({ detail });
}

async function render(chart: Chart, options: RenderOptions, meter: Meter): Promise<RenderedChart> {
  meter.check();
  checkInstallable(chart, options.capabilities);
  const given = options.values.reduce<ValueMap>(mergeMaps, new Map());
  const { active, values } = valuesFor(chart, given);
  const problems = schemaProblems(active, values, meter);
  if (problems !== "") {
    refuse(`values don't meet the specifications of the schema(s) in the following chart(s):\n${problems}`);
  }
  const templates = templatesOf(active);
  const world = {
    meter,
    now: new GoTime(BigInt(options.nowMs) * 1_000_000n, utc),
    randomBytes: seededBytes(options.randomSeed),
  };
  const runner = new TemplateRunner(parsed(templates, meter), world);
  const scopes = scopesOf(active, values, options, meter);
  const files = await runAll(templates, runner, scopes, meter);
  const notes = files.filter(({ source }) => source.endsWith("NOTES.txt"));
  const { manifests, hooks } = sorted(files.filter(({ source }) => !source.endsWith("NOTES.txt")));
  return {
    chartName: active.name,
    crds: crdsOf(active, active.name),
    manifests,
    hooks,
    notes: notes.find(({ source }) => source === `${active.name}/templates/NOTES.txt`)?.text ?? "",
  };
}

function checkInstallable(chart: Chart, capabilities: Capabilities): void {
  const { type, kubeVersion } = chart.metadata;
  if (type !== "" && type !== "application") refuse(`${type} charts are not installable`);
  const missing = missingDependencies(chart);
  if (missing.length > 0) {
    refuse(
      `an error occurred while checking for chart dependencies. You may need to run \`helm dependency build\` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: ${missing.join(", ")}`,
    );
  }
  const cluster = parseKubeVersion(capabilities.kubeVersion);
  if (cluster === undefined) refuse(`invalid kube version '${capabilities.kubeVersion}'`);
  if (kubeVersion !== "" && !isInRange(kubeVersion, cluster.normalized)) {
    refuse(`chart requires kubeVersion: ${kubeVersion} which is incompatible with Kubernetes ${cluster.version}`);
  }
}

function valuesFor(chart: Chart, given: ValueMap): { readonly active: ActiveChart; readonly values: ValueMap } {
  try {
    const active = activeChart(chart, given);
    return { active, values: coalesceValues(active, given, false) };
  } catch (error) {
    if (error instanceof ValuesMismatch) throw new RenderFailure({ detail: error.message }, { cause: error });
    throw error;
  }
}

function parsed(templates: readonly NamedTemplate[], meter: Meter): ReturnType<typeof parseAll> {
  try {
    return parseAll(templates, meter);
  } catch (error) {
    if (error instanceof ParseError) throw new RenderFailure(describeFailure(error), { cause: error });
    throw error;
  }
}

/** Chart path → the dot its templates begin with. */
function scopesOf(
  root: ActiveChart,
  values: ValueMap,
  options: RenderOptions,
  meter: Meter,
): ReadonlyMap<string, ValueMap> {
  const { release } = options;
  const releaseValue: ValueMap = new Map<string, Value>([
    ["Name", release.name],
    ["Namespace", release.namespace],
    ["IsUpgrade", release.isUpgrade],
    ["IsInstall", !release.isUpgrade],
    ["Revision", goInt(1)],
    ["Service", "Helm"],
  ]);
  const capabilities = capabilitiesValue(options.capabilities);
  const scopes = new Map<string, ValueMap>();
  const build = (chart: ActiveChart, chartPath: string, own: ValueMap, isRoot: boolean): ValueMap => {
    const subcharts: ValueMap = new Map();
    const scope: ValueMap = new Map<string, Value>([
      ["Chart", chartValue(chart.metadata, chart.name, chart.dependencies, isRoot)],
      ["Files", filesValue(chart.files, meter)],
      ["Release", releaseValue],
      ["Capabilities", capabilities],
      ["Values", isRoot ? typedMap(own, "common.Values") : own],
      ["Subcharts", subcharts],
    ]);
    typedMap(scope, "common.Values");
    for (const sub of chart.subcharts) {
      const inner = own.get(sub.name);
      const innerValues: ValueMap = inner instanceof Map ? inner : new Map();
      subcharts.set(sub.name, build(sub, `${chartPath}/charts/${sub.name}`, innerValues, false));
    }
    scopes.set(chartPath, scope);
    return scope;
  };
  build(root, root.name, copyValues(values), true);
  return scopes;
}

/** Longest stretch of work before other work of the process gets its turn. */
const stretchMs = 20;

async function runAll(
  templates: readonly NamedTemplate[],
  runner: TemplateRunner,
  scopes: ReadonlyMap<string, ValueMap>,
  meter: Meter,
): Promise<readonly RenderedFile[]> {
  const files: RenderedFile[] = [];
  let stretchBegan = performance.now();
  let total = 0;
  for (const { name, chartPath, file } of templates) {
    if (isPartial(file.path)) continue;
    if (performance.now() - stretchBegan > stretchMs) {
      await setImmediate();
      meter.check();
      stretchBegan = performance.now();
    }
    const scope = scopes.get(chartPath) ?? new Map<string, Value>();
    const place = new Map<string, Value>([
      ["Name", name],
      ["BasePath", `${chartPath}/templates`],
    ]);
    scope.set("Template", typedMap(place, "common.Values"));
    const text = runOne(runner, name, scope);
    total += text.length;
    meter.room(total);
    files.push({ source: name, chartPath, text });
  }
  return files;
}

function runOne(runner: TemplateRunner, name: string, scope: ValueMap): string {
  try {
    return runner.run(name, scope).replaceAll("<no value>", "");
  } catch (error) {
    if (error instanceof GoError) throw new RenderFailure(describeFailure(error), { cause: error });
    throw error;
  }
}

function sorted(files: readonly RenderedFile[]): ReturnType<typeof sortDocuments> {
  try {
    return sortDocuments(files);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new RenderFailure({ detail: error.message, file: error.source }, { cause: error });
  }
}

function crdsOf(chart: ActiveChart, chartPath: string): RenderedDocument[] {
  const own = [...chart.files]
    .filter(([path]) => path.startsWith("crds/") && /\.(?:ya?ml|json)$/i.test(path))
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([path, bytes]): RenderedDocument => {
      return {
        source: `${chartPath}/${path}`,
        chartPath,
        text: textOf(bytes),
        apiVersion: "",
        kind: "",
        name: "",
        hookEvents: [],
        hookWeight: 0,
        isCrd: true,
      };
    });
  return [...own, ...chart.subcharts.flatMap((sub) => crdsOf(sub, `${chartPath}/charts/${sub.name}`))];
}

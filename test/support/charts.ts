/** Charts for the tests of the chart engine: rendering with fixed surroundings, finding those of the corpus. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { defaultKubeVersion } from "../../engine/chart/capabilities.ts";
import type { Chart } from "../../engine/chart/chart.ts";
import type { ValueMap } from "../../engine/chart/go/value.ts";
import { printDocuments } from "../../engine/chart/order.ts";
import {
  type ChartLimits,
  defaultChartLimits,
  type RenderedChart,
  type RenderOptions,
  renderChart,
} from "../../engine/chart/render.ts";

/** Options every test shares, each of which it may replace. */
export function renderOptions(changes: Partial<RenderOptions> = {}): RenderOptions {
  const limits: ChartLimits = defaultChartLimits;
  return {
    values: [],
    release: { name: "release-name", namespace: "default", isUpgrade: false },
    capabilities: { kubeVersion: defaultKubeVersion, extraApiVersions: [] },
    limits,
    nowMs: Date.UTC(2024, 1, 29, 12, 30, 45),
    randomSeed: "test",
    signal: new AbortController().signal,
    ...changes,
  };
}

/** Renders a chart and prints it as `helm template` would. */
export async function renderText(chart: Chart, values: readonly ValueMap[] = []): Promise<string> {
  return printed(await renderChart(chart, renderOptions({ values })));
}

/** A rendered chart as `helm template` prints it. */
export function printed(rendered: RenderedChart): string {
  return printDocuments([...rendered.manifests, ...rendered.hooks]);
}

/** Chart folders below a folder, sorted, subcharts too: they are charts of their own. */
export function chartFolders(root: string): string[] {
  const found: string[] = [];
  const walk = (dir: string): void => {
    const names = readdirSync(dir, { withFileTypes: true });
    if (names.some((entry) => entry.name === "Chart.yaml")) found.push(dir);
    for (const entry of names) if (entry.isDirectory()) walk(path.join(dir, entry.name));
  };
  walk(root);
  return found.sort();
}

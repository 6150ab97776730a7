import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { readChart } from "../../../engine/chart/chart.ts";
import { loadChart } from "../../../engine/chart/load.ts";
import { renderChart } from "../../../engine/chart/render.ts";
import { readValues } from "../../../engine/chart/values.ts";
import { isEngineError } from "../../../engine/errors.ts";
import { renderOptions, renderText } from "../../support/charts.ts";
import { corpusDir, skipWithoutCorpus } from "../../support/requirement.ts";

function chartOf(files: Readonly<Record<string, string>>): ReturnType<typeof readChart> {
  const all = { "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", ...files };
  return readChart(new Map(Object.entries(all).map(([name, text]) => [name, Buffer.from(text)])));
}

test("a document tells its template, its chart, its kind and what it is a hook for", async () => {
  const hook =
    'kind: Job\nmetadata:\n  name: migrate\n  annotations:\n    helm.sh/hook: pre-install, test\n    helm.sh/hook-weight: "-5"\n';
  const chart = chartOf({
    "templates/a.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
    "crds/c.yaml": "kind: CustomResourceDefinition\n",
    "templates/NOTES.txt": "Thank you for {{ .Chart.Name }}.",
    "charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
    "charts/db/templates/job.yaml": hook,
  });
  const { manifests, hooks, crds, notes } = await renderChart(chart, renderOptions());
  assert.deepEqual(manifests, [
    {
      source: "web/templates/a.yaml",
      chartPath: "web",
      text: "apiVersion: v1\nkind: Service\nmetadata: {name: s}",
      apiVersion: "v1",
      kind: "Service",
      name: "s",
      hookEvents: [],
      hookWeight: 0,
      isCrd: false,
    },
  ]);
  const [job] = hooks;
  assert.deepEqual(
    [job?.source, job?.chartPath, job?.hookEvents, job?.hookWeight],
    ["web/charts/db/templates/job.yaml", "web/charts/db", ["pre-install", "test"], -5],
  );
  assert.deepEqual(
    crds.map(({ source, isCrd }) => [source, isCrd]),
    [["web/crds/c.yaml", true]],
  );
  assert.equal(notes, "Thank you for web.");
});

test("an error of a template carries chart, file and line", async () => {
  const chart = chartOf({
    "templates/_h.tpl": '{{ define "h" }}\n{{ .Values.a.b }}{{ end }}',
    "templates/a.yaml": 'kind: A\nx: {{ include "h" . }}\n',
  });
  await assert.rejects(renderChart(chart, renderOptions()), (error) => {
    assert.ok(isEngineError(error, "CHART_RENDER_FAILED"));
    assert.deepEqual([error.facts.chart, error.facts.file, error.facts.line], ["web", "web/templates/_h.tpl", 2]);
    return true;
  });
});

test("lines that end as on Windows keep their ends", async () => {
  const text = await renderText(chartOf({ "templates/a.yaml": 'kind: A\r\nx: {{ "a" }}\r\n---\r\nkind: B\r\n' }));
  assert.equal(
    text,
    "---\n# Source: web/templates/a.yaml\nkind: A\r\nx: a\n---\n# Source: web/templates/a.yaml\nkind: B\n",
  );
});

test("rendering twice gives the same, whatever the templates did to the values", async () => {
  const chart = chartOf({
    "values.yaml": "count: 1\nm: {k: 1}\n",
    "templates/a.yaml":
      'n: {{ $_ := set .Values "count" (add1 .Values.count) }}{{ .Values.count }}\nm: {{ $_ := set .Values.m "k" 9 }}{{ .Values.m.k }}\n',
  });
  const first = await renderText(chart);
  assert.equal(await renderText(chart), first);
  assert.equal(chart.values.get("count"), 1);
});

const typical = path.join(corpusDir, "charts/bitnami/postgresql");
test("after one edited values file a typical chart renders again within 100 ms", {
  skip: skipWithoutCorpus(),
}, async () => {
  assert.ok(existsSync(typical));
  const chart = await loadChart(typical, new AbortController().signal);
  await renderText(chart, [readValues("architecture: standalone")]);
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const before = process.cpuUsage();
    await renderText(chart, [readValues(`architecture: replication\nreadReplicas: {replicaCount: ${i}}`)]);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  // Processor time: other work of the machine is no part of what is measured.
  const median = times.sort((a, b) => a - b)[2] ?? 0;
  assert.ok(median <= 100, `the median of five was ${median.toFixed(0)} ms`);
});

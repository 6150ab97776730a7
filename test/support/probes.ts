/**
 * Probes of the template language: `test/engine/chart/probes/<topic>.txt` holds one snippet per line, below it what
 * helm 4.1.4 makes of it: `=> "text"` or `!! "error"`, as JSON strings.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { readChart } from "../../engine/chart/chart.ts";
import { renderChart } from "../../engine/chart/render.ts";
import { isEngineError } from "../../engine/errors.ts";
import { renderOptions } from "./charts.ts";
import { chartOnDisk, helmTemplate } from "./helmOracle.ts";

const dir = path.resolve(import.meta.dirname, "../engine/chart/probes");

/** What a snippet gives. */
export type Outcome = { readonly text: string } | { readonly error: string };

export interface Probe {
  readonly snippet: string;
  readonly expected: Outcome | undefined;
}

/** Topics that have probes, sorted. */
export const probeTopics: readonly string[] = readdirSync(dir)
  .filter((name) => name.endsWith(".txt"))
  .map((name) => name.replace(/\.txt$/, ""))
  .sort();

export function readProbes(topic: string): Probe[] {
  const probes: Probe[] = [];
  for (const line of readFileSync(path.join(dir, `${topic}.txt`), "utf8").split("\n")) {
    const last = probes.at(-1);
    if (last !== undefined && line.startsWith("=> ")) {
      probes[probes.length - 1] = { ...last, expected: { text: JSON.parse(line.slice(3)) as string } };
    } else if (last !== undefined && line.startsWith("!! ")) {
      probes[probes.length - 1] = { ...last, expected: { error: JSON.parse(line.slice(3)) as string } };
    } else if (line.trim() !== "") probes.push({ snippet: line, expected: undefined });
  }
  return probes;
}

export function writeProbes(topic: string, probes: readonly Probe[]): void {
  const lines = probes.flatMap(({ snippet, expected }) => {
    if (expected === undefined) return [snippet];
    return [
      snippet,
      "text" in expected ? `=> ${JSON.stringify(expected.text)}` : `!! ${JSON.stringify(expected.error)}`,
    ];
  });
  writeFileSync(path.join(dir, `${topic}.txt`), `${lines.join("\n")}\n`);
}

const base: Readonly<Record<string, string>> = {
  "Chart.yaml": "apiVersion: v2\nname: probe\nversion: 1.2.3\nappVersion: 4.5\n",
  "values.yaml": readFileSync(path.join(dir, "values.yaml"), "utf8"),
  "files/a.txt": "hello\nworld\n",
  "files/b.txt": "x",
  "files/deep/c.conf": "k=v\n",
};

/** The snippet inside a template of its own, its output as one JSON string. */
function template(snippet: string, name: string): string {
  return `p: {{ define "${name}" }}${snippet}{{ end }}{{ include "${name}" . | toRawJson }}\n`;
}

function textOf(document: string): string {
  const body = document.replace(/^p: /, "");
  return JSON.parse(body) as string;
}

/** What this engine makes of a snippet. */
export async function ownOutcome(snippet: string): Promise<Outcome> {
  const files = { ...base, "templates/probe.yaml": template(snippet, "probe") };
  try {
    const chart = readChart(new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])));
    const { manifests } = await renderChart(chart, renderOptions());
    return { text: textOf(manifests[0]?.text ?? "") };
  } catch (error) {
    if (isEngineError(error, "CHART_RENDER_FAILED")) return { error: error.facts.detail.trim() };
    throw error;
  }
}

/** What helm makes of snippets: many in one chart, and again in halves where one of them fails. */
export function helmOutcomes(snippets: readonly string[]): Outcome[] {
  const [only] = snippets;
  if (only !== undefined && snippets.length === 1) return [helmOutcome(only)];
  const files: Record<string, string> = { ...base };
  snippets.forEach((snippet, i) => {
    files[`templates/p${i}.yaml`] = template(snippet, `p${i}`);
  });
  using chart = chartOnDisk(files);
  const result = helmTemplate(chart.dir);
  if (!result.ok) {
    const middle = snippets.length >> 1;
    return [...helmOutcomes(snippets.slice(0, middle)), ...helmOutcomes(snippets.slice(middle))];
  }
  const documents = new Map<string, string>();
  for (const part of result.stdout.split("---\n# Source: ").slice(1)) {
    const end = part.indexOf("\n");
    documents.set(part.slice(0, end), part.slice(end + 1).trim());
  }
  return snippets.map((_, i) => ({ text: textOf(documents.get(`probe/templates/p${i}.yaml`) ?? "") }));
}

function helmOutcome(snippet: string): Outcome {
  using chart = chartOnDisk({ ...base, "templates/probe.yaml": template(snippet, "probe") });
  const { ok, stdout, stderr } = helmTemplate(chart.dir);
  if (!ok) return { error: helmError(stderr) };
  return { text: textOf(stdout.slice(stdout.indexOf("\np: ") + 1).trim()) };
}

/** Helm's error without log lines and advice. */
export function helmError(stderr: string): string {
  return stderr
    .replace(/^(?:time=|level=|\d{4}\/\d\d\/\d\d ).*\n/gm, "")
    .replace(/^Error: /, "")
    .replace(/\n\nUse --debug flag to render out invalid YAML\n?$/, "")
    .trim();
}

/**
 * Chart cases: `test/engine/chart/cases/<case>.txt` is a whole chart in one file, `-- path --` before each of its files.
 * `-- args --` holds arguments, one a line; `-- expected --` or `-- error --` what helm 4.1.4 said.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { CommandContext } from "../../engine/commands/command.ts";
import { command } from "../../engine/commands/template.ts";
import { isEngineError } from "../../engine/errors.ts";
import { chartOnDisk, helmTemplate } from "./helmOracle.ts";
import { helmError } from "./probes.ts";

const dir = path.resolve(import.meta.dirname, "../engine/chart/cases");

export interface ChartCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly expected: string;
  readonly isError: boolean;
}

/** Names of all cases, sorted. */
export const caseNames: readonly string[] = readdirSync(dir)
  .filter((name) => name.endsWith(".txt"))
  .map((name) => name.replace(/\.txt$/, ""))
  .sort();

export function readCase(name: string): ChartCase {
  const text = readFileSync(path.join(dir, `${name}.txt`), "utf8");
  const files: Record<string, string> = {};
  let args: string[] = [];
  let expected = "";
  let isError = false;
  const parts = text.split(/^-- (.+) --\n/m);
  for (let i = 1; i < parts.length; i += 2) {
    const title = parts[i] ?? "";
    const body = parts[i + 1] ?? "";
    if (title === "args") args = body.split("\n").filter((line) => line !== "");
    else if (title === "expected" || title === "error") {
      expected = body;
      isError = title === "error";
    } else files[title] = body;
  }
  return { name, files, args, expected, isError };
}

/** Replaces the outcome a case records. */
export function recordCase(name: string, outcome: { readonly text: string; readonly isError: boolean }): void {
  const file = path.join(dir, `${name}.txt`);
  const [body = ""] = readFileSync(file, "utf8").split(/^-- (?:expected|error) --\n/m);
  writeFileSync(file, `${body}-- ${outcome.isError ? "error" : "expected"} --\n${outcome.text}`);
}

/** Writes the chart to disk; folders `charts/NAME.tgz/…` become packed charts. */
function onDisk(files: Readonly<Record<string, string>>): { readonly dir: string } & Disposable {
  const chart = chartOnDisk(files);
  const packed = new Set(Object.keys(files).flatMap((name) => /^(.*?[^/]+\.tgz)\//.exec(name)?.[1] ?? []));
  for (const name of packed) {
    const folder = path.join(chart.dir, name);
    const { status } = spawnSync("tar", ["-czf", `${folder}.new`, "-C", folder, "."]);
    if (status !== 0) throw new Error(`tar could not pack ${name}`);
    rmSync(folder, { recursive: true });
    spawnSync("mv", [`${folder}.new`, folder]);
  }
  return chart;
}

export function helmCase({ files, args }: ChartCase): { readonly text: string; readonly isError: boolean } {
  using chart = onDisk(files);
  const { ok, stdout, stderr } = helmTemplate(
    chart.dir,
    args.map((arg) => arg.replaceAll("$CHART", chart.dir)),
  );
  return ok ? { text: stdout, isError: false } : failed(helmError(stderr).replaceAll(chart.dir, "$CHART"));
}

/** Helm tells what a schema refuses in random order; here it is sorted. */
function failed(words: string): { readonly text: string; readonly isError: true } {
  const lines = words.trim().split("\n");
  const isSchema = words.includes("specifications of the schema(s)");
  return { text: `${(isSchema ? lines.sort() : lines).join("\n")}\n`, isError: true };
}

/** Runs `kubefile template` on the case. */
export async function ownCase({
  files,
  args,
}: ChartCase): Promise<{ readonly text: string; readonly isError: boolean }> {
  using chart = onDisk(files);
  let text = "";
  const parsed = parseArgs({
    args: [chart.dir, ...args.map((arg) => arg.replaceAll("$CHART", chart.dir))],
    options: command.options,
    allowPositionals: true,
  });
  const context: CommandContext = {
    values: parsed.values,
    positionals: parsed.positionals,
    openEngine: () => Promise.reject(new Error("a chart needs no store")),
    print: (line) => {
      text += `${line}\n`;
    },
    say: () => {},
    json: false,
    cwd: chart.dir,
    env: {},
    columns: undefined,
    signal: new AbortController().signal,
  };
  try {
    await command.run(context);
    return { text, isError: false };
  } catch (error) {
    if (isEngineError(error, "CHART_RENDER_FAILED")) return failed(error.facts.detail);
    if (isEngineError(error, "CHART_INVALID")) return failed(error.facts.reason);
    if (isEngineError(error, "CHART_VALUES_INVALID")) {
      return failed(`failed parsing ${error.facts.source} data: ${error.facts.reason}`);
    }
    throw error;
  }
}

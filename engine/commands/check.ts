import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { check } from "../../kubefile/check/check.ts";
import { applyEdits } from "../../kubefile/format.ts";
import { parse } from "../../kubefile/parse.ts";
import { type Problem, rules, type TextEdit } from "../../kubefile/problems.ts";
import { EngineError } from "../errors.ts";
import { version } from "../version.ts";
import { type Command, type CommandContext, flagOption, textOption } from "./command.ts";

/** A problem with its place as people read it: lines and columns from 1, columns in UTF-16 units. */
interface PlacedProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly code: string;
  readonly severity: Problem["severity"];
  readonly message: string;
}

const formats = ["text", "json", "sarif"] as const;
const dialects = ["auto", "sealer", "sealos"] as const;

export const command: Command = {
  summary: "Find mistakes in Kubefiles",
  usage: "[OPTIONS] [FILE...]",
  positionals: [0, 1000],
  options: {
    format: { type: "string", value: "FORMAT", help: `${formats.join(", ")} (default: text)` },
    dialect: { type: "string", value: "NAME", help: `${dialects.join(", ")} (default: auto, told from the file)` },
    fix: { type: "boolean", help: "apply fixes that never change what is built" },
    strict: { type: "boolean", help: "exit with 1 for warnings too" },
  },
  async run(context) {
    const format = context.json ? "json" : choose(context, "format", formats);
    const dialect = choose(context, "dialect", dialects);
    const files = context.positionals.length === 0 ? ["Kubefile"] : context.positionals;
    const problems = files.flatMap((file) => checkFile(context, file, dialect));
    if (format === "json") context.print(JSON.stringify({ files, problems }));
    else if (format === "sarif") context.print(JSON.stringify(sarif(problems), undefined, 2));
    else printText(context, files, problems);
    const failing = problems.some(
      ({ severity }) => severity === "error" || (flagOption(context, "strict") && severity === "warning"),
    );
    return failing ? 1 : 0;
  },
};

function choose<Choice extends string>(
  context: CommandContext,
  option: string,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const written = textOption(context, option);
  const found = written === undefined ? choices[0] : choices.find((choice) => choice === written);
  if (found !== undefined) return found;
  throw new EngineError("USAGE", {
    reason: `--${option} takes ${choices.join(", ")}, not "${written}"`,
    command: "check",
  });
}

function checkFile(
  context: CommandContext,
  file: string,
  dialect: (typeof dialects)[number],
): readonly PlacedProblem[] {
  const place = path.resolve(context.cwd, file);
  let text = readText(place, file);
  let problems = check(parse(text), { dialect });
  if (flagOption(context, "fix")) {
    const fixed = applyEdits(text, safeEdits(problems));
    if (fixed !== text) {
      writeFileSync(place, fixed);
      text = fixed;
      problems = check(parse(text), { dialect });
    }
  }
  const lines = lineStarts(text);
  return problems.map((problem) => placed(problem, file, lines));
}

function readText(place: string, file: string): string {
  try {
    return readFileSync(place, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const reason = code === "ENOENT" ? "there is no such file" : code;
    throw new EngineError("KUBEFILE_MISSING", { path: file, reason }, { cause: error });
  }
}

/** The edits of all safe fixes, in order; of two that overlap the first. A fix is taken whole or not at all. */
function safeEdits(problems: readonly Problem[]): readonly TextEdit[] {
  const taken: TextEdit[] = [];
  for (const { fixes } of problems) {
    const fix = fixes.find(({ safe }) => safe);
    if (fix === undefined) continue;
    const overlaps = fix.edits.some((edit) =>
      taken.some((other) => edit.span.start < other.span.end && other.span.start < edit.span.end),
    );
    if (!overlaps) taken.push(...fix.edits);
  }
  return taken.sort((a, b) => a.span.start - b.span.start);
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function placed({ code, severity, message, span }: Problem, file: string, lines: readonly number[]): PlacedProblem {
  const start = position(lines, span.start);
  const end = position(lines, span.end);
  return { file, ...start, endLine: end.line, endColumn: end.column, code, severity, message };
}

function position(lines: readonly number[], offset: number): { readonly line: number; readonly column: number } {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lines[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lines[low] ?? 0) + 1 };
}

function printText(context: CommandContext, files: readonly string[], problems: readonly PlacedProblem[]): void {
  for (const { file, line, column, severity, message, code } of problems) {
    context.print(`${file}:${line}:${column}: ${severity}: ${message} [${code}]`);
  }
  const count = (severity: Problem["severity"]): number =>
    problems.filter((problem) => problem.severity === severity).length;
  context.say(
    `${files.length} ${files.length === 1 ? "file" : "files"}: ${count("error")} errors, ${count("warning")} warnings`,
  );
}

const sarifLevels = { error: "error", warning: "warning", information: "note", hint: "note" } as const;

/** @see SARIF 2.1.0, the minimum that code scanning services read */
function sarif(problems: readonly PlacedProblem[]): unknown {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "kubefile",
            version,
            rules: rules.map(({ code, name, summary }) => ({ id: code, name, shortDescription: { text: summary } })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: problems.map(({ file, line, column, endLine, endColumn, code, severity, message }) => ({
          ruleId: code,
          level: sarifLevels[severity],
          message: { text: message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: file.split(path.sep).map(encodeURIComponent).join("/") },
                region: { startLine: line, startColumn: column, endLine, endColumn },
              },
            },
          ],
        })),
      },
    ],
  };
}

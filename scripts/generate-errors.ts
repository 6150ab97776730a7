/**
 * Writes `docs/errors.md` from the one table of error codes, `engine/errors.ts`: every code, its sentence, and whether trying again may
 * help. `--check` writes nothing and exits 1 when the page would change.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { rootDir, say } from "./say.ts";

const page = path.join(rootDir, "docs/errors.md");
const source = readFileSync(path.join(rootDir, "engine/errors.ts"), "utf8");
const text = errorsPage(source);
const isNew = text !== readOrEmpty(page);
if (process.argv.includes("--check")) {
  if (isNew) say("docs/errors.md is not up to date: run node scripts/generate-errors.ts");
  process.exitCode = isNew ? 1 : 0;
} else if (isNew) {
  writeFileSync(page, text);
  say("docs/errors.md written");
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** The page for a source text of the table. */
function errorsPage(table: string): string {
  const rows = table.slice(table.indexOf("const table")).split(/\n {2}(?=[A-Z][A-Z0-9_]+: )/);
  const entries = rows.slice(1).map((row) => {
    const code = /^[A-Z][A-Z0-9_]+/.exec(row)?.[0] ?? "";
    const retry = row.includes("retryable: true") ? "yes" : "";
    return `| \`${code}\` | ${sentenceOf(row)} | ${retry} |`;
  });
  return [
    "# Errors",
    "",
    "Every error has a code that stays, a sentence for people, and the facts behind it. *Again* says that the same call may succeed later",
    "without anybody changing anything. Words in *italics* stand for what was found. Written by `scripts/generate-errors.ts`.",
    "",
    "| code | sentence | again |",
    "|---|---|---|",
    ...entries.sort(),
    "",
  ].join("\n");
}

/** The first text of a row's message with the facts in it named. */
function sentenceOf(row: string): string {
  const template =
    /`((?:[^`\\]|\\.|\$\{[^}]*`[^`]*`[^}]*\})*)`/.exec(row)?.[1] ??
    /=>\s*"([^"]*)"/.exec(row)?.[1] ??
    /"([^"]{12,})"/.exec(row)?.[1] ??
    "";
  return template
    .replace(
      /\$\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}/g,
      (_, code: string) => `*${/f\.(\w+)/.exec(code)?.[1] ?? /(\w+)\W*$/.exec(code)?.[1] ?? "…"}*`,
    )
    .replace(/\s+/g, " ")
    .replaceAll("|", "\\|");
}

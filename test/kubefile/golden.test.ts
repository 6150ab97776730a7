import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { check } from "../../kubefile/check/check.ts";
import { applyEdits, format, formatText } from "../../kubefile/format.ts";
import type { Dialect } from "../../kubefile/instructions.ts";
import { parse, reparse } from "../../kubefile/parse.ts";
import { tokens } from "../../kubefile/tokens.ts";
import { corpusDir, skipWithoutCorpus } from "../support/requirement.ts";
import { report } from "./report.ts";

const cases = path.resolve(import.meta.dirname, "../cases");
const update = process.env["UPDATE_GOLDEN"] === "1";

function compare(file: string, actual: string): void {
  if (update) writeFileSync(file, actual);
  assert.equal(
    actual,
    existsSync(file) ? readFileSync(file, "utf8") : "",
    `${path.relative(cases, file)}: run with UPDATE_GOLDEN=1 and review`,
  );
}

/** Cases whose name begins with a dialect are checked in it. */
function dialectOf(name: string): "auto" | Dialect {
  if (name.startsWith("sealer-")) return "sealer";
  return name.startsWith("sealos-") ? "sealos" : "auto";
}

describe("golden cases", () => {
  const names = readdirSync(cases).filter(
    (name) =>
      existsSync(path.join(cases, name, "expected.problems.txt")) ||
      (update && existsSync(path.join(cases, name, "Kubefile"))),
  );
  for (const name of names.filter((one) => existsSync(path.join(cases, one, "Kubefile")))) {
    test(`${name}: problems are as reviewed`, () => {
      const text = readFileSync(path.join(cases, name, "Kubefile"), "utf8");
      const problems = check(parse(text), { dialect: dialectOf(name) });
      compare(path.join(cases, name, "expected.problems.txt"), report(text, problems));
    });
  }
});

describe("every Kubefile of the corpus", { skip: skipWithoutCorpus() }, () => {
  const root = path.join(corpusDir, "kubefiles");
  const files = existsSync(root)
    ? readdirSync(root, { recursive: true, encoding: "utf8" })
        .filter((file) => /(?:^|\/)(?:Kubefile|Dockerfile)[^/]*$/.test(file))
        .sort((a, b) => (a < b ? -1 : 1))
    : [];
  const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

  test("there are more than 150 of them", () => assert.ok(files.length > 150));

  test("is covered by tokens byte for byte", () => {
    for (const file of files) {
      const text = read(file);
      const pieces = tokens(parse(text)).map(({ span }) => text.slice(span.start, span.end));
      assert.equal(pieces.join(""), text, file);
    }
  });

  test("has no error in auto, nor in the dialect of its builder", () => {
    for (const file of files) {
      const own = file.startsWith("cluster-image/") ? "sealos" : "sealer";
      for (const dialect of ["auto", own] as const) {
        const text = read(file);
        const errors = check(parse(text), { dialect }).filter((problem) => problem.severity === "error");
        assert.equal(report(text, errors), "", `${file} as ${dialect}`);
      }
    }
  });

  test("has the problems that were reviewed", () => {
    const lines = files.map((file) => {
      const text = read(file);
      return `== ${file}\n${report(text, check(parse(text)))}`;
    });
    compare(path.join(cases, "corpus/expected.problems.txt"), lines.join(""));
  });

  test("is formatted without a change of meaning, and only once", () => {
    for (const file of files) {
      const text = read(file);
      const once = formatText(text);
      assert.equal(formatText(once), once, file);
      const words = (source: string): unknown =>
        parse(source).instructions.map(({ kind, flags, rest, heredocs }) => [
          kind,
          flags.length,
          rest?.text.split(/\s+/),
          heredocs.length,
        ]);
      assert.deepEqual(words(once), words(text), file);
    }
  });

  test("is the same after each of its lines was typed anew", () => {
    for (const file of files) {
      const text = read(file);
      let kubefile = parse(text);
      for (const [index, line] of text.split("\n").entries()) {
        const start = text.split("\n").slice(0, index).join("\n").length + (index === 0 ? 0 : 1);
        const span = { start, end: start + line.length };
        kubefile = reparse(reparse(kubefile, { span, text: "" }), { span: { start, end: start }, text: line });
      }
      assert.equal(kubefile.text, text);
      assert.deepEqual(kubefile.instructions, parse(text).instructions, file);
      assert.deepEqual(check(kubefile), check(parse(text)), file);
    }
  });

  test("is formatted range by range as a whole", () => {
    for (const file of files.slice(0, 40)) {
      const text = read(file);
      const kubefile = parse(text);
      const edits = format(kubefile, { start: 0, end: text.length });
      assert.equal(applyEdits(text, edits), formatText(text), file);
    }
  });
});

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { type CheckOptions, check } from "../../kubefile/check/check.ts";
import { parse } from "../../kubefile/parse.ts";
import { rules } from "../../kubefile/problems.ts";
import { pretend } from "./support.ts";

const folder = path.resolve(import.meta.dirname, "../../docs/problems");

interface Example {
  readonly text: string;
  readonly options: Partial<CheckOptions>;
}

/** The fenced example below a heading. What stands behind `kubefile` sets the scene: dialect, files, ignore file, platforms. */
function example(page: string, heading: string): Example {
  const match = new RegExp(`## ${heading}\\n\\n\`\`\`kubefile([^\\n]*)\\n([\\s\\S]*?)\\n\`\`\``).exec(page);
  assert.ok(match, `an example below "${heading}"`);
  const scene = new Map(
    (match[1] ?? "")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map((part) => part.split("=") as [string, string]),
  );
  const files = scene.get("files")?.split(",");
  const platforms = scene.get("platforms")?.split(",");
  const context =
    files === undefined && platforms === undefined
      ? undefined
      : pretend({
          files: files ?? [],
          ignore: scene.get("ignore") ?? "",
          platforms: platforms ?? [],
          targetPlatform: scene.get("target") ?? "linux/amd64",
        });
  const dialect = (scene.get("dialect") ?? "auto") as CheckOptions["dialect"];
  const text = (match[2] ?? "").replace("... 65,536 characters more", "x".repeat(65536));
  const allowedRegistries = scene.get("registries")?.split(",") ?? [];
  return { text, options: { dialect, context, allowedRegistries } };
}

test("every rule has a page and every page has a rule", () => {
  const pages = readdirSync(folder)
    .filter((name) => name.startsWith("KF"))
    .sort();
  assert.deepEqual(pages, rules.map((rule) => `${rule.code}.md`).sort());
});

test("codes and names of rules are unique, and codes are in order", () => {
  const codes = rules.map((rule) => rule.code);
  assert.deepEqual(codes, [...new Set(codes)].sort());
  assert.equal(new Set(rules.map((rule) => rule.name)).size, rules.length);
});

for (const rule of rules) {
  test(`${rule.code} ${rule.name}: the bad example of its page shows it, the good one does not`, () => {
    const page = readFileSync(path.join(folder, `${rule.code}.md`), "utf8");
    assert.ok(
      page.startsWith(`# ${rule.code}: ${rule.name}\n\n${rule.summary}\n`),
      "title and summary are the table's",
    );
    const severities = rule.severity === "off" ? { [rule.code]: "warning" as const } : {};
    const bad = example(page, "Bad");
    const badCodes = check(parse(bad.text), { ...bad.options, severities }).map((problem) => problem.code);
    assert.ok(badCodes.includes(rule.code), `bad example gives ${badCodes.join(" ")}`);
    const good = example(page, "Good");
    const goodProblems = check(parse(good.text), { ...good.options, severities });
    assert.ok(!goodProblems.some((problem) => problem.code === rule.code), "good example is free of it");
    assert.deepEqual(
      goodProblems.filter((problem) => problem.severity === "error"),
      [],
    );
  });
}

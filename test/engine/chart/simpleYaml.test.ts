/** The quick YAML reader says what the complete one says, or nothing. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Value } from "../../../engine/chart/go/value.ts";
import { readAnyYaml, readYaml, YamlError } from "../../../engine/chart/yaml/read.ts";
import { NotSimple, readSimpleYaml } from "../../../engine/chart/yaml/simple.ts";
import { corpusDir, skipWithoutCorpus } from "../../support/requirement.ts";

type Answer = { readonly value: Value } | { readonly error: string };

function answer(read: (text: string) => Value, text: string): Answer {
  try {
    return { value: read(text) };
  } catch (error) {
    if (error instanceof YamlError) return { error: error.message };
    throw error;
  }
}

/** Whether the quick reader takes a text; what it says must then be right, key order included. */
function agrees(text: string): boolean {
  assert.deepEqual(answer(readYaml, text), answer(readAnyYaml, text), text);
  try {
    const quick = readSimpleYaml(text, readAnyYaml);
    assert.equal(ordered(quick), ordered(readAnyYaml(text)), text);
    return true;
  } catch (error) {
    if (error instanceof NotSimple || error instanceof YamlError) return false;
    throw error;
  }
}

function ordered(value: Value): string {
  return JSON.stringify(value, (_, item: unknown) => (item instanceof Map ? { map: [...item] } : item));
}

const indent = fc.constantFrom("", "", "  ", "  ", "    ", " ", "   ", "      ");
const scalar = fc.constantFrom(
  ...[
    "a",
    "x y",
    "1",
    "1.50",
    "-1",
    "0x1F",
    "010",
    "1e3",
    "yes",
    "~",
    "null",
    "2001-01-01",
    ".5",
    ".inf",
    "-",
    "- a",
    "--",
  ],
  ...[
    '""',
    '"a b"',
    '"a\\nb"',
    '"a\\x41"',
    '"a',
    "''",
    "'it''s'",
    "'a",
    '"a" b',
    '"a"#c',
    "'a' # c",
    '"a": b',
    "'a':b",
  ],
  ...["[]", "{}", "[a, 1, 'b']", "{a: 1}", "[a", "[] # c", "[a] b", "{a: b}: c", "[&x 1, *x]", "{a: 1, a: 2}"],
  ...[
    "a # c",
    "a #",
    "a#b",
    "# c",
    "#",
    "a: b",
    "a:b",
    "a:",
    "a,b",
    "a]",
    "http://h:80/p",
    "*.a",
    "*x",
    "&x a",
    "!!str 1",
    "!t",
  ],
  ...[
    "|",
    "|-",
    "|+",
    "|2",
    "| # c",
    ">",
    ">-",
    "%a",
    "@a",
    "`a",
    "? a",
    "?a",
    ": a",
    ":a",
    "a  ",
    "\ta",
    "a\tb",
    "a\t#b",
    "é",
    "(a)",
    "$x",
  ],
);
const name = fc.constantFrom(
  "a",
  "b",
  "c.d/e-f",
  '"q"',
  "'r'",
  "y",
  "on",
  "1",
  "<<",
  "a b",
  "? k",
  "null",
  "-x",
  "_",
  '"a:b"',
  "~",
  "a ",
);
const line = fc.oneof(
  fc.tuple(indent, name, scalar).map(([space, key, text]) => `${space}${key}: ${text}`),
  fc.tuple(indent, name).map(([space, key]) => `${space}${key}:`),
  fc.tuple(indent, name, scalar).map(([space, key, text]) => `${space}- ${key}: ${text}`),
  fc.tuple(indent, scalar).map(([space, text]) => `${space}- ${text}`),
  fc
    .tuple(indent, fc.constantFrom("-", "- -", "- - a", "-  b", "# c", "#", "", "  ", "...", "---", "a"))
    .map(([space, text]) => space + text),
  fc.tuple(indent, scalar).map(([space, text]) => space + text),
);

test("any lines: what the quick reader takes, it reads as the complete one does", () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), fc.boolean(), (lines, ends) => {
      agrees(lines.join("\n") + (ends ? "\n" : ""));
    }),
    { numRuns: 3000 },
  );
});

/** Text that is well-formed most of the time. */
const tidy: fc.Arbitrary<string> = fc
  .letrec<{ block: readonly string[]; entry: readonly string[] }>((tie) => ({
    block: fc.oneof(
      { maxDepth: 4 },
      fc.tuple(fc.constantFrom("a", "b.c", "d"), scalar).map(([key, text]) => [`${key}: ${text}`]),
      fc.array(tie("entry"), { minLength: 1, maxLength: 4 }).map((entries) => entries.flat()),
    ),
    entry: fc.oneof(
      { maxDepth: 4 },
      fc.tuple(fc.constantFrom("a", "b.c", "d"), scalar).map(([key, text]) => [`${key}: ${text}`]),
      fc
        .tuple(fc.constantFrom("e", "f"), tie("block"), fc.constantFrom("  ", "    "))
        .map(([key, lines, space]) => [`${key}:`, ...lines.map((text) => (text === "" ? "" : space + text))]),
      fc
        .tuple(
          fc.constantFrom("g", "h"),
          fc.constantFrom("|", "|-", ">", "|+"),
          fc.array(fc.constantFrom("x", "", " y", "# z", "k: v", "   "), { maxLength: 4 }),
        )
        .map(([key, header, lines]) => [`${key}: ${header}`, ...lines.map((text) => `  ${text}`)]),
      fc
        .tuple(
          fc.constantFrom("l", "m"),
          fc.constantFrom("", "  "),
          fc.array(tie("block"), { minLength: 1, maxLength: 3 }),
        )
        .map(([key, space, items]) => [
          `${key}:`,
          ...items.flatMap((lines) => lines.map((text, i) => `${space}${i === 0 ? "- " : "  "}${text}`)),
        ]),
      fc.constantFrom([""], ["# c"], ["  # c"], ["      # c"]),
    ),
  }))
  .block.map((lines) => lines.join("\n"));

test("tidy documents: what the quick reader takes, it reads as the complete one does", () => {
  let taken = 0;
  fc.assert(
    fc.property(tidy, (text) => {
      if (agrees(text)) taken++;
    }),
    { numRuns: 3000 },
  );
  assert.ok(taken > 300, `it took only ${taken}`);
});

const skip = skipWithoutCorpus();

test("values files and manifests of real charts are read as the complete reader does, most of them quickly", {
  skip,
}, () => {
  const files = readdirSync(corpusDir, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.ya?ml$/.test(file))
    .sort();
  const taken = files.filter((file) => agrees(readFileSync(path.join(corpusDir, file), "utf8")));
  const values = files.filter((file) => path.basename(file) === "values.yaml");
  const quick = values.filter((file) => taken.includes(file));
  assert.ok(
    quick.length > values.length * 0.6,
    `${quick.length} of ${values.length}: ${values.filter((file) => !taken.includes(file)).join(" ")}`,
  );
});

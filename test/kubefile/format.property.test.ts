import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { check } from "../../kubefile/check/check.ts";
import { fixAll } from "../../kubefile/fix.ts";
import { formatText } from "../../kubefile/format.ts";
import { parse } from "../../kubefile/parse.ts";
import type { Instruction } from "../../kubefile/syntax.ts";
import { kubefileText } from "./arbitraries.ts";

const layout = new Set([
  "span",
  "nameSpan",
  "wordSpan",
  "keyword",
  "as",
  "logical",
  "body",
  "end",
  "comments",
  "blankLines",
]);
const joinedWords = new Set([
  "FROM",
  "COPY",
  "ADD",
  "APP",
  "CNI",
  "CSI",
  "LAUNCH",
  "CMDS",
  "EXPOSE",
  "VOLUME",
  "ENV",
  "LABEL",
  "ARG",
]);

/** The tree without places, and without what only tells how blanks and letters were written. */
function meaning(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meaning);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !layout.has(key))
      .map(([key, inner]) => [key, meaning(inner)]),
  );
}

function meanings(text: string): unknown {
  const kubefile = parse(text);
  const instructions = kubefile.instructions.map((instruction) => {
    const plain = meaning(instruction) as Record<string, unknown>;
    return withoutRest(instruction, plain);
  });
  const comments = kubefile.comments.map((comment) => comment.text.trimEnd());
  return { escape: kubefile.escape, directives: meaning(kubefile.directives), comments, instructions };
}

/** Where words are split at blanks, `rest` only repeats them with the blanks between them. */
function withoutRest(instruction: Instruction, plain: Record<string, unknown>): unknown {
  if (instruction.kind === "FROM") {
    const words = instruction.words.map((word) => (word.text.toLowerCase() === "as" ? "AS" : word.text));
    return { ...plain, rest: undefined, words };
  }
  const trigger = instruction.kind === "ONBUILD" && instruction.trigger !== undefined;
  if (trigger || joinedWords.has(instruction.kind) || instruction.kind === "UNKNOWN") {
    return {
      ...plain,
      rest: undefined,
      trigger: trigger
        ? withoutRest(instruction.trigger, meaning(instruction.trigger) as Record<string, unknown>)
        : undefined,
    };
  }
  return plain;
}

test("formatting keeps the meaning of any text", () => {
  fc.assert(
    fc.property(kubefileText, (text) => {
      assert.deepEqual(meanings(formatText(text)), meanings(text));
    }),
    { numRuns: 3000 },
  );
});

test("formatting what is formatted changes nothing", () => {
  fc.assert(
    fc.property(kubefileText, (text) => {
      const once = formatText(text);
      assert.equal(formatText(once), once);
    }),
    { numRuns: 3000 },
  );
});

test("checks never throw, stay inside the text, and come in order, in every dialect", () => {
  fc.assert(
    fc.property(
      kubefileText,
      fc.constantFrom("auto" as const, "sealer" as const, "sealos" as const),
      (text, dialect) => {
        let before = 0;
        for (const problem of check(parse(text), { dialect })) {
          assert.ok(problem.span.start >= before && problem.span.end <= text.length, problem.code);
          assert.ok(problem.span.start <= problem.span.end);
          before = problem.span.start;
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("safe fixes come to an end and bring no error with them", () => {
  fc.assert(
    fc.property(kubefileText, (text) => {
      const errors = (source: string): number =>
        check(parse(source)).filter((problem) => problem.severity === "error").length;
      const fixed = fixAll(text);
      assert.ok(errors(fixed.text) <= errors(text));
      assert.equal(fixAll(fixed.text).text, fixed.text);
    }),
    { numRuns: 1000 },
  );
});

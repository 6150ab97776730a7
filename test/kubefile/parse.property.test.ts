import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { instructionAt, instructionOf, itemIndexAt, parse, reparse } from "../../kubefile/parse.ts";
import type { Kubefile } from "../../kubefile/syntax.ts";
import { tokens } from "../../kubefile/tokens.ts";
import { editText, kubefileText } from "./arbitraries.ts";

/** What a reader can see of a Kubefile. */
function seen(kubefile: Kubefile): unknown {
  const { text, escape: escapeMark, directives, comments, instructions, stages, starts } = kubefile;
  const items = kubefile.items.map(({ kind, length }) => ({ kind, length }));
  return { text, escapeMark, directives, comments, instructions, stages, starts, items };
}

test("tokens cover every character of any text exactly once, in order", () => {
  fc.assert(
    fc.property(kubefileText, (text) => {
      const found = tokens(parse(text));
      assert.equal(found.map(({ span }) => text.slice(span.start, span.end)).join(""), text);
      let at = 0;
      for (const { span } of found) {
        assert.equal(span.start, at);
        assert.ok(span.end > span.start);
        at = span.end;
      }
    }),
    { numRuns: 2000 },
  );
});

test("an edit gives the same Kubefile as reading the new text from the start, after any sequence of edits", () => {
  const edit = fc.record({ at: fc.nat(), length: fc.nat({ max: 40 }), text: editText });
  fc.assert(
    fc.property(kubefileText, fc.array(edit, { minLength: 1, maxLength: 6 }), (text, edits) => {
      let kubefile = parse(text);
      for (const { at, length, text: inserted } of edits) {
        const start = at % (kubefile.text.length + 1);
        const end = Math.min(kubefile.text.length, start + length);
        kubefile = reparse(kubefile, { span: { start, end }, text: inserted });
      }
      assert.deepEqual(seen(kubefile), seen(parse(kubefile.text)));
    }),
    { numRuns: 3000 },
  );
});

test("every span lies inside the text and inside its instruction, and words are what the span shows", () => {
  fc.assert(
    fc.property(kubefileText, (text) => {
      for (const instruction of parse(text).instructions) {
        assert.ok(instruction.span.start >= 0 && instruction.span.end <= text.length);
        for (const word of [instruction.keyword, ...instruction.words, ...instruction.flags.map((flag) => flag.name)]) {
          assert.ok(word.span.start >= instruction.span.start && word.span.end <= instruction.span.end);
          // Without a line joint inside, the span holds the word's own characters.
          if (word.span.end - word.span.start === word.text.length) {
            assert.equal(text.slice(word.span.start, word.span.end), word.text);
          } else {
            assert.ok(text.slice(word.span.start, word.span.end).includes("\n"));
          }
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("the item of an offset is the one whose range holds it", () => {
  fc.assert(
    fc.property(kubefileText, fc.nat(), (text, number) => {
      const kubefile = parse(text);
      if (text === "") return;
      const offset = number % text.length;
      const index = itemIndexAt(kubefile, offset);
      const start = kubefile.starts[index] ?? -1;
      assert.ok(start <= offset && offset < start + (kubefile.items[index]?.length ?? 0));
      assert.deepEqual(instructionAt(kubefile, offset), instructionOf(kubefile, index));
    }),
  );
});

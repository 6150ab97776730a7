import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SelectionRange } from "vscode-languageserver";
import { selectionRanges } from "../../server/features/selectionRange.ts";
import { atCursor, textOf } from "./fixture.ts";

/** The texts that the selection grows through. */
function grows(text: string, ...expected: readonly string[]): void {
  const { document, offset } = atCursor(text);
  const [range] = selectionRanges(document, [document.lines.positionAt(offset)]);
  const found: string[] = [];
  for (let at: SelectionRange | undefined = range; at !== undefined; at = at.parent)
    found.push(textOf(document, at.range));
  assert.deepEqual(found, expected);
}

describe("the selection grows", () => {
  test("from a word to the instruction, the stage and the file", () =>
    grows(
      "ARG A\nFROM a AS ba|se\nRUN x\n",
      "base",
      "a AS base",
      "FROM a AS base",
      "FROM a AS base\nRUN x",
      "ARG A\nFROM a AS base\nRUN x\n",
    ));
  test("from a variable's name over its braces and the pair", () =>
    grows(
      "ENV A=x${B|}y C=d\n",
      "B",
      "${B}",
      "x${B}y",
      "A=x${B}y",
      "A=x${B}y C=d",
      "ENV A=x${B}y C=d",
      "ENV A=x${B}y C=d\n",
    ));
  test("from inside quotes to the quotes", () =>
    grows('LAUNCH ["ng|inx", "b"]', "nginx", '"nginx"', '["nginx", "b"]', 'LAUNCH ["nginx", "b"]'));
  test("from a flag's value to the flag", () =>
    grows("COPY --from=ba|se a b", "base", "--from=base", "COPY --from=base a b"));
  test("from a line of a heredoc to its body", () => {
    const { document, offset } = atCursor("RUN <<EOF\nl|s\nEOF\n");
    const [range] = selectionRanges(document, [document.lines.positionAt(offset)]);
    assert.ok(range);
    assert.equal(textOf(document, range.range), "ls\n");
  });
  test("from a comment to its run and the file", () =>
    grows("RUN x\n# a\n# |b\nRUN y", "# b", "# a\n# b", "RUN x\n# a\n# b\nRUN y"));
  test("on a blank line to the file", () => grows("RUN x\n|\nRUN y", "RUN x\n\nRUN y"));
  test("in an empty file to nothing", () => grows("|", ""));
});

test("each cursor has its own selection", () => {
  const { document } = atCursor("FROM a\nFROM b|");
  const found = selectionRanges(document, [
    { line: 0, character: 5 },
    { line: 1, character: 5 },
  ]);
  assert.deepEqual(
    found.map((range) => textOf(document, range.range)),
    ["a", "b"],
  );
});

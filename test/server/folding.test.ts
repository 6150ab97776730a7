import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FoldingRangeKind } from "vscode-languageserver";
import { foldingRanges } from "../../server/features/folding.ts";
import { crlf, open } from "./fixture.ts";

/** `first-last kind` of each range. */
function folds(text: string, expected: readonly string[]): void {
  for (const variant of [text, crlf(text)]) {
    const found = foldingRanges(open(variant), { lineFoldingOnly: true, limit: 1000 });
    assert.deepEqual(
      found.map((range) => `${range.startLine}-${range.endLine}${range.kind === undefined ? "" : ` ${range.kind}`}`),
      expected,
    );
  }
}

describe("folding", () => {
  test("one line does not fold", () => folds("RUN ls", []));
  test("an instruction of several lines", () => folds("RUN a \\\n b \\\n c\n", ["0-2"]));
  test("each of two instructions", () => folds("RUN a \\\n b\nRUN c \\\n d", ["0-1", "2-3"]));
  test("with comments between its lines", () => folds("RUN a \\\n # note\n b", ["0-2"]));
  test("with blank lines between its lines", () => folds("RUN a \\\n\n b", ["0-2"]));
  test("with a backtick as the escape character", () => folds("# escape=`\nRUN a `\n b", ["1-2"]));
  test("a stage up to the next FROM", () =>
    folds("FROM a\nRUN x\nRUN y\n\nFROM b\nRUN z\n", ["0-2 region", "4-5 region"]));
  test("a stage of one instruction does not fold", () => folds("FROM a\nFROM b\nRUN x", ["1-2 region"]));
  test("what stands before the first FROM is no stage", () => folds("ARG A\nFROM a\nRUN x", ["1-2 region"]));
  test("a run of comments", () => folds("# a\n# b\n# c\n", ["0-2 comment"]));
  test("a blank line ends a run of comments", () => folds("# a\n# b\n\n# c\n# d", ["0-1 comment", "3-4 comment"]));
  test("one comment does not fold", () => folds("# a\nRUN x", []));
  test("directives are no comments", () => folds("# escape=`\n# a\n# b", ["1-2 comment"]));
  test("a heredoc", () => folds("RUN <<EOF\nls\npwd\nEOF\n", ["0-3"]));
  test("two heredocs of one instruction", () => folds("COPY <<A <<B /x/\n1\nA\n2\nB\n", ["0-4", "2-3"]));
  test("regions between comments", () => folds("# region tools\nRUN a\n# endregion\n", ["0-2 region"]));
  test("regions in regions", () =>
    folds("#region a\n#region b\nRUN a\n#endregion\nRUN b\n#endregion", ["0-5 region", "1-3 region"]));
  test("an endregion alone does nothing", () => folds("# endregion\nRUN a", []));
  test("an empty file", () => folds("", []));
  test("at most as many as the client takes", () => {
    const found = foldingRanges(open("RUN a \\\n b\n".repeat(10)), { lineFoldingOnly: true, limit: 3 });
    assert.equal(found.length, 3);
  });
  test("columns where the client folds parts of lines", () => {
    const [range] = foldingRanges(open("RUN a \\\n  b"), { lineFoldingOnly: false, limit: 10 });
    assert.deepEqual(range, { startLine: 0, startCharacter: 7, endLine: 1, endCharacter: 3 });
  });
  test("comments say what they are", () => {
    const [range] = foldingRanges(open("# a\n# b"), { lineFoldingOnly: true, limit: 10 });
    assert.equal(range?.kind, FoldingRangeKind.Comment);
  });
});

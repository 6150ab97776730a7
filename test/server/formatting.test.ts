import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatting, onTypeFormatting } from "../../server/features/formatting.ts";
import { applied, atCursor, crlf, open } from "./fixture.ts";

const options = { tabSize: 4, insertSpaces: true };

function formats(text: string, expected: string): void {
  for (const change of [(value: string) => value, crlf]) {
    const document = open(change(text));
    assert.equal(applied(document, formatting(document)), change(expected));
  }
}

/** The text after typing; the cursor stands behind what was typed. */
function types(text: string, typed: string, expected: string, given = options): void {
  for (const change of [(value: string) => value, crlf]) {
    const { document, offset } = atCursor(change(text));
    const edits = onTypeFormatting(document, document.lines.positionAt(offset), typed, given);
    assert.equal(applied(document, edits), change(expected));
  }
}

describe("formatting", () => {
  test("the whole file", () => formats("from  a\n\n\n\ncopy   x    y  \n", "FROM a\n\nCOPY x y\n"));
  test("keeps the indentation of continuations", () =>
    formats("RUN a \\\n      b \\\n  c\n", "RUN a \\\n      b \\\n  c\n"));
  test("keeps heredocs", () => formats("RUN <<EOF\n  a\n   b  \nEOF\n", "RUN <<EOF\n  a\n   b  \nEOF\n"));
  test("a range touches its lines only", () => {
    const document = open("from  a\ncopy  x y\n");
    assert.equal(applied(document, formatting(document, { start: 9, end: 10 })), "from  a\nCOPY x y\n");
  });
  test("nothing to do means no edits", () => assert.deepEqual(formatting(open("FROM a\n")), []));
});

describe("while typing", () => {
  test("a line behind an escape is indented", () => types("RUN a \\\n|", "\n", "RUN a \\\n    "));
  test("with tabs where the editor uses tabs", () =>
    types("RUN a \\\n|", "\n", "RUN a \\\n\t", { tabSize: 4, insertSpaces: false }));
  test("like the continuation above", () => types("RUN a \\\n  b \\\n|", "\n", "RUN a \\\n  b \\\n  "));
  test("hand-made indentation stays", () => types("RUN a \\\n       |b", "\n", "RUN a \\\n       b"));
  test("with a backtick as the escape character", () =>
    types("# escape=`\nRUN a `\n|", "\n", "# escape=`\nRUN a `\n    "));
  test("a finished line is formatted", () => types("copy   a  b\n|", "\n", "COPY a b\n"));
  test("only the finished line is", () =>
    types("from  x\ncopy   a  b\n|\nrun  z", "\n", "from  x\nCOPY a b\n\nrun  z"));
  test("not in the body of a heredoc", () => types("RUN <<EOF\n  a  \n|\nEOF", "\n", "RUN <<EOF\n  a  \n\nEOF"));
  test("an escape at the end of a line indents the next one", () => types("RUN a \\|\nb", "\\", "RUN a \\\n    b"));
  test("an escape within a line does nothing", () => types("RUN a \\|b\nc", "\\", "RUN a \\b\nc"));
  test("the other escape character does nothing", () => types("RUN a `|\nb", "`", "RUN a `\nb"));
  test("a comment between continuation lines stays", () =>
    types("RUN a \\\n|# note\n b", "\n", "RUN a \\\n# note\n b"));
});

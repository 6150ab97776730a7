import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DocumentHighlightKind } from "vscode-languageserver";
import { documentHighlights, references } from "../../server/features/references.ts";
import { atCursor, crlf, marked } from "./fixture.ts";

function finds(text: string, expected: string, includeDeclaration = true): void {
  for (const [variant, wanted] of [
    [text, expected],
    [crlf(text), crlf(expected)],
  ] as const) {
    const { document, offset } = atCursor(variant);
    const found = references(document, offset, includeDeclaration);
    assert.equal(
      marked(
        document,
        found.map((location) => location.range),
      ),
      wanted,
    );
  }
}

describe("references", () => {
  test("of a stage: its name, FROM, COPY --from and mounts", () =>
    finds(
      "FROM a AS ba|se\nFROM base AS b\nCOPY --from=BASE x y\nRUN --mount=from=base,target=/x ls\n",
      "FROM a AS [base]\nFROM [base] AS b\nCOPY --from=[BASE] x y\nRUN --mount=from=[base],target=/x ls\n",
    ));
  test("without the declaration", () => finds("FROM a AS ba|se\nFROM base\n", "FROM a AS base\nFROM [base]\n", false));
  test("of an application", () =>
    finds(
      'APP n|ginx local://x\nAPPENV nginx A=1\nAPPCMDS nginx ["nginx"]\nLAUNCH ["redis", "nginx"]',
      'APP [nginx] local://x\nAPPENV [nginx] A=1\nAPPCMDS [nginx] ["nginx"]\nLAUNCH ["redis", "[nginx]"]',
    ));
  test("of a variable in every kind of use", () =>
    finds(
      "FROM a\nARG V=1\nENV V=${|V} W=$V\nRUN echo \"$V\" '$V' ${V:-x}\nCOPY $V /x\nLABEL a=\\$V",
      "FROM a\nARG [V]=1\nENV [V]=${[V]} W=$[V]\nRUN echo \"$[V]\" '$V' ${[V]:-x}\nCOPY $[V] /x\nLABEL a=\\$V",
    ));
  test("of a global argument, through the stages that take it over", () =>
    finds(
      "ARG |V=1\nFROM a:$V\nARG V\nRUN echo $V\nFROM b\nRUN echo $V",
      "ARG [V]=1\nFROM a:$[V]\nARG [V]\nRUN echo $[V]\nFROM b\nRUN echo $V",
    ));
  test("a stage's own ARG with a value is another variable", () =>
    finds("ARG |V=1\nFROM a:$V\nARG V=2\nRUN echo $V", "ARG [V]=1\nFROM a:$[V]\nARG V=2\nRUN echo $V"));
  test("a variable in the default of another one", () =>
    finds("FROM a\nENV A=1\nWORKDIR ${B:-${|A}}", "FROM a\nENV [A]=1\nWORKDIR ${B:-${[A]}}"));
  test("of a name nobody sets", () =>
    finds("FROM a\nRUN echo $|X ${X}\nFROM b\nRUN echo $X", "FROM a\nRUN echo $[X] ${[X]}\nFROM b\nRUN echo $X"));
  test("of both markers of a heredoc", () =>
    finds("FROM a\nRUN <<E|OF\nEOF \nEOF\nRUN <<EOF\nEOF", "FROM a\nRUN <<[EOF]\nEOF \n[EOF]\nRUN <<EOF\nEOF"));
  test("a heredoc with leading tabs", () => finds("RUN <<-E|OF\n\tls\n\tEOF", "RUN <<-[EOF]\n\tls\n\t[EOF]"));
  test("of ENV set in an ONBUILD", () =>
    finds("FROM a\nONBUILD ENV |A=1\nONBUILD RUN echo $A", "FROM a\nONBUILD ENV [A]=1\nONBUILD RUN echo $[A]"));
  test("in a heredoc that COPY expands", () =>
    finds("FROM a\nENV |A=1\nCOPY <<EOF /x\nvalue $A\nEOF", "FROM a\nENV [A]=1\nCOPY <<EOF /x\nvalue $[A]\nEOF"));
  test("not in a heredoc that COPY does not expand", () =>
    finds('FROM a\nENV |A=1\nCOPY <<"EOF" /x\nvalue $A\nEOF', 'FROM a\nENV [A]=1\nCOPY <<"EOF" /x\nvalue $A\nEOF'));
  test("on a keyword there are none", () => finds("FR|OM a", "FROM a"));
});

describe("highlights", () => {
  test("definitions write, uses read", () => {
    const { document, offset } = atCursor("FROM a\nENV A=1\nWORKDIR $|A");
    assert.deepEqual(
      documentHighlights(document, offset).map(({ range, kind }) => [range.start.line, kind]),
      [
        [1, DocumentHighlightKind.Write],
        [2, DocumentHighlightKind.Read],
      ],
    );
  });
  test("on nothing there are none", () => {
    const { document, offset } = atCursor("FROM a\n|\n");
    assert.deepEqual(documentHighlights(document, offset), []);
  });
});

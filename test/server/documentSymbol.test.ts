import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type DocumentSymbol, SymbolTag } from "vscode-languageserver";
import { documentSymbols, flatSymbols } from "../../server/features/documentSymbol.ts";
import { crlf, open, textOf } from "./fixture.ts";

/** The outline as indented lines. */
function outline(symbols: readonly DocumentSymbol[], depth = 0): string[] {
  return symbols.flatMap((symbol) => [
    `${"  ".repeat(depth)}${symbol.name}${symbol.detail === undefined ? "" : ` ${symbol.detail}`}`,
    ...outline(symbol.children ?? [], depth + 1),
  ]);
}

function outlines(text: string, ...expected: readonly string[]): void {
  for (const variant of [text, crlf(text)]) assert.deepEqual(outline(documentSymbols(open(variant))), expected);
}

describe("the outline", () => {
  test("stages hold their instructions", () =>
    outlines("FROM a AS one\nCOPY x y\nFROM b\nRUN ls\n", "FROM one", "  COPY x y", "FROM b", "  RUN ls"));
  test("arguments before the first FROM stand at the top", () =>
    outlines("ARG V=1\nFROM a", "ARG V", "  V 1", "FROM a"));
  test("directives come first", () => outlines("# escape=`\nFROM a", "escape `", "FROM a"));
  test("variables below ENV and LABEL", () =>
    outlines('ENV A=1 B="x y"\nLABEL k=v', "ENV A B", "  A 1", '  B "x y"', "LABEL k", "  k v"));
  test("applications", () =>
    outlines(
      'APP nginx local://x\nAPPENV nginx A=1\nAPPCMDS nginx ["ls"]\nCNI calico local://y\nLAUNCH ["nginx"]',
      "APP nginx",
      "APPENV nginx",
      "  A 1",
      "APPCMDS nginx",
      "CNI calico",
      'LAUNCH ["nginx"]',
    ));
  test("long commands are cut", () => {
    const [symbol] = documentSymbols(open(`RUN ${"x".repeat(200)}`));
    assert.equal(symbol?.detail?.length, 80);
    assert.ok(symbol.detail.endsWith("…"));
  });
  test("continued lines are one", () => outlines("RUN a \\\n    b", "RUN a b"));
  test("lower case reads like the rest", () => outlines("from a", "FROM a"));
  test("unknown words", () => outlines("FOO bar", "FOO bar"));
  test("ONBUILD", () => outlines("ONBUILD RUN ls", "ONBUILD RUN ls"));
  test("comments and blank lines are not in it", () => outlines("# a\n\n# b\n"));
  test("an instruction without arguments", () => outlines("RUN", "RUN"));
  test("deprecated instructions are marked", () =>
    assert.deepEqual(documentSymbols(open("MAINTAINER me"))[0]?.tags, [SymbolTag.Deprecated]));
  test("a stage spans all of its instructions, its name is the keyword", () => {
    const document = open("FROM a\nRUN x\n\nFROM b");
    const [stage] = documentSymbols(document);
    assert.ok(stage);
    assert.equal(textOf(document, stage.range), "FROM a\nRUN x");
    assert.equal(textOf(document, stage.selectionRange), "FROM");
  });
  test("every symbol's name lies inside its range, and children inside their parent", () => {
    const document = open('ARG A=1\nFROM a AS b\nENV X=1 Y=2\nRUN <<EOF\nls\nEOF\nLAUNCH ["x"]\n');
    const inside = (symbol: DocumentSymbol, start: number, end: number): void => {
      const from = document.lines.offsetAt(symbol.range.start);
      const to = document.lines.offsetAt(symbol.range.end);
      assert.ok(start <= from && to <= end, symbol.name);
      assert.ok(from <= document.lines.offsetAt(symbol.selectionRange.start));
      assert.ok(document.lines.offsetAt(symbol.selectionRange.end) <= to);
      for (const child of symbol.children ?? []) inside(child, from, to);
    };
    for (const symbol of documentSymbols(document)) inside(symbol, 0, document.tree.text.length);
  });
  test("flat, for clients without trees", () =>
    assert.deepEqual(
      flatSymbols(open("FROM a AS one\nENV A=1")).map(({ name, containerName }) => [name, containerName]),
      [
        ["FROM one", undefined],
        ["ENV A", "one"],
        ["A 1", "A"],
      ],
    ));
});

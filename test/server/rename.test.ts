import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { prepareRename, rename } from "../../server/features/rename.ts";
import { applied, atCursor, crlf, textOf } from "./fixture.ts";

function renames(text: string, newName: string, expected: string): void {
  for (const [variant, wanted] of [
    [text, expected],
    [crlf(text), crlf(expected)],
  ] as const) {
    const { document, offset } = atCursor(variant);
    assert.equal(applied(document, rename(document, offset, newName)), wanted);
  }
}

function refuses(text: string, newName: string, reason: RegExp): void {
  const { document, offset } = atCursor(text);
  assert.throws(() => rename(document, offset, newName), reason);
}

describe("rename", () => {
  test("a stage from its name", () =>
    renames(
      "FROM a AS b|ase\nFROM base\nCOPY --from=base x y",
      "build",
      "FROM a AS build\nFROM build\nCOPY --from=build x y",
    ));
  test("a stage from a use", () =>
    renames(
      "FROM a AS base\nFROM b\nCOPY --from=b|ase x y",
      "build",
      "FROM a AS build\nFROM b\nCOPY --from=build x y",
    ));
  test("a stage in a mount", () =>
    renames(
      "FROM a AS base\nFROM b\nRUN --mount=type=bind,from=ba|se,target=/x ls",
      "build",
      "FROM a AS build\nFROM b\nRUN --mount=type=bind,from=build,target=/x ls",
    ));
  test("a stage leaves numbers alone", () =>
    renames("FROM a AS b|ase\nFROM b\nCOPY --from=0 x y", "build", "FROM a AS build\nFROM b\nCOPY --from=0 x y"));
  test("a stage may change its case", () => renames("FROM a AS b|ase\nFROM base", "Base", "FROM a AS Base\nFROM Base"));
  test("a variable with and without braces, and with a modifier", () =>
    renames(
      'FROM a\nENV |A=1\nRUN echo $A "${A}" ${A:-$A}\nLABEL x="$A"',
      "LONGER",
      'FROM a\nENV LONGER=1\nRUN echo $LONGER "${LONGER}" ${LONGER:-$LONGER}\nLABEL x="$LONGER"',
    ));
  test("a global argument and what takes it over", () =>
    renames("ARG V=1\nFROM a:$|V\nARG V\nRUN $V", "W", "ARG W=1\nFROM a:$W\nARG W\nRUN $W"));
  test("an application everywhere, the quotes of an array kept", () =>
    renames(
      'APP nginx local://nginx\nAPPCMDS nginx ["nginx"]\nLAUNCH ["ng|inx"]',
      "web",
      'APP web local://nginx\nAPPCMDS web ["nginx"]\nLAUNCH ["web"]',
    ));
  test("a heredoc's markers", () => renames("RUN <<E|OF\nls\nEOF\n", "END", "RUN <<END\nls\nEND\n"));
  test("a quoted heredoc keeps its quotes", () => renames("RUN <<'E|OF'\nls\nEOF\n", "END", "RUN <<'END'\nls\nEND\n"));
  test("over continued lines", () =>
    renames("FROM a\nENV A=1 \\\n  |B=2\nRUN x \\\n  $B", "C", "FROM a\nENV A=1 \\\n  C=2\nRUN x \\\n  $C"));
  test("with a backtick as the escape character", () =>
    renames("# escape=`\nFROM a\nENV |A=1\nRUN x `\n  $A", "B", "# escape=`\nFROM a\nENV B=1\nRUN x `\n  $B"));
  test("on nothing changes nothing", () => renames("FR|OM a", "x", "FROM a"));
});

describe("rename refuses", () => {
  test("a variable this file does not set", () => refuses("FROM a\nRUN echo $|HOME", "X", /does not define/u));
  test("an application of the base image", () => refuses("FROM a\nLAUNCH n|ginx", "x", /does not define/u));
  test("a name with a blank", () => refuses("FROM a AS b|", "x y", /no name/u));
  test("a variable that starts with a digit", () => refuses("FROM a\nENV |A=1", "1A", /no name/u));
  test("a heredoc marker with quotes", () => refuses("RUN <<E|OF\nEOF", "a'b", /no name/u));
  test("a name that is taken in the stage", () => refuses("FROM a\nENV |A=1 B=2", "B", /already in use/u));
  test("a stage name that differs only by case", () =>
    refuses("FROM a AS one\nFROM b AS t|wo", "ONE", /already in use/u));
  test("an application that is declared", () => refuses("APP a local://x\nAPP |b local://x", "a", /already in use/u));
});

describe("prepareRename", () => {
  for (const [text, expected] of [
    ["FROM a AS b|ase", "base"],
    ["FROM a\nENV A=1\nRUN ${|A}", "A"],
    ["APP n|ginx local://x\nLAUNCH nginx", "nginx"],
    ['RUN <<"E|OF"\nEOF', "EOF"],
  ] as const)
    test(text.replaceAll("\n", "⏎"), () => {
      const { document, offset } = atCursor(text);
      const prepared = prepareRename(document, offset);
      assert.ok(prepared);
      assert.equal(textOf(document, prepared.range), expected);
      assert.equal(prepared.placeholder, expected);
    });
  test("nothing to rename", () => {
    const { document, offset } = atCursor("FROM al|pine");
    assert.equal(prepareRename(document, offset), null);
  });
  test("a stage meant by its number cannot be renamed", () => {
    const { document, offset } = atCursor("FROM a AS b\nFROM c\nCOPY --from=|0 x y");
    assert.throws(() => prepareRename(document, offset), /number/u);
  });
});

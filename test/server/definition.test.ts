import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { declaration, definition } from "../../server/features/definition.ts";
import { atCursor, crlf, marked } from "./fixture.ts";

/** The text with the target of the link marked; the unmarked text when there is none. */
function leads(text: string, expected: string, find = definition): void {
  for (const [name, variant, wanted] of [
    ["LF", text, expected],
    ["CRLF", crlf(text), crlf(expected)],
  ] as const) {
    const { document, offset } = atCursor(variant);
    const links = find(document, offset);
    assert.equal(
      marked(
        document,
        links.map((link) => link.targetSelectionRange),
      ),
      wanted,
      name,
    );
  }
}

describe("definition of a stage", () => {
  test("COPY --from leads to the stage's name", () =>
    leads("FROM a AS base\nFROM b\nCOPY --from=ba|se x y\n", "FROM a AS [base]\nFROM b\nCOPY --from=base x y\n"));
  test("at either edge of the name", () => {
    leads("FROM a AS base\nFROM b\nCOPY --from=|base x y", "FROM a AS [base]\nFROM b\nCOPY --from=base x y");
    leads("FROM a AS base\nFROM b\nCOPY --from=base| x y", "FROM a AS [base]\nFROM b\nCOPY --from=base x y");
  });
  test("FROM leads to the stage it starts from", () =>
    leads("FROM a AS base\nFROM ba|se AS next\n", "FROM a AS [base]\nFROM base AS next\n"));
  test("case does not matter in stage names", () =>
    leads("FROM a AS Base\nFROM b\nCOPY --from=ba|se x y", "FROM a AS [Base]\nFROM b\nCOPY --from=base x y"));
  test("a number leads to the stage in that place", () =>
    leads(
      "FROM a AS one\nFROM b AS two\nFROM c\nCOPY --from=|1 x y",
      "FROM a AS one\nFROM b AS [two]\nFROM c\nCOPY --from=1 x y",
    ));
  test("a mount of RUN leads to its stage", () =>
    leads(
      "FROM a AS base\nFROM b\nRUN --mount=type=bind,from=ba|se,target=/x ls",
      "FROM a AS [base]\nFROM b\nRUN --mount=type=bind,from=base,target=/x ls",
    ));
  test("the nearest stage above counts when a name is given twice", () =>
    leads(
      "FROM a AS s\nFROM b AS s\nFROM c\nCOPY --from=|s x y",
      "FROM a AS s\nFROM b AS [s]\nFROM c\nCOPY --from=s x y",
    ));
  test("an image that is no stage leads nowhere", () =>
    leads("FROM a AS base\nFROM al|pine\n", "FROM a AS base\nFROM alpine\n"));
  test("a stage below leads nowhere", () =>
    leads("FROM b\nCOPY --from=la|ter x y\nFROM a AS later", "FROM b\nCOPY --from=later x y\nFROM a AS later"));
  test("the definition leads to itself", () => leads("FROM a AS ba|se", "FROM a AS [base]"));
  test("ONBUILD COPY --from leads to the stage", () =>
    leads(
      "FROM a AS base\nFROM b\nONBUILD COPY --from=ba|se x y",
      "FROM a AS [base]\nFROM b\nONBUILD COPY --from=base x y",
    ));
});

describe("definition of a variable", () => {
  for (const [form, use] of [
    ["$NAME", "$NA|ME"],
    ["braces", "${NA|ME}"],
    ["a default", "${NA|ME:-x}"],
    ["the dollar", "|$NAME"],
  ] as const) {
    test(`ENV, used with ${form}`, () => {
      const plain = use.replace("|", "");
      leads(`FROM a\nENV NAME=1\nWORKDIR /${use}`, `FROM a\nENV [NAME]=1\nWORKDIR /${plain}`);
    });
  }
  test("ARG before the first FROM, used in FROM", () => leads("ARG V=1\nFROM a:$|V", "ARG [V]=1\nFROM a:$V"));
  test("ARG in the stage takes over the global one", () =>
    leads("ARG V=1\nFROM a\nARG V\nRUN echo $|V", "ARG V=1\nFROM a\nARG [V]\nRUN echo $V"));
  test("the nearest ENV above counts", () =>
    leads("FROM a\nENV A=1\nENV A=2\nWORKDIR $|A\nENV A=3", "FROM a\nENV A=1\nENV [A]=2\nWORKDIR $A\nENV A=3"));
  test("what an instruction sets holds from the next one on", () =>
    leads("FROM a\nENV A=1\nENV A=2 B=$|A", "FROM a\nENV [A]=1\nENV A=2 B=$A"));
  test("a stage sees the variables of the stage it starts from", () =>
    leads("FROM a AS base\nENV A=1\nFROM base\nWORKDIR $|A", "FROM a AS base\nENV [A]=1\nFROM base\nWORKDIR $A"));
  test("a stage does not see the variables of another stage", () =>
    leads("FROM a AS base\nENV A=1\nFROM other\nWORKDIR $|A", "FROM a AS base\nENV A=1\nFROM other\nWORKDIR $A"));
  test("a global ARG is not seen in a stage without ARG", () =>
    leads("ARG V=1\nFROM a\nWORKDIR $|V", "ARG V=1\nFROM a\nWORKDIR $V"));
  test("in a continued line", () =>
    leads("FROM a\nENV A=1\nLABEL x=y \\\n  z=$|A", "FROM a\nENV [A]=1\nLABEL x=y \\\n  z=$A"));
  test("with a backtick as the escape character", () =>
    leads("# escape=`\nFROM a\nENV A=1\nLABEL x=y `\n  z=$|A", "# escape=`\nFROM a\nENV [A]=1\nLABEL x=y `\n  z=$A"));
  test("in the shell of RUN", () => leads("FROM a\nARG A=1\nRUN echo ${|A}", "FROM a\nARG [A]=1\nRUN echo ${A}"));
  test("an escaped dollar is no variable", () =>
    leads("FROM a\nENV A=1\nLABEL x=\\$|A", "FROM a\nENV A=1\nLABEL x=\\$A"));
  test("names differ by case", () => leads("FROM a\nENV a=1\nWORKDIR $|A", "FROM a\nENV a=1\nWORKDIR $A"));
  test("the old form of ENV", () => leads("FROM a\nENV A 1\nWORKDIR $|A", "FROM a\nENV [A] 1\nWORKDIR $A"));
  test("one of several pairs", () => leads("FROM a\nENV A=1 B=2\nWORKDIR $|B", "FROM a\nENV A=1 [B]=2\nWORKDIR $B"));
});

describe("definition of an application", () => {
  for (const use of ['LAUNCH ["ng|inx"]', "LAUNCH ng|inx", "APPENV ng|inx A=1", 'APPCMDS ng|inx ["ls"]'])
    test(use.replace("|", ""), () =>
      leads(`FROM a\nAPP nginx local://x\n${use}`, `FROM a\nAPP [nginx] local://x\n${use.replace("|", "")}`),
    );
  for (const kind of ["CNI", "CSI"])
    test(`${kind} declares one`, () =>
      leads(`FROM a\n${kind} c local://x\nLAUNCH |c`, `FROM a\n${kind} [c] local://x\nLAUNCH c`));
  test("an application that is not declared leads nowhere", () =>
    leads("FROM a\nLAUNCH ot|her", "FROM a\nLAUNCH other"));
});

describe("definition of a heredoc", () => {
  test("the end leads to the opening marker", () =>
    leads("FROM a\nRUN <<EOF\nls\nE|OF\n", "FROM a\nRUN <<[EOF]\nls\nEOF\n"));
  test("a quoted marker", () => leads('FROM a\nRUN <<"EOF"\nls\nE|OF\n', 'FROM a\nRUN <<"[EOF]"\nls\nEOF\n'));
  test("two heredocs of one instruction", () =>
    leads("FROM a\nCOPY <<A <<B /x/\n1\nA\n2\n|B\n", "FROM a\nCOPY <<A <<[B] /x/\n1\nA\n2\nB\n"));
});

describe("declaration", () => {
  test("leads to the first place that sets the name", () =>
    leads("FROM a\nENV A=1\nENV A=2\nWORKDIR $|A", "FROM a\nENV [A]=1\nENV A=2\nWORKDIR $A", declaration));
  test("of ARG leads to the global one", () =>
    leads("ARG V=1\nFROM a\nARG V\nRUN echo $|V", "ARG [V]=1\nFROM a\nARG V\nRUN echo $V", declaration));
  test("of nothing is nothing", () => leads("FROM |a", "FROM a", declaration));
});

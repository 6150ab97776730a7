import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CodeAction, Diagnostic, TextDocumentEdit, TextEdit } from "vscode-languageserver";
import { check } from "../../kubefile/check/check.ts";
import type { Problem } from "../../kubefile/problems.ts";
import type { OpenKubefile } from "../../server/documents.ts";
import { type CodeActionOptions, codeActions, fixAllKind, safeEdits } from "../../server/features/codeAction.ts";
import { diagnostics } from "../../server/features/diagnostics.ts";
import { spanOf } from "../../server/ranges.ts";
import { applied, atCursor, crlf, open } from "./fixture.ts";

const options: CodeActionOptions = {
  documentChanges: true,
  relatedInformation: true,
  diagnosticTags: true,
  codeDescription: true,
  commands: [],
  dialect: "auto",
  severities: {},
};

function actionsAt(text: string, only?: string[], given = options): { document: OpenKubefile; actions: CodeAction[] } {
  const { document, offset } = atCursor(text);
  const at = document.lines.positionAt(offset);
  const context = { diagnostics: [], ...(only === undefined ? {} : { only }) };
  const actions = codeActions(document, check(document.tree), { range: { start: at, end: at }, context }, given);
  return { document, actions };
}

function editsIn(action: CodeAction | undefined): TextEdit[] {
  const [change] = action?.edit?.documentChanges ?? [];
  return ((change as TextDocumentEdit | undefined)?.edits ?? []) as TextEdit[];
}

/** The text after the action whose title matches. */
function becomes(text: string, title: RegExp, expected: string): void {
  for (const change of [(value: string) => value, crlf]) {
    const { document, actions } = actionsAt(change(text));
    const action = actions.find((candidate) => title.test(candidate.title));
    assert.ok(action, actions.map((candidate) => candidate.title).join("\n"));
    assert.equal(applied(document, editsIn(action)), change(expected));
  }
}

describe("quick fixes", () => {
  test("a misspelt instruction", () => becomes("FR|M scratch\n", /FROM/u, "FROM scratch\n"));
  test("lower case", () => becomes("FROM a\nRUN x\nco|py a b\n", /COPY|upper/iu, "FROM a\nRUN x\nCOPY a b\n"));
  test("silence for the instruction, with what continues it", () =>
    becomes(
      "FROM scratch\nFO|O \\\n  b\n",
      /Ignore KF001 .*here/u,
      "FROM scratch\n# kubefile ignore=KF001\nFOO \\\n  b\n",
    ));
  test("silence for the file, behind the directives", () =>
    becomes(
      "# escape=`\nFROM scratch\nFO|O\n",
      /Ignore KF001 .*in this file/u,
      "# escape=`\n# kubefile global ignore=KF001\nFROM scratch\nFOO\n",
    ));
  test("what is silenced is silent", () => {
    const { document, actions } = actionsAt("FROM scratch\nFO|O\n");
    for (const scope of [/here/u, /in this file/u]) {
      const action = actions.find((candidate) => scope.test(candidate.title));
      const text = applied(document, editsIn(action));
      assert.deepEqual(
        check(open(text).tree).filter((problem) => problem.code === "KF001"),
        [],
      );
    }
  });
  test("suggestions say that they change what is built", () => {
    const { document } = atCursor("FROM a|");
    const problem: Problem = {
      code: "KF001",
      severity: "warning",
      span: { start: 0, end: 4 },
      message: "m",
      related: [],
      tags: [],
      fixes: [{ title: "Do it", safe: false, edits: [{ span: { start: 0, end: 4 }, text: "X" }] }],
    };
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
    const [action] = codeActions(document, [problem], { range, context: { diagnostics: [] } }, options);
    assert.equal(action?.title, "Do it (changes what is built)");
    assert.equal(action?.isPreferred, undefined);
  });
  test("none where there is no problem", () => assert.deepEqual(actionsAt("FROM scr|atch\n").actions, []));
  test("of the range only", () => {
    const titles = actionsAt("FOO\nBAR|\n").actions.flatMap((action) => action.diagnostics ?? []);
    assert.ok(titles.every((diagnostic) => diagnostic.range.start.line === 1));
  });
  test("carry the client's own diagnostic", () => {
    const { document, offset } = atCursor("FR|M scratch\n");
    const problems = check(document.tree);
    const reported = diagnostics(document.lines, problems, 10, options).map(
      (item): Diagnostic => ({ ...item, data: "mine" }),
    );
    const at = document.lines.positionAt(offset);
    const actions = codeActions(
      document,
      problems,
      { range: { start: at, end: at }, context: { diagnostics: reported } },
      options,
    );
    assert.equal(actions[0]?.diagnostics?.[0]?.data, "mine");
  });
  test("not when only source actions are asked for", () =>
    assert.ok(actionsAt("FR|M scratch\n", ["source"]).actions.every((action) => action.kind === fixAllKind)));
  test("explain a problem where the client can open pages", () => {
    const { actions } = actionsAt("FO|O\n", undefined, { ...options, commands: ["kubefile.openProblemPage"] });
    const explain = actions.find((action) => action.title === "Explain KF001");
    assert.match(JSON.stringify(explain?.command?.arguments), /KF001\.md/u);
  });
});

describe("source.fixAll.kubefile", () => {
  test("applies every safe fix", () => {
    const { document, actions } = actionsAt("|FROM a\ncopy x y\nrun z\nRUN b\nRUN c\nRUN d\n", [fixAllKind]);
    assert.equal(actions.length, 1);
    assert.equal(applied(document, editsIn(actions[0])), "FROM a\nCOPY x y\nRUN z\nRUN b\nRUN c\nRUN d\n");
  });
  for (const only of ["source", "source.fixAll", fixAllKind])
    test(`asked for as ${only}`, () => assert.equal(actionsAt("|FROM a\nRUN y\ncopy x y\n", [only]).actions.length, 1));
  for (const only of ["quickfix", "source.organizeImports", "source.fixAll.other", "refactor"])
    test(`not as ${only}`, () =>
      assert.ok(actionsAt("|FROM a\nRUN y\ncopy x y\n", [only]).actions.every((action) => action.kind !== fixAllKind)));
  test("not offered among quick fixes", () =>
    assert.ok(actionsAt("FROM a\nRUN y\nco|py x y\n").actions.every((action) => action.kind !== fixAllKind)));
  test("nothing to fix, nothing offered", () =>
    assert.deepEqual(actionsAt("|FROM scratch\n", [fixAllKind]).actions, []));
});

describe("fixes that get in each other's way", () => {
  const problem = (start: number, end: number, text: string, safe = true): Problem => ({
    code: "KF001",
    severity: "warning",
    span: { start, end },
    message: "",
    related: [],
    tags: [],
    fixes: [{ title: "", safe, edits: [{ span: { start, end }, text }] }],
  });
  test("the first wins", () =>
    assert.deepEqual(
      safeEdits([problem(0, 5, "a"), problem(3, 8, "b")]).map((edit) => edit.text),
      ["a"],
    ));
  test("in the order of the text", () =>
    assert.deepEqual(
      safeEdits([problem(9, 10, "b"), problem(0, 1, "a")]).map((edit) => edit.text),
      ["a", "b"],
    ));
  test("the same fix of two problems is applied once", () =>
    assert.equal(safeEdits([problem(0, 1, "a"), problem(0, 1, "a")]).length, 1));
  test("suggestions are left out", () => assert.deepEqual(safeEdits([problem(0, 1, "a", false)]), []));
  test("a fix is applied as a whole or not at all", () => {
    const whole: Problem = {
      ...problem(2, 3, ""),
      fixes: [
        {
          title: "",
          safe: true,
          edits: [
            { span: { start: 2, end: 3 }, text: "x" },
            { span: { start: 9, end: 10 }, text: "y" },
          ],
        },
      ],
    };
    assert.deepEqual(
      safeEdits([problem(0, 1, "a"), whole, problem(9, 12, "z")]).map((edit) => edit.text),
      ["a", "x", "y"],
    );
    assert.deepEqual(
      safeEdits([problem(0, 4, "a"), whole]).map((edit) => edit.text),
      ["a"],
    );
  });
});

test("a range selects the problems it touches", () => {
  const { document } = atCursor("FOO\nBAR\n|");
  const span = spanOf(document.lines, { start: { line: 0, character: 0 }, end: { line: 2, character: 0 } });
  assert.deepEqual(span, { start: 0, end: 8 });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { OpenKubefile } from "../../server/documents.ts";
import {
  SentTokens,
  semanticTokens,
  semanticTokensDelta,
  semanticTokensInRange,
  semanticTokensLegend,
} from "../../server/features/semanticTokens.ts";
import { crlf, open } from "./fixture.ts";

/** `text:type[.modifier]` of each token. */
function decoded(document: OpenKubefile, data: readonly number[]): string[] {
  const found: string[] = [];
  let line = 0;
  let character = 0;
  for (let at = 0; at < data.length; at += 5) {
    const [deltaLine = 0, deltaStart = 0, length = 0, type = 0, bits = 0] = data.slice(at, at + 5);
    line += deltaLine;
    character = deltaLine === 0 ? character + deltaStart : deltaStart;
    const start = document.lines.offsetAt({ line, character });
    const modifiers = semanticTokensLegend.tokenModifiers.filter((_, index) => (bits & (1 << index)) !== 0);
    const name = [semanticTokensLegend.tokenTypes[type], ...modifiers].join(".");
    found.push(`${document.tree.text.slice(start, start + length)}:${name}`);
  }
  return found;
}

function colours(text: string, ...expected: readonly string[]): void {
  for (const variant of [text, crlf(text)]) {
    const document = open(variant);
    assert.deepEqual(decoded(document, semanticTokens(document)), expected);
  }
}

describe("colours", () => {
  test("FROM", () =>
    colours(
      "FROM --platform=linux/amd64 alpine:3 AS base",
      "FROM:keyword",
      "--platform:parameter",
      "=:operator",
      "linux/amd64:enumMember",
      "alpine:3:type",
      "AS:keyword",
      "base:namespace.declaration",
    ));
  test("comments and directives", () =>
    colours("# escape=`\n# note\n", "# escape:macro", "=:operator", "`:string", "# note:comment"));
  test("ENV declares", () =>
    colours(
      "ENV A=1 B=$A",
      "ENV:keyword",
      "A:property.declaration",
      "=:operator",
      "1:string",
      "B:property.declaration",
      "=:operator",
      "$A:variable",
    ));
  test("LABEL does not", () => colours("LABEL a=b", "LABEL:keyword", "a:property", "=:operator", "b:string"));
  test("applications", () =>
    colours(
      "APP nginx local://a\nLAUNCH nginx",
      "APP:keyword",
      "nginx:class.declaration",
      "local://a:string",
      "LAUNCH:keyword",
      "nginx:class",
    ));
  test("deprecated instructions", () =>
    assert.equal(
      decoded(open("MAINTAINER me"), semanticTokens(open("MAINTAINER me")))[0],
      "MAINTAINER:keyword.deprecated",
    ));
  test("an unknown instruction has no colour of its own", () => colours("FOO"));
  test("a text of two lines is two tokens", () =>
    colours(
      "COPY <<EOF /x\na\nb\nEOF",
      "COPY:keyword",
      "<<EOF:macro",
      "/x:string",
      "a:string",
      "b:string",
      "EOF:macro",
    ));
});

describe("shell colours", () => {
  test("commands, options, strings and operators", () =>
    colours(
      "RUN curl -fsSL \"https://x\" | tar -xz && echo 'a b' 12",
      "RUN:keyword",
      "curl:function",
      "-fsSL:parameter",
      '"https://x":string',
      "|:operator",
      "tar:function",
      "-xz:parameter",
      "&&:operator",
      "echo:function",
      "'a b':string",
      "12:number",
    ));
  test("a string with a variable", () =>
    colours('RUN echo "a $B c" d', "RUN:keyword", "echo:function", '"a :string', "$B:variable", ' c":string'));
  test("reserved words", () =>
    colours(
      "RUN if true; then ls; else pwd; fi",
      ...["RUN:keyword", "if:keyword", "true:function", ";:operator", "then:keyword", "ls:function", ";:operator"],
      ...["else:keyword", "pwd:function", ";:operator", "fi:keyword"],
    ));
  test("assignments in front of a command", () =>
    colours("RUN A=1 B+=2 make", "RUN:keyword", "A:variable", "B:variable", "make:function"));
  test("redirections", () => colours("RUN ls 2>&1 > out", "RUN:keyword", "ls:function", "2>&1:operator", ">:operator"));
  test("over continued lines and comments between them", () =>
    colours(
      "RUN a \\\n # note\n && b -c",
      "RUN:keyword",
      "a:function",
      "# note:comment",
      "&&:operator",
      "b:function",
      "-c:parameter",
    ));
  test("a quote over a continued line", () =>
    colours('RUN echo "a \\\n b" c', "RUN:keyword", "echo:function", '"a :string', ' b":string'));
  test("with a backtick as the escape character", () =>
    colours("# escape=`\nRUN a `\n b", "# escape:macro", "=:operator", "`:string", "RUN:keyword", "a:function"));
  test("a heredoc of RUN", () =>
    colours(
      "RUN <<EOF\nls -l # all\ncd x\nEOF",
      "RUN:keyword",
      "<<EOF:macro",
      "ls:function",
      "-l:parameter",
      "# all:comment",
      "cd:function",
      "EOF:macro",
    ));
  test("strings of CMDS", () =>
    colours(
      'CMDS ["kubectl apply -f a.yaml"]',
      "CMDS:keyword",
      '":string',
      "kubectl:function",
      "-f:parameter",
      '":string',
    ));
  test("strings of APPCMDS are one command line", () =>
    colours(
      'APPCMDS x ["helm", "install -n y"]',
      ...[
        "APPCMDS:keyword",
        "x:class",
        '":string',
        "helm:function",
        '":string',
        '":string',
        "-n:parameter",
        '":string',
      ],
    ));
  test("the string behind -c", () =>
    colours(
      'RUN ["sh", "-c", "ls -l"]',
      ...["RUN:keyword", '"sh":string', '"-c":string', '":string', "ls:function", "-l:parameter", '":string'],
    ));
  test("the shell form of HEALTHCHECK", () =>
    colours("HEALTHCHECK CMD curl -f x", "HEALTHCHECK:keyword", "CMD:keyword", "curl:function", "-f:parameter"));
});

describe("parts and differences", () => {
  const text = "FROM a\nRUN ls\nENV A=1\nRUN pwd\n";
  test("a range gives the items it touches, positions counted from the start of the file", () => {
    const document = open(text);
    const start = text.indexOf("ENV");
    assert.deepEqual(decoded(document, semanticTokensInRange(document, { start, end: start + 3 })), [
      "ENV:keyword",
      "A:property.declaration",
      "=:operator",
      "1:string",
    ]);
  });
  test("the same text has no difference", () => assert.deepEqual(semanticTokensDelta([1, 2], [1, 2]), []));
  test("a difference applied gives the tokens of now", () => {
    const numbers = fc.array(fc.nat(3), { maxLength: 30 });
    fc.assert(
      fc.property(numbers, numbers, (before, now) => {
        const result = [...before];
        for (const { start, deleteCount, data } of semanticTokensDelta(before, now))
          result.splice(start, deleteCount, ...(data ?? []));
        assert.deepEqual(result, now);
      }),
    );
  });
  test("an unknown result id gives all tokens", () => {
    const sent = new SentTokens();
    const document = open(text);
    const first = sent.full(document);
    assert.ok("data" in sent.delta(document, "other"));
    assert.notEqual(first.resultId, undefined);
  });
  test("after an edit the difference is small", () => {
    const sent = new SentTokens();
    const document = open("RUN ls\n".repeat(500));
    const { resultId } = sent.full(document);
    const at = { line: 250, character: 4 };
    document.update([{ range: { start: at, end: at }, text: "x" }], 2);
    const delta = sent.delta(document, resultId ?? "");
    assert.ok("edits" in delta);
    assert.equal(delta.edits.length, 1);
    assert.ok((delta.edits[0]?.data?.length ?? 99) <= 10);
  });
  test("edits change only what they touch: incremental equals fresh", () => {
    const piece = fc.constantFrom(
      "RUN a \\\n",
      "FROM x\n",
      " b\n",
      "# c\n",
      "\n",
      "<<EOF\n",
      "EOF\n",
      '"',
      "$A ",
      "ENV A=1\n",
      "\r\n",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.nat(), fc.nat(6), piece, (pieces, where, cut, added) => {
        const document = open(pieces.join(""));
        semanticTokens(document);
        const length = document.tree.text.length;
        const start = length === 0 ? 0 : where % length;
        const range = { start: document.lines.positionAt(start), end: document.lines.positionAt(start + cut) };
        document.update([{ range, text: added }], 2);
        assert.deepEqual(semanticTokens(document), semanticTokens(open(document.lines.getText())));
      }),
      { numRuns: 300 },
    );
  });
  test("tokens are in order, never overlap, and stay within their line", () => {
    const anything = fc.array(
      fc.constantFrom("RUN ", "'", '"', "\n", "\\\n", "$X", "a b", "<<E\n", "E\n", "[", "]", ",", "#"),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(anything, (pieces) => {
        const document = open(pieces.join(""));
        const data = semanticTokens(document);
        let line = 0;
        let end = 0;
        for (let at = 0; at < data.length; at += 5) {
          const deltaLine = data[at] ?? 0;
          if (deltaLine > 0) end = 0;
          line += deltaLine;
          const previous = at === 0 || deltaLine > 0 ? 0 : end - (data[at - 3] ?? 0);
          const start = previous + (data[at + 1] ?? 0);
          assert.ok(start >= end, "overlap");
          end = start + (data[at + 2] ?? 0);
          const lineEnd =
            document.lines.offsetAt({ line, character: Number.MAX_SAFE_INTEGER }) -
            document.lines.offsetAt({ line, character: 0 });
          assert.ok(end <= lineEnd, "runs over the line");
        }
      }),
      { numRuns: 500 },
    );
  });
});

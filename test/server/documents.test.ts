import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { check } from "../../kubefile/check/check.ts";
import { parse } from "../../kubefile/parse.ts";
import { openDocument } from "../../server/documents.ts";
import { placedInstructions, shifted } from "../../server/locate.ts";
import { namesOf } from "../../server/names.ts";
import { open } from "./fixture.ts";

const piece = fc.constantFrom(
  "FROM a AS b\n",
  "RUN x \\\n",
  " y\n",
  "# c\n",
  "\n",
  "\r\n",
  "COPY --from=b $A /\n",
  "ENV A=1\n",
  "<<EOF\n",
  "EOF\n",
  "x",
  "\\",
  "# escape=`\n",
  "`\n",
  "😀",
  "\r",
);
const change = fc.record({
  start: fc.nat(80),
  length: fc.nat(12),
  text: fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join("")),
});

describe("an edited document", () => {
  test("has the tree of its text after any sequence of edits", () =>
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 15 }),
        fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
        (pieces, rounds) => {
          const document = open(pieces.join(""));
          for (const [round, changes] of rounds.entries()) {
            for (const { start, length, text } of changes) {
              const range = { start: document.lines.positionAt(start), end: document.lines.positionAt(start + length) };
              document.update([{ range, text }], round + 2);
            }
            const now = document.lines.getText();
            assert.equal(document.tree.text, now);
            const fresh = parse(now);
            assert.deepEqual(document.tree.instructions, fresh.instructions);
            assert.deepEqual(check(document.tree), check(fresh));
            assert.deepEqual(namesOf(document.tree).all, namesOf(fresh).all);
          }
        },
      ),
      { numRuns: 200 },
    ));
  test("places its instructions where they stand now", () => {
    const document = open("FROM a\nRUN b\nRUN c\n");
    document.update(
      [{ range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, text: "# head\n" }],
      2,
    );
    const { tree } = document;
    const texts = placedInstructions(tree).map(({ node, shift }) => {
      const span = shifted(node.span, shift);
      return tree.text.slice(span.start, span.end);
    });
    assert.deepEqual(texts, ["FROM a", "RUN b", "RUN c"]);
  });
  test("parses once for each version, however many edits it has", () => {
    const document = open("FROM a\n");
    const first = document.tree;
    assert.equal(document.tree, first);
    document.update(
      [
        { text: "RUN x\n" },
        { range: { start: { line: 0, character: 4 }, end: { line: 0, character: 5 } }, text: "yz" },
      ],
      2,
    );
    assert.equal(document.tree.text, "RUN yz\n");
    assert.equal(document.version, 2);
  });
});

describe("the kind of a document", () => {
  for (const [uri, languageId, kind] of [
    ["file:///a/Kubefile", "kubefile", "kubefile"],
    ["file:///a/Dockerfile", "dockerfile", "kubefile"],
    ["file:///a/Clusterfile", "yaml", "clusterfile"],
    ["file:///a/Clusterfile", "clusterfile", "clusterfile"],
    ["file:///a/.dockerignore", "plaintext", "ignore"],
    ["file:///a/.containerignore", "ignore", "ignore"],
    ["file:///a/.kubefileignore", "plaintext", "ignore"],
  ] as const)
    test(`${uri} in ${languageId}`, () => assert.equal(openDocument(uri, languageId, 1, "").kind, kind));
});

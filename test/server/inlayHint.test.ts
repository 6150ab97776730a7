import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inlayHints } from "../../server/features/inlayHint.ts";
import type { World } from "../../server/world.ts";
import { crlf, noWorld, open, worldWith } from "./fixture.ts";

const today = Date.parse("2026-06-15T00:00:00Z");

/** `line: label` of each hint. */
function hints(text: string, expected: readonly string[], world: World = noWorld, given: object = {}): void {
  for (const variant of [text, crlf(text)]) {
    const document = open(variant);
    const found = inlayHints(document, { start: 0, end: variant.length }, world, {
      variables: true,
      images: true,
      today,
      ...given,
    });
    assert.deepEqual(
      found.map((hint) => `${hint.position.line}: ${hint.label as string}`),
      expected,
    );
  }
}

describe("expanded variables", () => {
  test("behind the word that uses them", () => hints("FROM a\nENV A=1\nENV B=${A}2\n", ["2: = 12"]));
  test("behind each of several words", () => hints("FROM a\nENV A=1\nCOPY $A/x /$A/y\n", ["2: = 1/x", "2: = /1/y"]));
  test("in FROM", () => hints("ARG V=3\nFROM a:$V\n", ["1: = a:3"]));
  test("in flags", () => hints("ARG P=linux/arm64\nFROM --platform=$P a\n", ["1: = linux/arm64"]));
  test("through others", () => hints("FROM a\nARG A=1\nARG B=${A}.0\nWORKDIR /x/$B\n", ["2: = 1.0", "3: = /x/1.0"]));
  test("defaults of modifiers", () => hints("FROM a\nENV A=1\nWORKDIR ${A:+/opt}\n", ["2: = /opt"]));
  test("empty values show", () => hints("FROM a\nENV A=\nENV B=$A\n", ['2: = ""']));
  test("not with holes", () => hints("FROM a\nENV A=1\nWORKDIR $A/$B\n", []));
  test("not in the shell of RUN", () => hints("FROM a\nENV A=1\nRUN echo $A\n", []));
  test("not without variables", () => hints("FROM a\nENV A=1\nWORKDIR /x\n", []));
  test("not when the setting says so", () => hints("FROM a\nENV A=1\nWORKDIR $A\n", [], noWorld, { variables: false }));
  test("long values are cut and shown whole in the tooltip", () => {
    const document = open(`FROM a\nENV A=${"x".repeat(100)}\nWORKDIR $A\n`);
    const [hint] = inlayHints(document, { start: 0, end: 999 }, noWorld, { variables: true, images: true, today });
    assert.ok(hint);
    assert.equal(String(hint.label).length, 62);
    assert.equal(hint.tooltip, "x".repeat(100));
  });
  test("only in the range asked for, with what is set above it", () => {
    const text = "FROM a\nENV A=1\nWORKDIR $A\nENV A=2\nWORKDIR $A\n";
    const document = open(text);
    const start = text.lastIndexOf("WORKDIR");
    const found = inlayHints(document, { start, end: text.length }, noWorld, { variables: true, images: true, today });
    assert.deepEqual(
      found.map((hint) => hint.label),
      ["= 2"],
    );
  });
});

describe("known images", () => {
  const world = worldWith({}, [
    { reference: "a:1", createdAt: "2026-03-10T00:00:00Z" },
    { reference: "b:1" },
    { reference: "c:1", createdAt: "2026-06-15T00:00:00Z" },
    { reference: `d@sha256:${"ab".repeat(32)}`, createdAt: "2025-06-01T00:00:00Z" },
    { reference: "e:1", createdAt: "nonsense" },
  ]);
  test("digest and age", () => hints("FROM a:1", ["0: sha256:abababababab · 3 months old"], world));
  test("digest alone", () => hints("FROM b:1", ["0: sha256:abababababab"], world));
  test("built today", () => hints("FROM c:1 AS x", ["0: sha256:abababababab · built today"], world));
  test("a pinned image shows its age", () => hints(`FROM d@sha256:${"ab".repeat(32)}`, ["0: 1 year old"], world));
  test("a time that is none", () => hints("FROM e:1", ["0: sha256:abababababab"], world));
  test("an image that is not there", () => hints("FROM other:1", [], world));
  test("scratch and variables", () => hints("ARG V=1\nFROM scratch\nFROM a:$V", ["2: = a:1"], world));
  test("not when the setting says so", () => hints("FROM a:1", [], world, { images: false }));
  test("an image nobody has asked for is asked for without waiting", () => {
    const asked: string[] = [];
    const curious: World = {
      context: () => undefined,
      images: {
        ...noWorld.images,
        knownFacts: () => undefined,
        facts: async (reference) => {
          asked.push(reference);
          return undefined;
        },
      },
    };
    const document = open("FROM a:1");
    assert.deepEqual(inlayHints(document, { start: 0, end: 8 }, curious, { variables: true, images: true, today }), []);
    assert.deepEqual(asked, ["a:1"]);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "../../kubefile/parse.ts";
import { resolve, type ScopeOptions, scopeAt } from "../../kubefile/variables.ts";

/** `|` marks the place; what the names stand for there, `NAME=value` or `NAME` without a value. */
function scope(marked: string, options: ScopeOptions = {}): string[] {
  const offset = marked.indexOf("|");
  const text = marked.replace("|", "");
  return [...scopeAt(parse(text), offset, options).values()]
    .map(({ name, value }) => (value === undefined ? name : `${name}=${value}`))
    .sort();
}

const cases: readonly [text: string, options: ScopeOptions, ...expected: string[]][] = [
  ["FROM a\nENV A=1\nRUN |x", {}, "A=1"],
  ["FROM a\nRUN |x\nENV A=1", {}],
  ["FROM a\nENV A=1 B=$A\nRUN |x", {}, "A=1", "B="],
  ["FROM a\nENV A=1\nENV B=$A.0 A=2\nRUN |x", {}, "A=2", "B=1.0"],
  ["FROM a\nENV A b c\nRUN |x", {}, "A=b c"],
  ["FROM a\nENV A='$B' C=\"d e\"\nRUN |x", {}, "A=$B", "C=d e"],
  ["FROM a\nARG A=1\nARG B\nRUN |x", {}, "A=1", "B"],
  ["FROM a\nARG A=1\nRUN |x", { buildArgs: { A: "2" } }, "A=2"],
  ["FROM a\nARG A\nRUN |x", { buildArgs: { A: "2", B: "3" } }, "A=2"],
  ["FROM a\nENV A=1\nARG A=2\nRUN |x", {}, "A=1"],
  ["FROM a\nARG A=2\nENV A=$A.1\nRUN |x", {}, "A=2.1"],
  ["ARG A=1\nFROM a:|$A", {}, "A=1"],
  ["ARG A=1\nFROM a\nRUN |x", {}],
  ["ARG A=1\nFROM a\nARG A\nRUN |x", {}, "A=1"],
  ["ARG A=1\nFROM a\nARG A=2\nRUN |x", {}, "A=2"],
  ["ARG A=1\nARG B=$A.1\nFROM |a", {}, "A=1", "B=1.1"],
  ["FROM a AS x\nENV A=1\nARG B=1\nFROM x\nRUN |y", {}, "A=1"],
  ["FROM a AS x\nENV A=1\nFROM b\nRUN |y", {}],
  ["ARG S=x\nFROM a AS x\nENV A=1\nFROM $S\nRUN |y", {}, "A=1"],
  ["FROM a\nARG TARGETARCH\nRUN |x", { targetPlatform: "linux/arm64/v8" }, "TARGETARCH=arm64"],
  ["FROM a\nRUN |x", { targetPlatform: "linux/arm64" }],
  ["FROM a\nRUN |x", { buildArgs: { HTTP_PROXY: "p" } }, "HTTP_PROXY=p"],
];

describe("the names that are set at", () => {
  for (const [text, options, ...expected] of cases) {
    test(`${JSON.stringify(text)} with ${JSON.stringify(options)}: ${expected.join(" ") || "none"}`, () =>
      assert.deepEqual(scope(text, options), expected));
  }
});

test("FROM knows the platform without declaring it", () => {
  const found = scope("FROM --platform=|$BUILDPLATFORM a", {
    buildPlatform: "linux/amd64",
    targetPlatform: "linux/arm64",
  });
  assert.ok(
    found.includes("BUILDPLATFORM=linux/amd64") && found.includes("TARGETARCH=arm64") && found.includes("ARCH=arm64"),
  );
});

test("a name knows what set it and where", () => {
  const text = "FROM a\nARG MAJOR=17\nENV V=$MAJOR.0.6\nRUN x\n";
  const found = resolve(parse(text), text.indexOf("RUN"), "V");
  assert.deepEqual(
    [found?.origin, found?.value, text.slice(found?.span?.start, found?.span?.end)],
    ["ENV", "17.0.6", "V"],
  );
  assert.equal(resolve(parse(text), text.indexOf("RUN"), "NONE"), undefined);
});

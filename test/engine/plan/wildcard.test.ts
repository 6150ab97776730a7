import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfText } from "../../../engine/byteString.ts";
import { hasWildcard, matchSegment } from "../../../engine/plan/wildcard.ts";

/** Cases of Go's path/filepath, `TestMatch`, that concern one part of a path. */
const cases: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "a", true],
  ["a*", "abc", true],
  ["a*b*c*d*e*", "axbxcxdxe", true],
  ["a*b*c*d*e*", "axbxcxdxexxx", true],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^b-d]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a???b", "abcdb", true],
  ["a???b", "abcb", false],
  ["[a-ζ]*", "α", true],
  ["a?b", "a☺b", true],
  ["a[^a]b", "a☺b", true],
  ["a???b", "a☺b", false],
  ["*[a-z]", "A", false],
  ["[\\]a]", "]", true],
  ["[\\-]", "-", true],
  ["[x\\-]", "x", true],
  ["[x\\-]", "-", true],
  ["[x\\-]", "z", false],
  ["[", "a", false],
  ["[^", "a", false],
  ["[^bc", "a", false],
  ["a[", "a", false],
  ["a\\", "a", false],
  ["*x", "xxx", true],
  ["file.yaml", "fileXyaml", false],
  ["(a|b)+", "(a|b)+", true],
];

for (const [pattern, name, matches] of cases) {
  test(`${pattern} ${matches ? "matches" : "does not match"} ${name}`, () => {
    assert.equal(matchSegment(bytesOfText(pattern), bytesOfText(name)), matches);
  });
}

test("a path with a wildcard is told from one without", () => {
  assert.deepEqual(["a/b", "a*", "a?", "[a]", "a\\b", "a-b.c"].map(hasWildcard), [
    false,
    true,
    true,
    true,
    true,
    false,
  ]);
});

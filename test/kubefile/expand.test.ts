import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { expand } from "../../kubefile/expand.ts";
import type { Escape } from "../../kubefile/syntax.ts";

const values: Readonly<Record<string, string>> = {
  PWD: "/home",
  SHELL: "bash",
  KOREAN: "한국어",
  NULL: "",
  PATH: "a/b/c/b",
  V: "v1.28.4",
  _: "u",
};
const lookup = (name: string): string | undefined => (Object.hasOwn(values, name) ? values[name] : undefined);

/** A word, and what Docker makes of it; `!` in front of an expectation stands for an error. */
const cases: readonly [word: string, expected: string][] = [
  ["he'll'o", "hello"],
  ["he'llo", "!"],
  ["he\\'llo", "he'llo"],
  ["he\\\\'llo", "!"],
  ["abc\\tdef", "abctdef"],
  ["'abc\\tdef'", "abc\\tdef"],
  ['"abc\\tdef"', "abc\\tdef"],
  ["'abc\\\\tdef'", "abc\\\\tdef"],
  ['"abc\\\\tdef"', "abc\\tdef"],
  ["hel'lo", "!"],
  ["hello\\there", "hellothere"],
  ["hello\\\\there", "hello\\there"],
  ['"', "!"],
  ['"abc', "!"],
  ["'", "!"],
  ["'hello", "!"],
  ["'hello\\there'", "hello\\there"],
  ["'hello\\\\there'", "hello\\\\there"],
  ["\"'single'\"", "'single'"],
  ["'\"double\"'", '"double"'],
  ["'$PWD'", "$PWD"],
  ['"$PWD"', "/home"],
  ["he$PWD.", "he/home."],
  ["he$PWD", "he/home"],
  ["$PWD.", "/home."],
  ["$PWD", "/home"],
  ["${PWD}.", "/home."],
  ["he${hi}xx", "hexx"],
  ["he${PWD}", "he/home"],
  ["he$PWDx", "he"],
  ["he\\$PWD", "he$PWD"],
  ["he\\${PWD}", "he${PWD}"],
  ['"he\\$PWD"', "he$PWD"],
  ["$", "$"],
  ["a$", "a$"],
  ["$.", "$."],
  ["${}", "!"],
  ["${PWD", "!"],
  ["${PWD:", "!"],
  ["${PWD:x}", "!"],
  ["he${hi:-xx}", "hexx"],
  ["he${PWD:-xx}", "he/home"],
  ["he${NULL:-xx}", "hexx"],
  ["he${NULL-xx}", "he"],
  ["he${hi-xx}", "hexx"],
  ["he${hi:-${PWD}}", "he/home"],
  ["he${hi:-$PWD}xx", "he/homexx"],
  ["he${hi:-${no:-deep}}", "hedeep"],
  ["he${hi:-}", "he"],
  ["he${hi:+xx}", "he"],
  ["he${PWD:+xx}", "hexx"],
  ["he${NULL:+xx}", "he"],
  ["he${NULL+xx}", "hexx"],
  ["he${PWD:+${SHELL}}", "hebash"],
  ["he${hi+xx}", "he"],
  ["he${PWD:?no}", "he/home"],
  ["he${hi:?no}", "!"],
  ["he${NULL:?no}", "!"],
  ["he${NULL?no}", "he"],
  ["he${hi?}", "!"],
  ['${hi:-"a b"}', "a b"],
  ["${hi:-'$PWD'}", "$PWD"],
  ["${hi:-a\\}b}", "a}b"],
  ["안녕$KOREAN", "안녕한국어"],
  ["${KOREAN}하세요", "한국어하세요"],
  ["${V#v}", "1.28.4"],
  ["${V#*.}", "28.4"],
  ["${V##*.}", "4"],
  ["${V%.*}", "v1.28"],
  ["${V%%.*}", "v1"],
  ["${V%x}", "v1.28.4"],
  ["${V#?}", "1.28.4"],
  ["${PATH/b/x}", "a/x/c/b"],
  ["${PATH//b/x}", "a/x/c/x"],
  ["${PATH//\\//-}", "a-b-c-b"],
  ["${PATH/z/x}", "a/b/c/b"],
  ["${V/./}", "v128.4"],
  ["${V//./}", "v1284"],
  ["${V/1*4/x}", "vx"],
  ["${hi#x}", ""],
  ["$_", "u"],
  ["$1x", "x"],
  ["a\\", "a\\"],
  ["", ""],
];

describe("a word becomes", () => {
  for (const [word, expected] of cases) {
    test(`${JSON.stringify(word)} → ${expected === "!" ? "an error" : JSON.stringify(expected)}`, () => {
      const expansion = expand(word, lookup, "\\");
      if (expected === "!") assert.notEqual(expansion.error, undefined);
      else assert.deepEqual({ value: expansion.value, error: expansion.error }, { value: expected, error: undefined });
    });
  }
  for (const [word, expected] of [
    ["a`$PWD", "a$PWD"],
    ["c:\\dir\\$SHELL", "c:\\dir\\bash"],
    ['"a`"b"', 'a"b'],
  ] as const) {
    test(`${JSON.stringify(word)} → ${JSON.stringify(expected)} when the escape character is a backtick`, () => {
      assert.equal(expand(word, lookup, "`").value, expected);
    });
  }
});

test("names that are not set are told once for each use, but not where a default stands", () => {
  assert.deepEqual(expand("$A ${B} ${C:-$D} ${E:-x}", lookup, "\\").unset, ["A", "B", "D"]);
});

test("any word is expanded without an exception", () => {
  const unit = fc.constantFrom(
    "$",
    "{",
    "}",
    "A",
    "PWD",
    ":",
    "-",
    "+",
    "?",
    "#",
    "%",
    "/",
    "*",
    "'",
    '"',
    "\\",
    "`",
    " ",
    "(",
    "[",
  );
  fc.assert(
    fc.property(fc.string({ unit }), fc.constantFrom<Escape>("\\", "`"), (word, mark) => {
      assert.equal(typeof expand(word, lookup, mark).value, "string");
    }),
    { numRuns: 5000 },
  );
});

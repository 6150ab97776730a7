/** Laws of the chart engine that hold for any input. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readChart } from "../../../engine/chart/chart.ts";
import { bytesOf, textOf } from "../../../engine/chart/go/bytes.ts";
import { formatFloat, parseFloat64 } from "../../../engine/chart/go/floats.ts";
import { fromJson, toJson } from "../../../engine/chart/go/json.ts";
import { quote, unquote } from "../../../engine/chart/go/quote.ts";
import { compareText, type Value, type ValueMap } from "../../../engine/chart/go/value.ts";
import { GoRegex } from "../../../engine/chart/regexp/match.ts";
import { renderChart } from "../../../engine/chart/render.ts";
import { coalesceValues, copyValues, mergeMaps } from "../../../engine/chart/values.ts";
import { readYaml } from "../../../engine/chart/yaml/read.ts";
import { writeYaml } from "../../../engine/chart/yaml/write.ts";
import { renderOptions } from "../../support/charts.ts";

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("yes", "1e3", "a: b", "- x", "#", "line\nbreak\n", " lead", "trail ", "2001-01-01", "0x1", "<<", "~"),
);
const key = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom("a", "b", "true", "10", "9", "__proto__"));
const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value; map: ValueMap }>((tie) => ({
  map: fc.array(fc.tuple(key, tie("value")), { maxLength: 5 }).map((entries) => new Map(entries)),
  value: fc.oneof({ depthSize: "small" }, scalar, fc.array(tie("value"), { maxLength: 4 }), tie("map")),
})).value;
const map: fc.Arbitrary<ValueMap> = fc.array(fc.tuple(key, value), { maxLength: 5 }).map((entries) => new Map(entries));

const room = (): void => {};

/** Characters go-yaml does not read back as they are: broken surrogates, next-line, control characters. */
function isReadable(text: string): boolean {
  return text.isWellFormed() && !/[\x7f-\x9f\ufffe\uffff]/.test(text);
}

function isReadableValue(item: Value): boolean {
  if (typeof item === "string") return isReadable(item);
  if (Array.isArray(item)) return item.every(isReadableValue);
  // go-yaml writes the key << without quotes, and what is read back is a merge key.
  if (item instanceof Map)
    return [...item].every(([name, inner]) => name !== "<<" && isReadable(name) && isReadableValue(inner));
  return true;
}

test("toYaml of a value is read back as the same value", () => {
  fc.assert(
    fc.property(value.filter(isReadableValue), (item) => {
      const text = writeYaml(item, room);
      assert.deepEqual(readYaml(text), item, text);
    }),
    { numRuns: 1000 },
  );
});

test("toJson of a value is read back as the same value", () => {
  fc.assert(
    fc.property(value.filter(isReadableValue), (item) => {
      assert.deepEqual(fromJson(toJson(item, { escapeHtml: true, indent: "  " })), item);
    }),
  );
});

test("bytes become text and the same bytes again", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.deepEqual(Uint8Array.from(bytesOf(textOf(bytes))), bytes)));
});

test("a quoted string is unquoted to itself", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.equal(unquote(quote(textOf(bytes))), textOf(bytes))));
});

test("the shortest text of a float is read back as the same float", () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom("e", "f", "g"),
      (number, format) => {
        assert.equal(parseFloat64(formatFloat(number, format as "e" | "f" | "g", -1)), number);
      },
    ),
  );
});

test("text is ordered by its UTF-8 bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
      assert.equal(Math.sign(compareText(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

/** Maps in which a name always holds a map, or never does. */
const evenMap: fc.Arbitrary<ValueMap> = fc.letrec<{ map: ValueMap }>((tie) => ({
  map: fc
    .tuple(
      fc.dictionary(fc.constantFrom("x", "y", "10"), fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }))),
      fc.dictionary(fc.constantFrom("m", "n"), fc.oneof({ maxDepth: 3 }, fc.constant<ValueMap>(new Map()), tie("map"))),
    )
    .map((parts) => new Map<string, Value>(parts.flatMap((part) => Object.entries(part)))),
})).map;

test("merging with nothing or with itself changes nothing", () => {
  fc.assert(
    fc.property(map, (a) => {
      assert.deepEqual(mergeMaps(a, new Map()), a);
      assert.deepEqual(mergeMaps(new Map(), a), a);
      assert.deepEqual(mergeMaps(a, a), a);
    }),
  );
});

test("merging is associative as long as no name turns from a map into a plain value", () => {
  fc.assert(
    fc.property(evenMap, evenMap, evenMap, (a, b, c) => {
      assert.deepEqual(mergeMaps(mergeMaps(a, b), c), mergeMaps(a, mergeMaps(b, c)));
    }),
    { numRuns: 1000 },
  );
});

test("a plain value between two maps ends the first, as helm merges one file after the other", () => {
  const of = (name: string): ValueMap => new Map([["k", new Map([[name, 1]])]]);
  const plain: ValueMap = new Map([["k", null]]);
  assert.deepEqual([of("a"), plain, of("b")].reduce(mergeMaps), of("b"));
});

test("coalescing leaves what it was given as it was, and a null given deletes a default", () => {
  fc.assert(
    fc.property(map, map, (defaults, given) => {
      const before = [copyValues(defaults), copyValues(given)];
      const out = coalesceValues({ name: "c", values: defaults, subcharts: [] }, given, false);
      assert.deepEqual([defaults, given], before);
      for (const [name, item] of given) {
        if (item === null && defaults.has(name)) assert.ok(!out.has(name));
        if (item !== null && !(item instanceof Map)) assert.deepEqual(out.get(name), item);
      }
      for (const name of defaults.keys()) if (!given.has(name)) assert.deepEqual(out.get(name), defaults.get(name));
    }),
  );
});

test("a template without actions renders to itself", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      fc.pre(!text.includes("{{") && text.isWellFormed());
      const files = { "Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "templates/NOTES.txt": text };
      const chart = readChart(new Map(Object.entries(files).map(([name, body]) => [name, Buffer.from(body)])));
      assert.equal((await renderChart(chart, renderOptions())).notes, text.replaceAll("<no value>", ""));
    }),
  );
});

test("patterns both engines know match the same text", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    "c",
    ".",
    "[ab]",
    "[^a]",
    "(a|b)",
    "(?:ab)",
    "a*",
    "b+",
    "c?",
    "a{1,2}",
    "(a*)b",
    "^",
    "$",
    "\\b",
    "\\w",
    "|",
    "a*?",
    "b+?",
  );
  const pattern = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(pattern, fc.string({ unit: fc.constantFrom("a", "b", "c", " "), maxLength: 12 }), (source, text) => {
      const theirs = new RegExp(source).exec(text);
      const ours = new GoRegex(source).find(text, 0, room);
      assert.deepEqual(
        ours === undefined ? undefined : [ours[0], ours[1]],
        theirs === null ? undefined : [theirs.index, theirs.index + theirs[0].length],
      );
    }),
    { numRuns: 3000 },
  );
});

test("the same seed gives the same documents, another seed other ones", async () => {
  const files = {
    "Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
    "templates/a.yaml":
      'a: {{ randAlphaNum 10 }}\nb: {{ uuidv4 }}\nc: {{ (genCA "x" 1).Cert | b64enc }}\nd: {{ now | unixEpoch }}\n',
  };
  const chart = readChart(new Map(Object.entries(files).map(([name, body]) => [name, Buffer.from(body)])));
  const rendered = async (randomSeed: string): Promise<unknown> =>
    (await renderChart(chart, renderOptions({ randomSeed }))).manifests;
  assert.deepEqual(await rendered("one"), await rendered("one"));
  assert.notDeepEqual(await rendered("one"), await rendered("two"));
});

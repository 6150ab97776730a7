import assert from "node:assert/strict";
import { test } from "node:test";
import { valueSets } from "../../../engine/chart/valueSets.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

test("value sets are the defaults, the file beside the chart and the files inside it", () => {
  const files = new Map([
    ["values.yaml", bytes("a: 1")],
    ["values-prod.yaml", bytes("a: 2")],
    ["values.dev.yml", bytes("a: 3")],
    ["ci/values-x.yaml", bytes("a: 4")],
    ["values-notes.txt", bytes("x")],
  ]);
  const siblings = new Map([
    ["web.values.yaml", bytes("a: 5")],
    ["other.values.yaml", bytes("a: 6")],
  ]);
  const found = valueSets("web", files, siblings).map(({ origin, path, values }) => [origin, path, values.get("a")]);
  assert.deepEqual(found, [
    ["defaults", "", undefined],
    ["beside", "web.values.yaml", 5],
    ["inside", "values-prod.yaml", 2],
    ["inside", "values.dev.yml", 3],
  ]);
});

test("a values file that is no map is named", () => {
  assert.throws(
    () => valueSets("web", new Map([["values-x.yaml", bytes("- a")]]), new Map()),
    /^Error: values-x\.yaml: /,
  );
});

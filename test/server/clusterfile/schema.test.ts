import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { clusterfileSchema } from "../../../server/clusterfile/schema.ts";

const file = path.resolve(import.meta.dirname, "../../../syntaxes/clusterfile.schema.json");

test("syntaxes/clusterfile.schema.json is what server/clusterfile/schema.ts says", async () => {
  const wanted = `${JSON.stringify(clusterfileSchema(), null, 2)}\n`;
  // `UPDATE=1 node --test …` writes it anew; the difference is reviewed like any other.
  if (process.env["UPDATE"] === "1") await writeFile(file, wanted);
  assert.equal(await readFile(file, "utf8"), wanted);
});

test("every reference leads to a definition", () => {
  const schema = clusterfileSchema() as { definitions: Record<string, unknown> };
  for (const [, name] of JSON.stringify(schema).matchAll(/"#\/definitions\/(\w+)"/gu))
    assert.ok(Object.hasOwn(schema.definitions, name ?? ""), name);
});

test("every field says what it is", () => {
  const visit = (value: unknown, at: string): void => {
    if (typeof value !== "object" || value === null) return;
    const { properties } = value as {
      properties?: Record<string, { description?: string; $ref?: string; const?: string }>;
    };
    for (const [name, field] of Object.entries(properties ?? {}))
      assert.ok(
        field.description !== undefined || field.$ref !== undefined || field.const !== undefined,
        `${at}.${name}`,
      );
    for (const [key, child] of Object.entries(value)) visit(child, `${at}.${key}`);
  };
  visit((clusterfileSchema() as { definitions: unknown }).definitions, "definitions");
});

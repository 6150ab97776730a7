import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

test("docs/errors.md has every error code with its sentence", () => {
  const script = path.resolve(import.meta.dirname, "../scripts/generate-errors.ts");
  const { status, stdout } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

test("docs/commands.md has every command with its options", () => {
  const script = path.resolve(import.meta.dirname, "../scripts/generate-cli-docs.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
});

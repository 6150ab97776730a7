import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { brokenRules, roomFiles } from "./support/rooms.ts";

const rootDir = path.resolve(import.meta.dirname, "..");

test("every file stands in a room and imports only what its room may", () => {
  assert.ok(roomFiles(rootDir).length > 0);
  assert.deepEqual(brokenRules(rootDir), []);
});

test("a tree that breaks the rules is told the chain of each offence", () => {
  assert.deepEqual(brokenRules(path.join(import.meta.dirname, "fixtures/rooms/broken")), [
    "client may not import engine/oci: client/extension.ts → engine/oci/digest.ts",
    "engine/build must not reach engine/remote: engine/build/build.ts → engine/layer/apply.ts → engine/remote/pull.ts",
    "engine/engine.ts imports engine/build/missing.ts, which does not exist",
    "engine/layer may not import engine/remote: " +
      "engine/engine.ts → engine/build/build.ts → engine/layer/apply.ts → engine/remote/pull.ts",
    "kubefile must not import node:fs: kubefile/parse.ts → node:fs",
    "server may not import engine/oci: server/main.ts → engine/oci/digest.ts",
  ]);
});

test("the table of rooms is the one the decision record shows", () => {
  const record = readFileSync(path.join(rootDir, "docs/decisions/0002-rooms.md"), "utf8");
  for (const room of ["kubefile", "engine/oci", "engine/commands", "engine/build", "server", "client"]) {
    assert.match(record, new RegExp(`^\\| ${room}\\b`, "m"));
  }
});

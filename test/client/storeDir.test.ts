import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { defaultStoreDir } from "../../client/storeDir.ts";

const cli = path.resolve(import.meta.dirname, "../../engine/cli.ts");

for (const variable of ["HOME", "XDG_DATA_HOME", "KUBEFILE_STORE"] as const) {
  test(`editor and command line use the same store where ${variable} says so`, () => {
    const dir = mkdtempSync(path.join(tmpdir(), "kubefile-home-"));
    try {
      const env = { PATH: process.env["PATH"], HOME: dir, [variable]: path.join(dir, "given") };
      const expected = defaultStoreDir(env, env.HOME);
      assert.ok(expected.startsWith(path.join(dir, "given")));
      writeFileSync(path.join(dir, "Kubefile"), "FROM scratch\nLABEL a=b\n");
      const built = spawnSync(process.execPath, [cli, "build", "--tag", "a:1", dir], { env, encoding: "utf8" });
      assert.equal(built.status, 0, built.stderr);
      assert.ok(existsSync(expected), `found ${readdirSync(dir, { recursive: true }).slice(0, 5).join(", ")}`);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
}

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { inWorkbench } from "../support/workbench.ts";

const rootDir = path.resolve(import.meta.dirname, "../../..");
const dir = mkdtempSync(path.join(tmpdir(), "kubefile-vsix-"));
const vsix = path.join(dir, "kubefile.vsix");

before(() => {
  const packed = spawnSync(process.execPath, ["scripts/package.ts", "--out", vsix], { cwd: rootDir, encoding: "utf8" });
  assert.equal(packed.status, 0, packed.stdout + packed.stderr);
});
after(() => rmSync(dir, { recursive: true, force: true }));

test("the VSIX is at most 2 MB", () => {
  assert.ok(statSync(vsix).size <= 2_000_000);
});

test("the packed extension, installed in a clean profile, checks and builds", async () => {
  await inWorkbench(
    "packaged",
    { file: "Kubefile", vsix },
    async ({ page, command, answer, endOfLine, showViews, row, picture }) => {
      await endOfLine("COPY", "will be built");
      await command("Kubefile: Build Cluster Image...");
      await answer("shop:1.0");
      await page.locator(".notification-toast", { hasText: "Built shop:1.0" }).waitFor();
      await showViews();
      await row("shop").first().waitFor();
      await picture("packaged");
    },
  );
});

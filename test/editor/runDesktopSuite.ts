/** Runs `test/editor/host` on a desktop VS Code: the one VSCODE_EXECUTABLE names, else a downloaded one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { runTests } from "@vscode/test-electron";
import { bundleHostSuite, hostSuiteFile } from "./support/hostBundle.ts";
import { createWorkspace } from "./support/workspace.ts";

await bundleHostSuite();

const rootDir = path.resolve(import.meta.dirname, "../..");

using workspace = createWorkspace();
const dataDir = mkdtempSync(path.join(tmpdir(), "kubefile-desktop-"));
const executable = process.env["VSCODE_EXECUTABLE"];
try {
  await runTests({
    ...(executable ? { vscodeExecutablePath: executable } : { version: process.env["VSCODE_VERSION"] ?? "stable" }),
    extensionDevelopmentPath: rootDir,
    extensionTestsPath: hostSuiteFile,
    extensionTestsEnv: { KUBEFILE_STORE: workspace.storeDir },
    launchArgs: [workspace.dir, "--disable-extensions", "--disable-workspace-trust", "--user-data-dir", dataDir],
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
}

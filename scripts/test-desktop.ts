/**
 * The suite of `test/editor/host` on a desktop VS Code: `npm run test:desktop`.
 * Takes the one VSCODE_EXECUTABLE names, else downloads VSCODE_VERSION (default `stable`) into `.vscode-test/`.
 * On Linux without a display: `xvfb-run -a npm run test:desktop`.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { rootDir } from "./say.ts";

for (const script of ["scripts/build.ts", "test/editor/runDesktopSuite.ts"]) {
  const result = spawnSync(process.execPath, [path.join(rootDir, script)], { cwd: rootDir, stdio: "inherit" });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Rewrites the golden files of the unit suites from what the code does now: `npm run test:update [-- FILE OR FOLDER …]`. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { rootDir, say } from "./say.ts";

const targets = process.argv.slice(2);
const result = spawnSync(
  process.execPath,
  [path.join(import.meta.dirname, "test.ts"), ...(targets.length > 0 ? targets : ["unit"])],
  { cwd: rootDir, stdio: "inherit", env: { ...process.env, UPDATE_GOLDEN: "1" } },
);
say("review what changed with: git diff -- test");
process.exitCode = result.status ?? 1;

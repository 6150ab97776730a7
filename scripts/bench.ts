/** Runs the benchmarks of `test/bench`, or those named: `npm run bench [-- NAME …]`. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { rootDir, say } from "./say.ts";

const names = process.argv.slice(2);
const files = globSync("test/bench/*.bench.ts", { cwd: rootDir }).sort();
const chosen = files.filter((file) => names.length === 0 || names.includes(path.basename(file, ".bench.ts")));
if (chosen.length === 0) {
  say(`no such benchmark; there are: ${files.map((file) => path.basename(file, ".bench.ts")).join(", ") || "none"}`);
  process.exit(2);
}
for (const file of chosen) {
  say(file);
  const result = spawnSync(process.execPath, [file], { cwd: rootDir, stdio: "inherit" });
  if (result.status !== 0) process.exitCode = 1;
}

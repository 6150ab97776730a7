/** Packs the VSIX: bundles only, and not more than 2 MB. `npm run package` */
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { rootDir, say } from "./say.ts";

const limitBytes = 2_000_000;

const manifest: { name: string; version: string } = JSON.parse(
  readFileSync(path.join(rootDir, "package.json"), "utf8"),
);
const output = `${manifest.name}-${manifest.version}.vsix`;
const vsce = path.join(rootDir, "node_modules", "@vscode", "vsce", "vsce");
// vsce runs `vscode:prepublish` first, which builds for production.
const result = spawnSync(
  process.execPath,
  [vsce, "package", "--no-dependencies", "--allow-missing-repository", "--out", output],
  { cwd: rootDir, stdio: "inherit" },
);
if (result.status !== 0) process.exit(result.status ?? 1);
const bytes = statSync(path.join(rootDir, output)).size;
say(`${output}: ${Math.round(bytes / 1000)} kB of ${limitBytes / 1000} kB`);
if (bytes > limitBytes) {
  say("too big: see which bundle grew above");
  process.exit(1);
}

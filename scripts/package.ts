/** Packs the VSIX: bundles only, and not more than 2 MB. `npm run package [-- --out FILE]` */
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { rootDir, say } from "./say.ts";

const limitBytes = 2_000_000;

const manifest: { name: string; version: string } = JSON.parse(
  readFileSync(path.join(rootDir, "package.json"), "utf8"),
);
const { values: flags } = parseArgs({ options: { out: { type: "string" } } });
const output = path.resolve(rootDir, flags.out ?? `${manifest.name}-${manifest.version}.vsix`);
const vsce = path.join(rootDir, "node_modules", "@vscode", "vsce", "vsce");
// The pictures of the README travel with it: there is no public address to rewrite their links to.
// vsce runs `vscode:prepublish` first, which builds for production.
const result = spawnSync(
  process.execPath,
  [vsce, "package", "--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links", "--out", output],
  { cwd: rootDir, stdio: "inherit" },
);
if (result.status !== 0) process.exit(result.status ?? 1);
const bytes = statSync(output).size;
say(`${path.basename(output)}: ${Math.round(bytes / 1000)} kB of ${limitBytes / 1000} kB`);
if (bytes > limitBytes) {
  say("too big: see which bundle grew above");
  process.exit(1);
}

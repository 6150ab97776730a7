/**
 * After `npm ci` here: makes `node_modules/code-server/lib/vscode` runnable and drops what this machine cannot use.
 * Safe to repeat.
 */
import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

const packagesDir = path.join(import.meta.dirname, "node_modules");
const vscodeDir = path.join(packagesDir, "code-server", "lib", "vscode");

linkPackages();
dropOtherPlatforms();
dropExtensions();
writeFileSync(path.join(vscodeDir, ".set-up"), "");

/** The page fetches its libraries from lib/vscode/node_modules, which the npm package leaves out: point that at ours. */
function linkPackages() {
  const link = path.join(vscodeDir, "node_modules");
  rmSync(link, { recursive: true, force: true });
  if (process.platform === "win32") symlinkSync(packagesDir, link, "junction");
  else symlinkSync("../../..", link, "dir");
}

function dropOtherPlatforms() {
  const own = `${process.platform}-${process.arch}`;
  for (const folder of ["@vscode/ripgrep-universal/bin", "node-pty/prebuilds"]) {
    const dir = path.join(packagesDir, folder);
    if (!existsSync(dir)) continue;
    for (const name of readdirSync(dir)) if (name !== own) rmSync(path.join(dir, name), { recursive: true });
  }
}

/** Extensions that look for a network or an account, which no test has. */
function dropExtensions() {
  const unwanted = [
    "copilot",
    "github",
    "github-authentication",
    "mermaid-markdown-features",
    "microsoft-authentication",
    "ms-vscode.js-debug",
    "ms-vscode.js-debug-companion",
    "ms-vscode.vscode-js-profile-table",
    "tunnel-forwarding",
  ];
  for (const name of unwanted) rmSync(path.join(vscodeDir, "extensions", name), { recursive: true, force: true });
}

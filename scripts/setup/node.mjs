/** Finds a Node new enough to run TypeScript by itself, or brings one from npm. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureDependencies } from "./dependencies.mjs";

const oldestMajor = 24;

/**
 * The path of a Node 24 or newer: the one that runs this, else the one `tools/node` holds, installed when missing.
 * @param {string} rootDir the checkout
 * @returns {Promise<string>}
 */
export async function ensureNode(rootDir) {
  if (major(process.versions.node) >= oldestMajor) return process.execPath;
  const toolDir = join(rootDir, "tools", "node");
  await ensureDependencies(toolDir, `Node ${oldestMajor} (this machine has ${process.versions.node})`);
  const node = nodeIn(toolDir);
  if (!existsSync(node)) {
    throw new Error(
      `this project runs on Node ${oldestMajor} or newer; this machine has ${process.versions.node}, and npm carries no Node ` +
        `for ${process.platform}-${process.arch}. Install Node ${oldestMajor}, then run the same command again.`,
    );
  }
  const answer = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (answer.status !== 0) {
    throw new Error(
      `the Node that npm carries for ${process.platform}-${process.arch} does not run here (a C library other than glibc?). ` +
        `Install Node ${oldestMajor} with the system's own package manager, then run the same command again.`,
    );
  }
  return node;
}

function nodeIn(toolDir) {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const file = process.platform === "win32" ? "node.exe" : "node";
  return join(toolDir, "node_modules", `node-${platform}-${process.arch}`, "bin", file);
}

function major(version) {
  return Number(version.split(".")[0]);
}

#!/usr/bin/env node
/**
 * The door of every npm script: `node scripts/run.mjs TASK [ARGUMENTS]`.
 *
 * Plain JavaScript, because it is the one file the machine's own Node has to understand (18 or newer). It brings the Node
 * and the packages the project needs, says so when that takes a while, and hands over to `scripts/TASK.ts` under Node 24.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ensureNode } from "./setup/node.mjs";

const scriptsDir = dirname(fileURLToPath(import.meta.url));
const rootDir = dirname(scriptsDir);

const [task = "", ...taskArguments] = process.argv.slice(2);
const taskFile = join(scriptsDir, `${task}.ts`);
if (!/^[a-z-]+$/.test(task) || !existsSync(taskFile)) {
  console.error(`"${task}" is not a task of this project: see "scripts" in package.json.`);
  process.exit(2);
}

try {
  const node = await ensureNode(rootDir);
  await ensureDependencies(rootDir, "the project's packages");
  process.exitCode = await runTask(node);
} catch (error) {
  console.error(`\nset-up failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

/** Runs the task with its own Node first on PATH, and answers its exit code. */
function runTask(node) {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` };
  // Children that read these would act on behalf of the npm that started us.
  delete env.npm_config_prefix;
  const child = spawn(node, [taskFile, ...taskArguments], { cwd: rootDir, env, stdio: "inherit" });
  // Ctrl-C reaches the task by itself; this process only has to stay for its answer.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}

/** Runs the suites beside this file with Mocha; VS Code calls `run` in its extension host. */
import { appendFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { format } from "node:util";
import Mocha from "mocha";

/** Rejects when a test failed, which VS Code turns into its exit code. */
export async function run(): Promise<void> {
  printTo(process.env["KUBEFILE_HOST_OUTPUT"]);
  const mocha = new Mocha({ ui: "bdd", color: false, timeout: 60_000, slow: 5_000 });
  for (const name of readdirSync(__dirname).sort()) {
    if (name.endsWith(".suite.cjs")) mocha.addFile(path.join(__dirname, name));
  }
  const skipped: string[] = [];
  const stats = await new Promise<Mocha.Stats>((resolve, reject) => {
    const runner = mocha.run(() => (runner.stats ? resolve(runner.stats) : reject(new Error("Mocha kept no count"))));
    runner.on("pending", (test) => skipped.push(test.fullTitle()));
  });
  const summary = {
    passed: stats.passes,
    failed: stats.failures,
    skipped: stats.pending,
    skipReasons: Object.fromEntries(skipped.map((title) => [title, 1])),
  };
  const summaryFile = process.env["KUBEFILE_TEST_SUMMARY"];
  if (summaryFile) writeFileSync(summaryFile, JSON.stringify(summary));
  if (stats.failures > 0) throw new Error(`${stats.failures} tests failed`);
  if (stats.passes === 0) throw new Error("no test ran");
}

/** In VS Code's server nobody sees the host's console: the output goes to a file the runner follows. */
function printTo(file: string | undefined): void {
  if (file === undefined) return;
  Mocha.reporters.Base.consoleLog = (...args: unknown[]) => {
    appendFileSync(file, `${format(...args)}\n`);
  };
}

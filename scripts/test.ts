/**
 * Every suite, in named phases: `npm test [-- PHASE …] [FILE OR FOLDER …]`.
 * A phase that cannot run says why and counts as skipped; with `CI=true` that is a failure.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { elapsed, rootDir, say } from "./say.ts";
import { ensureEditor } from "./setup/editor.ts";
import { ensureSystemPackages, testPackages } from "./setup/systemPackages.ts";
import { ensureOracle, oracleRunsHere } from "./setup-oracle.mjs";
import { type Phase, phases } from "./testing/phases.ts";
import type { SuiteSummary } from "./testing/suiteSummary.ts";

const startedAt = performance.now();
const isCi = process.env["CI"] === "true";
const { chosen, files } = choose(process.argv.slice(2));

if (files.length === 0) await prepare();
build();

const results: { readonly phase: Phase; readonly summary: SuiteSummary; readonly time: string }[] = [];
for (const phase of chosen) {
  const phaseStartedAt = performance.now();
  say(`${phase.name}: ${phase.title}`);
  const summary = await phase.run(files);
  results.push({ phase, summary, time: elapsed(phaseStartedAt) });
}
report();

/** Arguments name phases; what is not a phase is a file or folder, which narrows the unit phase. */
function choose(args: readonly string[]): { chosen: readonly Phase[]; files: readonly string[] } {
  const named = phases.filter((phase) => args.includes(phase.name));
  const paths = args.filter((arg) => !phases.some((phase) => phase.name === arg));
  if (paths.length > 0) return { chosen: phases.filter((phase) => phase.name === "unit"), files: paths };
  return { chosen: named.length > 0 ? named : phases, files: [] };
}

/** Brings what suites compare with and run in. What cannot be had is told here; the suites that need it skip or fail. */
async function prepare(): Promise<void> {
  await ensureSystemPackages(testPackages);
  for (const ensure of [ensureEditor, ...(oracleRunsHere ? [ensureOracle] : [])]) {
    await ensure().catch((error: unknown) => say(error instanceof Error ? error.message : String(error)));
  }
}

function build(): void {
  const result = spawnSync(process.execPath, [path.join(import.meta.dirname, "build.ts")], {
    cwd: rootDir,
    stdio: "inherit",
  });
  if (result.status !== 0) {
    say("the build failed; nothing was tested");
    process.exit(1);
  }
}

/** Prints each phase's totals, what was skipped and why, and the sum in node:test's closing lines and in one plain line. */
function report(): void {
  console.log();
  for (const { phase, summary, time } of results) {
    say(`${phase.name}: ${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped (${time})`);
    for (const [reason, count] of Object.entries(summary.skipReasons)) say(`  skipped ${count}: ${reason}`);
  }
  const sum = (key: "passed" | "failed" | "skipped"): number =>
    results.reduce((total, { summary }) => total + summary[key], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  if (isCi && skipped > 0) say("with CI=true everything must run: what was skipped counts as failed");
  console.log(`\nℹ tests ${passed + failed + skipped}`);
  console.log(`ℹ pass ${passed}`);
  console.log(`ℹ fail ${failed}`);
  console.log(`ℹ skipped ${skipped}`);
  console.log(`ℹ duration_ms ${Math.round(performance.now() - startedAt)}`);
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 || passed === 0 || (isCi && skipped > 0) ? 1 : 0;
}

/** The phases of `npm test`, in the order they run. */
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { rootDir } from "../say.ts";
import { ensureEditor } from "../setup/editor.ts";
import { isPresent } from "../setup/systemPackages.ts";
import { brokenSuite, readSummary, type SuiteSummary, skippedSuite } from "./suiteSummary.ts";

/** One named part of `npm test`. */
export interface Phase {
  readonly name: string;
  readonly title: string;
  /** Runs it, printing as it goes. `narrowTo` are files or folders to run instead of all, where the phase knows files. */
  run(narrowTo: readonly string[]): Promise<SuiteSummary>;
}

/** Every phase. */
export const phases: readonly Phase[] = [
  {
    name: "unit",
    title: "language, server, engine, client and the project's habits",
    run: (narrowTo) =>
      runNodeTests(
        narrowTo.length > 0 ? narrowTo : ["test/*.test.ts", "test/{kubefile,server,engine,client,fuzz}/**/*.test.ts"],
        2,
      ),
  },
  {
    name: "peers",
    title: "other people's tools read what we write, and the other way round",
    run: () => runNodeTests(["test/peers/**/*.test.ts"], 1),
  },
  {
    name: "editor-host",
    title: "inside VS Code's extension host",
    run: () => withEditor((summaryFile) => runNode(["test/editor/runHostSuite.ts"], summaryFile)),
  },
  {
    name: "editor-ui",
    title: "VS Code's workbench, driven as a person would",
    run: () => withEditor(() => runNodeTests(["test/editor/ui/*.test.ts"], 1)),
  },
];

/** Runs test files under `node --test`; patterns are globs relative to the checkout, or folders. */
async function runNodeTests(patterns: readonly string[], concurrency: number): Promise<SuiteSummary> {
  const files = patterns.flatMap((pattern) => filesOf(pattern)).sort();
  if (files.length === 0) return skippedSuite(`no test file matches ${patterns.join(" ")}`);
  return withSummaryFile((summaryFile) =>
    runNode(
      [
        "--import",
        path.join(rootDir, "test/support/fixedSeed.ts"),
        "--test",
        `--test-concurrency=${concurrency}`,
        "--test-timeout=300000",
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        `--test-reporter=${path.join(import.meta.dirname, "summaryReporter.ts")}`,
        `--test-reporter-destination=${summaryFile}`,
        ...files,
      ],
      summaryFile,
    ),
  );
}

function filesOf(pattern: string): string[] {
  if (/[*{]|\.test\.ts$/.test(pattern)) return globSync(pattern, { cwd: rootDir });
  return globSync(`${pattern.replace(/\/$/, "")}/**/*.test.ts`, { cwd: rootDir });
}

/** Runs a phase that needs the workbench and a browser, or says why it cannot. */
async function withEditor(run: (summaryFile: string) => Promise<SuiteSummary>): Promise<SuiteSummary> {
  if (!isPresent("chromium") && !isPresent("google-chrome")) {
    return skippedSuite("chromium is not installed (Debian package chromium)");
  }
  try {
    await ensureEditor();
  } catch (error) {
    return skippedSuite(`VS Code could not be installed from npm: ${error instanceof Error ? error.message : error}`);
  }
  return withSummaryFile(run);
}

/** Runs Node on a script that leaves its summary in the file; a bad exit code counts as a failure whatever the file says. */
async function runNode(args: readonly string[], summaryFile: string): Promise<SuiteSummary> {
  const child = spawn(process.execPath, args, {
    cwd: rootDir,
    stdio: "inherit",
    env: { ...process.env, KUBEFILE_TEST_SUMMARY: summaryFile },
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve(exitCode ?? 1));
  });
  const summary = readSummary(summaryFile) ?? brokenSuite;
  return code !== 0 && summary.failed === 0 ? { ...summary, failed: 1 } : summary;
}

async function withSummaryFile<Result>(run: (summaryFile: string) => Promise<Result>): Promise<Result> {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-test-"));
  try {
    return await run(path.join(dir, "summary.json"));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

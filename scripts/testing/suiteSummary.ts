import { readFileSync } from "node:fs";

/** How one phase of `npm test` ended. */
export interface SuiteSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Reason → how many tests or suites gave it. */
  readonly skipReasons: Readonly<Record<string, number>>;
}

/** A phase that broke before it could count: one failure, so that it is never taken for a pass. */
export const brokenSuite: SuiteSummary = { passed: 0, failed: 1, skipped: 0, skipReasons: {} };

/** A phase that cannot run on this machine, for the reason given. */
export function skippedSuite(reason: string): SuiteSummary {
  return { passed: 0, failed: 0, skipped: 1, skipReasons: { [reason]: 1 } };
}

/** The summary a phase left in a file, or `undefined` when it ended before writing one. */
export function readSummary(file: string): SuiteSummary | undefined {
  try {
    const summary: SuiteSummary = JSON.parse(readFileSync(file, "utf8"));
    return Number.isInteger(summary.passed) && Number.isInteger(summary.failed) ? summary : undefined;
  } catch {
    return undefined;
  }
}

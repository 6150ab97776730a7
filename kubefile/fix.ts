import { type CheckOptions, check } from "./check/check.ts";
import { applyEdits } from "./format.ts";
import { parse } from "./parse.ts";
import type { Fix, Problem, TextEdit } from "./problems.ts";

/** What came of applying fixes. */
export interface Fixed {
  readonly text: string;
  /** Problems whose fix was applied. */
  readonly applied: readonly Problem[];
  /** Problems whose fix would have touched what another one changes. */
  readonly skipped: readonly Problem[];
}

/**
 * Applies the first safe fix of each problem, each wholly or not at all. A fix that overlaps one before it is skipped; the
 * same fix given by several problems is applied once.
 */
export function applyFixes(text: string, problems: readonly Problem[]): Fixed {
  const chosen: { readonly problem: Problem; readonly fix: Fix }[] = [];
  const applied: Problem[] = [];
  const skipped: Problem[] = [];
  const seen = new Set<string>();
  for (const problem of problems) {
    const fix = problem.fixes.find((candidate) => candidate.safe);
    if (fix === undefined) continue;
    const key = JSON.stringify(fix.edits);
    if (seen.has(key)) applied.push(problem);
    else if (chosen.some((other) => overlap(other.fix.edits, fix.edits))) skipped.push(problem);
    else {
      seen.add(key);
      chosen.push({ problem, fix });
      applied.push(problem);
    }
  }
  const edits = chosen.flatMap(({ fix }) => fix.edits).sort((a, b) => a.span.start - b.span.start);
  return { text: applyEdits(text, edits), applied, skipped };
}

function overlap(left: readonly TextEdit[], right: readonly TextEdit[]): boolean {
  return left.some(
    (a) =>
      right.some((b) => a.span.start < b.span.end && b.span.start < a.span.end) ||
      right.some((b) => a.span.start === b.span.start),
  );
}

const passes = 10;

/** Checks and fixes a text until no safe fix is left, at most ten times over. */
export function fixAll(text: string, options: Partial<CheckOptions> = {}): Fixed {
  const applied: Problem[] = [];
  let now = text;
  for (let pass = 0; pass < passes; pass++) {
    const fixed = applyFixes(now, check(parse(now), options));
    applied.push(...fixed.applied);
    if (fixed.applied.length === 0 || fixed.text === now) return { text: fixed.text, applied, skipped: fixed.skipped };
    now = fixed.text;
  }
  return { text: now, applied, skipped: [] };
}

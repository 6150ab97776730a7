import { itemIndexAt } from "../parse.ts";
import { type Fix, type Problem, ruleOf, rules } from "../problems.ts";
import type { Kubefile } from "../syntax.ts";
import type { WalkedDocument } from "./document.ts";
import { type Finding, replace, safeFix } from "./finding.ts";

const pattern = /^#\s*kubefile\s+(global\s+)?ignore\s*=\s*([\w,\s-]+)/i;

interface Range {
  readonly start: number;
  readonly end: number;
  readonly codes: ReadonlySet<string>;
}

/**
 * Reads `# kubefile ignore=KF012,KF013` (for the instruction below), `# kubefile global ignore=KF012` (for the file) and
 * BuildKit's `# check=skip=JSONArgsRecommended`. Rules may be given by code or by name; `all` is every rule.
 * Gives a test for findings, or `undefined` when nothing is to be ignored.
 */
export function readSuppressions(
  view: WalkedDocument,
): ((found: Pick<Finding, "code" | "span">) => boolean) | undefined {
  const everywhere = skippedChecks(view.kubefile);
  const ranges: Range[] = [];
  for (const { comment, delta, order } of view.comments) {
    const match = comment.text.includes("ignore") ? pattern.exec(comment.text) : null;
    if (match === null) continue;
    const codes = codesIn(match[2]?.split(/[,\s]+/) ?? []);
    if (match[1] !== undefined) {
      for (const code of codes) everywhere.add(code);
      continue;
    }
    // Comments between here and the instruction are covered as well.
    const target = view.entries[order];
    const end = target === undefined ? view.kubefile.text.length : target.node.span.end + target.delta;
    ranges.push({ start: comment.span.start + delta, end, codes });
  }
  if (everywhere.size === 0 && ranges.length === 0) return undefined;
  return ({ code, span }) => everywhere.has(code) || coversCode(ranges, code, span.start);
}

/** Ranges are in order and do not overlap, but several may be of one instruction. */
function coversCode(ranges: readonly Range[], code: string, offset: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.start ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  for (let index = low - 1; index >= 0; index--) {
    const range = ranges[index];
    if (range === undefined || range.end < offset) return false;
    if (range.codes.has(code)) return true;
  }
  return false;
}

function skippedChecks(kubefile: Kubefile): Set<string> {
  const codes = new Set<string>();
  for (const directive of kubefile.directives) {
    if (directive.name.value !== "check") continue;
    const skip = /(?:^|;)\s*skip=([^;]*)/.exec(directive.value.value)?.[1];
    for (const code of codesIn(skip?.split(/[,\s]+/) ?? [])) codes.add(code);
  }
  return codes;
}

function codesIn(names: readonly string[]): Set<string> {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return new Set(
    rules
      .filter(
        (rule) =>
          wanted.has("all") || [rule.code, rule.name, ...rule.aliases].some((name) => wanted.has(name.toLowerCase())),
      )
      .map((rule) => rule.code),
  );
}

/** Fixes that silence a problem: for the instruction it stands in, and for the whole file. */
export function suppressFixes(kubefile: Kubefile, problem: Problem): readonly Fix[] {
  const name = ruleOf(problem.code)?.name ?? problem.code;
  const newline = kubefile.text.includes("\r\n") ? "\r\n" : "\n";
  const index = itemIndexAt(kubefile, problem.span.start);
  const line = kubefile.starts[index] ?? 0;
  const head = kubefile.items.findIndex((item) => item.kind !== "directive");
  const top = head < 0 ? kubefile.text.length : (kubefile.starts[head] ?? 0);
  // A byte order mark stays first.
  const afterMark = top === 0 && kubefile.text.startsWith("\ufeff") ? 1 : top;
  const here = line === 0 && afterMark === 1 ? 1 : line;
  return [
    safeFix(
      `Ignore ${problem.code} (${name}) here`,
      replace({ start: here, end: here }, `# kubefile ignore=${problem.code}${newline}`),
    ),
    safeFix(
      `Ignore ${problem.code} (${name}) in this file`,
      replace({ start: afterMark, end: afterMark }, `# kubefile global ignore=${problem.code}${newline}`),
    ),
  ];
}

import type { Problem } from "../../kubefile/problems.ts";

/** `line:column` of an offset, counted from 1. */
export function position(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return `${line}:${offset - before.lastIndexOf("\n")}`;
}

/** Problems one on a line, for golden files: place, severity, code, message, and what can be done. */
export function report(text: string, problems: readonly Problem[]): string {
  return problems
    .map((problem) => {
      const place = `${position(text, problem.span.start)}-${position(text, problem.span.end)}`;
      const tags = problem.tags.map((tag) => ` (${tag})`).join("");
      const related = problem.related.map((one) => `\n    ${position(text, one.span.start)} ${one.message}`).join("");
      const fixes = problem.fixes.map((fix) => `\n    ${fix.safe ? "fix" : "suggestion"}: ${fix.title}`).join("");
      return `${place} ${problem.severity} ${problem.code} ${problem.message}${tags}${related}${fixes}\n`;
    })
    .join("");
}

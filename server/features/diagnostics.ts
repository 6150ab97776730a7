import { type Diagnostic, DiagnosticSeverity, DiagnosticTag } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { parseIgnore } from "../../kubefile/ignore.ts";
import type { Problem, ProblemTag, Severity } from "../../kubefile/problems.ts";
import type { ClientSupport } from "../clientSupport.ts";
import { rangeOf } from "../ranges.ts";

type DiagnosticOptions = Pick<ClientSupport, "relatedInformation" | "diagnosticTags" | "codeDescription">;

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

const tags: Readonly<Record<ProblemTag, DiagnosticTag>> = {
  unnecessary: DiagnosticTag.Unnecessary,
  deprecated: DiagnosticTag.Deprecated,
};

const source = "kubefile";
const pages = "https://github.com/kubefile/kubefile/blob/main/docs/problems";

/** The page that explains a problem. */
export function problemPage(code: string): string {
  return `${pages}/${code}.md`;
}

/**
 * Problems as LSP diagnostics, in the order of the text, at most `limit`. When there are more, one diagnostic says so; the
 * checker has kept the gravest.
 */
export function diagnostics(
  lines: TextDocument,
  problems: readonly Problem[],
  limit: number,
  options: DiagnosticOptions,
): Diagnostic[] {
  const found = problems.slice(0, limit).map((problem) => diagnosticOf(lines, problem, options));
  if (problems.length > limit) found.push(moreThanShown());
  return found;
}

function moreThanShown(): Diagnostic {
  const start = { line: 0, character: 0 };
  return {
    range: { start, end: start },
    severity: DiagnosticSeverity.Information,
    source,
    message: "There are more problems than are shown here. Raise kubefile.problems.limit to see them.",
  };
}

function diagnosticOf(lines: TextDocument, problem: Problem, options: DiagnosticOptions): Diagnostic {
  const { code, severity, span, message, related } = problem;
  const diagnostic: Diagnostic = {
    range: rangeOf(lines, span),
    severity: severities[severity],
    code,
    source,
    message,
  };
  if (options.codeDescription) diagnostic.codeDescription = { href: problemPage(code) };
  if (options.diagnosticTags && problem.tags.length > 0) diagnostic.tags = problem.tags.map((tag) => tags[tag]);
  if (options.relatedInformation && related.length > 0) {
    diagnostic.relatedInformation = related.map((place) => ({
      location: { uri: lines.uri, range: rangeOf(lines, place.span) },
      message: place.message,
    }));
  }
  return diagnostic;
}

/** Problems of a Clusterfile. */
export async function clusterfileDiagnostics(lines: TextDocument): Promise<Diagnostic[]> {
  // Loaded late: most sessions never open a Clusterfile, and a bundle can keep it in a file of its own.
  const { checkClusterfile } = await import("../clusterfile/check.ts");
  return checkClusterfile(lines.getText()).map(({ code, severity, span, message }) => ({
    range: rangeOf(lines, span),
    severity: severities[severity],
    code,
    source,
    message,
  }));
}

/** Lines of an ignore file that are no pattern: builders refuse the file because of them. */
export function ignoreDiagnostics(lines: TextDocument): Diagnostic[] {
  const name = lines.uri.slice(lines.uri.lastIndexOf("/") + 1);
  return parseIgnore(lines.getText(), name).invalid.map(({ line, pattern }) => ({
    range: { start: { line: line - 1, character: 0 }, end: lines.positionAt(lines.offsetAt({ line, character: 0 })) },
    severity: DiagnosticSeverity.Error,
    code: "ignore-pattern",
    source,
    message: `${pattern} is no pattern: close its bracket, or put something behind the backslash.`,
  }));
}

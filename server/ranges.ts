import type { Range } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { TextEdit as CoreEdit } from "../kubefile/problems.ts";
import type { Span } from "../kubefile/span.ts";

/** The LSP range of a span. */
export function rangeOf(lines: TextDocument, span: Span): Range {
  return { start: lines.positionAt(span.start), end: lines.positionAt(span.end) };
}

/** The span of an LSP range; positions behind the end of a line count as its end. */
export function spanOf(lines: TextDocument, range: Range): Span {
  const start = lines.offsetAt(range.start);
  return { start, end: Math.max(start, lines.offsetAt(range.end)) };
}

/** `offset` stands in the span or at one of its ends. */
export function touches(span: Span, offset: number): boolean {
  return span.start <= offset && offset <= span.end;
}

/** The two spans share a character, or touch. */
export function overlaps(a: Span, b: Span): boolean {
  return a.start <= b.end && b.start <= a.end;
}

/** Edits of the language core as LSP edits. */
export function editsOf(lines: TextDocument, edits: readonly CoreEdit[]): { range: Range; newText: string }[] {
  return edits.map((edit) => ({ range: rangeOf(lines, edit.span), newText: edit.text }));
}

import type { FormattingOptions, Position, TextEdit } from "vscode-languageserver";
import { format } from "../../kubefile/format.ts";
import type { Span } from "../../kubefile/span.ts";
import type { OpenKubefile } from "../documents.ts";
import { innermost, instructionUnder } from "../locate.ts";
import { editsOf, rangeOf } from "../ranges.ts";

/** Edits that put the file, or the lines a range touches, into its usual form without changing what is built. */
export function formatting(document: OpenKubefile, range?: Span): TextEdit[] {
  return editsOf(document.lines, format(document.tree, range));
}

/**
 * Behind a line end: indents a line that continues an instruction, and formats the line that was finished. Behind an escape
 * character: indents the line that has just become a continuation. `position` is where the cursor stands now.
 */
export function onTypeFormatting(
  document: OpenKubefile,
  position: Position,
  typed: string,
  options: FormattingOptions,
): TextEdit[] {
  if (typed === "\n") return afterLineEnd(document, position.line, options);
  return typed === document.tree.escape ? afterEscape(document, position, options) : [];
}

function afterLineEnd(document: OpenKubefile, line: number, options: FormattingOptions): TextEdit[] {
  if (line === 0) return [];
  if (continuesOn(document, line)) return indent(document, line, options);
  const finished = lineSpan(document, line - 1);
  return editsOf(
    document.lines,
    format(document.tree, finished).filter(
      (edit) => edit.span.start >= finished.start && edit.span.end <= finished.end,
    ),
  );
}

function afterEscape(document: OpenKubefile, { line, character }: Position, options: FormattingOptions): TextEdit[] {
  const rest = document.tree.text.slice(document.lines.offsetAt({ line, character }), lineSpan(document, line).end);
  if (rest.trim() !== "" || line + 1 >= document.lines.lineCount || !continuesOn(document, line + 1)) return [];
  const next = textOfLine(document, line + 1);
  return next.trim() === "" ? [] : indent(document, line + 1, options);
}

/** The line goes on with an instruction that starts above it; bodies of heredocs and comments do not count. */
function continuesOn(document: OpenKubefile, line: number): boolean {
  const { start } = lineSpan(document, line);
  const outer = instructionUnder(document.tree, start);
  if (outer === undefined || outer.span.start >= start) return false;
  const instruction = innermost(outer, start);
  if (instruction.heredocs.some((heredoc) => heredoc.body.start <= start)) return false;
  if (textOfLine(document, line).trimStart().startsWith("#")) return false;
  return textOfLine(document, line - 1)
    .trimEnd()
    .endsWith(document.tree.escape);
}

/** Gives a continuation line without indentation the one of the line above, or one step when that is the first. */
function indent(document: OpenKubefile, line: number, options: FormattingOptions): TextEdit[] {
  const own = /^[ \t]*/u.exec(textOfLine(document, line))?.[0] ?? "";
  if (own !== "") return [];
  const above = textOfLine(document, line - 1);
  const unit = options.insertSpaces ? " ".repeat(options.tabSize) : "\t";
  const wanted = continuesOn(document, line - 1) ? (/^[ \t]*/u.exec(above)?.[0] ?? "") : unit;
  if (wanted === "") return [];
  const { start } = lineSpan(document, line);
  return [{ range: rangeOf(document.lines, { start, end: start }), newText: wanted }];
}

/** A line without its line end. */
function lineSpan(document: OpenKubefile, line: number): Span {
  const start = document.lines.offsetAt({ line, character: 0 });
  return { start, end: document.lines.offsetAt({ line, character: Number.MAX_SAFE_INTEGER }) };
}

function textOfLine(document: OpenKubefile, line: number): string {
  const { start, end } = lineSpan(document, line);
  return document.tree.text.slice(start, end);
}

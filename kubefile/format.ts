import { byteOrderMark, isBlank } from "./characters.ts";
import { instructionInfo } from "./instructions.ts";
import { instructionOf, parse } from "./parse.ts";
import type { TextEdit } from "./problems.ts";
import type { Span } from "./span.ts";
import type { Instruction, Item, Kubefile } from "./syntax.ts";

/**
 * Edits that put a Kubefile, or the lines that `range` touches, into its usual form: names in upper case, one blank between
 * words, no blanks at line ends, no more than one blank line in a row, a line end at the end. Nothing that is built
 * changes: continuation lines keep their indentation, commands, arrays and heredocs stay as they are.
 */
export function format(kubefile: Kubefile, range?: Span): TextEdit[] {
  const edits: TextEdit[] = [];
  let afterBlank = false;
  let begun = false;
  for (const [index, item] of kubefile.items.entries()) {
    const start = kubefile.starts[index] ?? 0;
    const span = { start, end: start + item.length };
    if (range === undefined || (span.start <= range.end && range.start <= span.end)) {
      edits.push(...formatItem(kubefile, index, span, afterBlank && begun));
    }
    afterBlank = isBlankLine(kubefile, item, span);
    begun ||= item.kind === "instruction";
  }
  if (range === undefined || range.end >= kubefile.text.length) edits.push(...finalLineEnd(kubefile));
  return edits;
}

/** A line of white space; not one that an escape character joins with the next. */
function isBlankLine(kubefile: Kubefile, item: Item, span: Span): boolean {
  return item.kind === "blank" && !kubefile.text.slice(span.start, span.end).includes(kubefile.escape);
}

function formatItem(kubefile: Kubefile, index: number, span: Span, again: boolean): TextEdit[] {
  const item = kubefile.items[index];
  if (item === undefined) return [];
  if (item.kind === "instruction") return formatInstruction(kubefile, index, span);
  if (item.kind !== "blank") return formatComment(kubefile, span);
  return isBlankLine(kubefile, item, span) ? formatBlank(kubefile, span, again) : [];
}

/** The text after edits that do not overlap and are in order. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = "";
  let at = 0;
  for (const { span, text: inserted } of edits) {
    result += text.slice(at, span.start) + inserted;
    at = span.end;
  }
  return result + text.slice(at);
}

/** The formatted text. */
export function formatText(text: string): string {
  return applyEdits(text, format(parse(text)));
}

function edit(kubefile: Kubefile, start: number, end: number, text: string): TextEdit[] {
  return start > end || kubefile.text.slice(start, end) === text ? [] : [{ span: { start, end }, text }];
}

/** Where the line end of the line that stops at `end` begins. */
function beforeLineEnd(text: string, start: number, end: number): number {
  if (end <= start || text[end - 1] !== "\n") return end;
  return end - 1 > start && text[end - 2] === "\r" ? end - 2 : end - 1;
}

function formatBlank(kubefile: Kubefile, span: Span, again: boolean): TextEdit[] {
  const { text } = kubefile;
  const close = beforeLineEnd(text, span.start, span.end);
  const start = afterMark(text, span.start);
  return again && close < span.end ? edit(kubefile, span.start, span.end, "") : edit(kubefile, start, close, "");
}

/** A byte order mark at the head of the file stays. */
function afterMark(text: string, start: number): number {
  return start === 0 && text.charCodeAt(0) === byteOrderMark ? 1 : start;
}

function formatComment(kubefile: Kubefile, span: Span): TextEdit[] {
  const { text } = kubefile;
  const close = beforeLineEnd(text, span.start, span.end);
  const start = afterMark(text, span.start);
  const visible = text.indexOf("#", start);
  return [...edit(kubefile, start, visible, ""), ...edit(kubefile, trimmed(text, visible, close), close, "")];
}

/** `end` without the blanks in front of it. */
function trimmed(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(text.charCodeAt(at - 1))) at--;
  return at;
}

function formatInstruction(kubefile: Kubefile, index: number, span: Span): TextEdit[] {
  const node = instructionOf(kubefile, index);
  if (node === undefined) return [];
  const { text } = kubefile;
  const edits: TextEdit[] = [];
  const start = afterMark(text, span.start);
  // At the very head a byte order mark would mean something else than behind a blank.
  const marked = start === 0 && text.charCodeAt(node.span.start) === byteOrderMark;
  if (!marked && !text.slice(start, node.span.start).includes("\n"))
    edits.push(...edit(kubefile, start, node.span.start, ""));
  edits.push(...formatWords(kubefile, node));
  const bodies = node.heredocs[0]?.body.start ?? span.end;
  edits.push(...formatLineEnds(kubefile, node, bodies));
  return edits.sort((a, b) => a.span.start - b.span.start);
}

function formatWords(kubefile: Kubefile, node: Instruction): TextEdit[] {
  const info = instructionInfo(node.keyword.text);
  const edits: TextEdit[] = [];
  const { keyword } = node;
  if (info !== undefined && keyword.span.end - keyword.span.start === keyword.text.length) {
    edits.push(...edit(kubefile, keyword.span.start, keyword.span.end, info.name));
  }
  if (node.kind === "ONBUILD" && node.trigger !== undefined) {
    return [
      ...edits,
      ...formatGap(kubefile, keyword.span, node.trigger.keyword.span),
      ...formatWords(kubefile, node.trigger),
    ];
  }
  const spans = [keyword.span, ...node.flags.map((flag) => flag.span), ...argumentSpans(node)];
  edits.push(...formatGaps(kubefile, node, spans));
  if (node.kind === "FROM" && node.as !== undefined && node.as.text.length === 2) {
    const { span } = node.as;
    if (span.end - span.start === 2) edits.push(...edit(kubefile, span.start, span.end, "AS"));
  }
  return edits;
}

/** One blank between pieces, but for blanks inside of `${A:-b c}`, which belong to the variable. */
function formatGaps(kubefile: Kubefile, node: Instruction, spans: readonly Span[]): TextEdit[] {
  const edits: TextEdit[] = [];
  let use = 0;
  let variableEnd = 0;
  for (const [index, span] of spans.entries()) {
    const next = spans[index + 1];
    if (next === undefined) break;
    for (; (node.variables[use]?.span.start ?? next.start) < next.start; use++) {
      variableEnd = Math.max(variableEnd, node.variables[use]?.span.end ?? 0);
    }
    if (span.end >= variableEnd) edits.push(...formatGap(kubefile, span, next));
  }
  return edits;
}

/** The pieces between which one blank is enough. */
function argumentSpans(node: Instruction): Span[] {
  if (node.form === "words" && node.words.length > 0) return node.words.map((word) => word.span);
  const isPairs = node.kind === "ENV" || node.kind === "LABEL" || node.kind === "ARG";
  if (isPairs && !node.legacy) return node.pairs.map((pair) => pair.span);
  return node.rest === undefined ? [] : [node.rest.span];
}

function formatGap(kubefile: Kubefile, left: Span, right: Span): TextEdit[] {
  const gap = kubefile.text.slice(left.end, right.start);
  return gap === "" || !/^[\t\v\f\r ]+$/.test(gap) ? [] : edit(kubefile, left.end, right.start, " ");
}

/** Blanks behind the last word, and behind each character that joins two lines. */
function formatLineEnds(kubefile: Kubefile, node: Instruction, limit: number): TextEdit[] {
  const { text } = kubefile;
  const { segments, start, text: logical } = node.logical;
  const pieces = segments.length > 0 ? segments : [{ logical: 0, source: start }];
  return pieces.flatMap((piece, index) => {
    const length = (pieces[index + 1]?.logical ?? logical.length) - piece.logical;
    const end = piece.source + length;
    const joint = index < pieces.length - 1 || (end < limit && text[end] === kubefile.escape);
    const feed = text.indexOf("\n", end);
    const close = feed < 0 || feed >= limit ? limit : feed;
    const lineEnd = close > end && text[close - 1] === "\r" && close === feed ? close - 1 : close;
    if (joint) return edit(kubefile, end + 1, lineEnd, "");
    // The last line: its trailing blanks belong to its piece. Behind an escape character they keep it from joining lines.
    const stop = Math.max(trimmed(text, piece.source, end), node.keyword.span.end);
    return text[stop - 1] === kubefile.escape ? [] : edit(kubefile, stop, lineEnd, "");
  });
}

/** One line end behind the last line, unless something is left open there. */
function finalLineEnd(kubefile: Kubefile): TextEdit[] {
  const { text } = kubefile;
  const last = kubefile.items.length - 1;
  const item = kubefile.items[last];
  if (item === undefined || text.endsWith("\n") || item.kind === "blank") return [];
  const node = item.kind === "instruction" ? item.node : undefined;
  const open =
    node !== undefined && (node.heredocs.some((heredoc) => heredoc.end === undefined) || endsJoined(kubefile, node));
  if (open) return [];
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  // Behind an end marker a lone carriage return is half a line end.
  const half = node !== undefined && node.heredocs.length > 0 && text.endsWith("\r") ? 1 : 0;
  return [{ span: { start: text.length - half, end: text.length }, text: newline }];
}

function endsJoined(kubefile: Kubefile, node: Instruction): boolean {
  if (node.heredocs.length > 0) return false;
  const tail = kubefile.text.slice(kubefile.text.lastIndexOf("\n") + 1).trimEnd();
  return tail.endsWith(kubefile.escape) || tail.startsWith("#");
}

import { dollar, doubleQuote, equals, isBlank, singleQuote } from "./characters.ts";
import type { Span } from "./span.ts";
import type { Escape, LogicalLine, Word } from "./syntax.ts";

/** The one-line text of an instruction whose offsets can be turned into spans of the Kubefile. */
export interface Line extends LogicalLine {
  readonly escape: Escape;
  /** No quote and no escape character stands in it, so that words mean what they are. */
  readonly plain: boolean;
}

/** The span in the Kubefile of a part of a line. It ends behind its last character, before any continuation. */
export function spanOf(line: LogicalLine, start: number, end: number): Span {
  if (line.segments.length === 0) return { start: line.start + start, end: line.start + end };
  const from = sourceOffset(line, start);
  return { start: from, end: end > start ? sourceOffset(line, end - 1) + 1 : from };
}

/** The offset in the Kubefile of the character at `offset` of a line. */
export function sourceOffset(line: LogicalLine, offset: number): number {
  const { segments } = line;
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((segments[middle]?.logical ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const segment = segments[low] ?? { logical: 0, source: line.start };
  return segment.source + offset - segment.logical;
}

/** The offset in a line that an offset of the Kubefile stands for; in a gap, where the next piece begins. */
export function logicalOffset(line: LogicalLine, offset: number): number {
  const { segments, text } = line;
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((segments[middle]?.source ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const segment = segments[low] ?? { logical: 0, source: line.start };
  const limit = segments[low + 1]?.logical ?? text.length;
  return Math.max(segment.logical, Math.min(limit, segment.logical + offset - segment.source));
}

/** The offset of the first character at or behind `from` that is no blank, at most `to`. */
export function skipBlanks(text: string, from: number, to: number = text.length): number {
  let at = from;
  while (at < to && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** The offset of the first blank at or behind `from`, or `to`. */
export function skipWord(text: string, from: number, to: number = text.length): number {
  let at = from;
  while (at < to && !isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** `to` without the blanks in front of it. */
export function trimEnd(text: string, from: number, to: number): number {
  let at = to;
  while (at > from && isBlank(text.charCodeAt(at - 1))) at--;
  return at;
}

export function makeWord(line: Line, start: number, end: number): Word {
  const text = line.text.slice(start, end);
  return { span: spanOf(line, start, end), text, value: line.plain ? text : unquote(text, line.escape) };
}

/** Words between blanks. Quotes do not group, as in COPY, FROM and APP. */
export function splitWords(line: Line, from: number, to: number): Word[] {
  const words: Word[] = [];
  for (let at = skipBlanks(line.text, from, to); at < to; ) {
    const end = skipWord(line.text, at, to);
    words.push(makeWord(line, at, end));
    at = skipBlanks(line.text, end, to);
  }
  return words;
}

/**
 * The end of the word that starts at `from`, where quotes group and the escape character takes the next one along.
 * @see moby/buildkit frontend/dockerfile/parser `parseWords`
 */
function quotedWordEnd(text: string, from: number, to: number, escapeMark: Escape): number {
  const escapeCode = escapeMark.charCodeAt(0);
  let quote = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === escapeCode) {
      at++;
    } else if (quote !== 0) {
      if (code === quote) quote = 0;
    } else if (code === singleQuote || code === doubleQuote) {
      quote = code;
    } else if (isBlank(code)) {
      return at;
    }
  }
  return to;
}

/** Words of ENV, LABEL and ARG, in which quotes group: their ranges in the line's text. */
export function splitQuotedWords(line: Line, from: number, to: number): Span[] {
  const ranges: Span[] = [];
  for (let at = skipBlanks(line.text, from, to); at < to; ) {
    const end = quotedWordEnd(line.text, at, to, line.escape);
    ranges.push({ start: at, end });
    at = skipBlanks(line.text, end, to);
  }
  return ranges;
}

/** Where the first `=` stands between `from` and `to`, or -1. */
export function findEquals(text: string, from: number, to: number): number {
  for (let at = from; at < to; at++) if (text.charCodeAt(at) === equals) return at;
  return -1;
}

/** What `unquote` looks for, and backticks, which may be the escape character. */
export const special: RegExp = /["'\\`]/;

/**
 * Takes quotes and escapes away as Docker's word expansion does, and leaves variables alone. A quote without its partner stays.
 * @see moby/buildkit frontend/dockerfile/shell `ProcessWord`
 */
export function unquote(text: string, escapeMark: Escape): string {
  if (!special.test(text)) return text;
  let value = "";
  for (let at = 0; at < text.length; ) {
    const character = text[at] ?? "";
    const quote = character === "'" || character === '"';
    if (!quote) {
      if (character === escapeMark && at + 1 < text.length) at++;
      value += text[at++] ?? "";
      continue;
    }
    const close = closingQuote(text, at, escapeMark);
    if (close < 0) return value + text.slice(at);
    const inner = text.slice(at + 1, close);
    value += character === "'" ? inner : unescapeQuoted(inner, escapeMark);
    at = close + 1;
  }
  return value;
}

/** The offset of the quote that closes the one at `at`, or -1. In single quotes nothing is escaped. */
export function closingQuote(text: string, at: number, escapeMark: Escape): number {
  const quote = text.charCodeAt(at);
  if (quote === singleQuote) return text.indexOf("'", at + 1);
  const escapeCode = escapeMark.charCodeAt(0);
  for (let next = at + 1; next < text.length; next++) {
    const code = text.charCodeAt(next);
    if (code === quote) return next;
    if (code === escapeCode) next++;
  }
  return -1;
}

function unescapeQuoted(text: string, escapeMark: Escape): string {
  if (!text.includes(escapeMark)) return text;
  let value = "";
  for (let at = 0; at < text.length; at++) {
    const next = text.charCodeAt(at + 1);
    const escapes = text[at] === escapeMark && (next === doubleQuote || next === dollar || text[at + 1] === escapeMark);
    if (escapes) at++;
    value += text[at] ?? "";
  }
  return value;
}

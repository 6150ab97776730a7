import { blank, carriageReturn, hash, isSpace, tab } from "./characters.ts";
import type { Span } from "./span.ts";
import type { Comment, Escape } from "./syntax.ts";
import { type Line, special } from "./words.ts";

/** A text, or a part of one: `text[n]` is at `origin + n` in the Kubefile. */
export interface Source {
  readonly text: string;
  readonly origin: number;
}

/** Physical lines read as one: the joined text and what was left out of it. */
export interface JoinedLines {
  readonly line: Line;
  readonly comments: readonly Comment[];
  readonly blankLines: readonly Span[];
  /** Offset in the source behind the last line end that belongs to it. */
  readonly next: number;
}

const noComments: readonly Comment[] = [];
const noSpans: readonly Span[] = [];
const noSegments: Line["segments"] = [];

/** The offset of the line feed that ends the line at `at`, or the end of the text. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** Where the content of a line ends: without the carriage return of a CRLF. */
export function contentEnd(text: string, start: number, end: number): number {
  return end > start && text.charCodeAt(end - 1) === carriageReturn ? end - 1 : end;
}

/** The first character of a line that is no white space, at most `end`. */
export function skipSpaces(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(text.charCodeAt(at))) at++;
  return at;
}

/**
 * Where the escape character stands that joins this line with the next one, or -1. Blanks may follow it; a doubled escape
 * character joins nothing.
 * @see moby/buildkit frontend/dockerfile/parser `lineContinuationRegex`
 */
function continuationAt(text: string, start: number, end: number, escapeMark: Escape): number {
  let at = end - 1;
  while (at >= start && (text.charCodeAt(at) === blank || text.charCodeAt(at) === tab)) at--;
  if (at < start || text[at] !== escapeMark) return -1;
  return at > start && text[at - 1] === escapeMark ? -1 : at;
}

/** Reads the instruction whose first visible character is at `start`, with all its continuation lines. */
export function joinLines(source: Source, start: number, escapeMark: Escape): JoinedLines {
  const { text, origin } = source;
  const end = lineEnd(text, start);
  const content = contentEnd(text, start, end);
  const joint = continuationAt(text, start, content, escapeMark);
  if (joint < 0) {
    const line = makeLine(text.slice(start, content), origin + start, noSegments, escapeMark);
    return { line, comments: noComments, blankLines: noSpans, next: Math.min(end + 1, text.length) };
  }
  return joinMore(source, start, joint, end, escapeMark);
}

function joinMore(
  source: Source,
  start: number,
  firstJoint: number,
  firstEnd: number,
  escapeMark: Escape,
): JoinedLines {
  const { text, origin } = source;
  const pieces = [text.slice(start, firstJoint)];
  const segments = [{ logical: 0, source: origin + start }];
  const comments: Comment[] = [];
  const blankLines: Span[] = [];
  let length = firstJoint - start;
  let at = Math.min(firstEnd + 1, text.length);
  for (let joined = true; joined && at < text.length; ) {
    const end = lineEnd(text, at);
    const content = contentEnd(text, at, end);
    const next = Math.min(end + 1, text.length);
    const visible = skipSpaces(text, at, content);
    if (visible >= content) {
      blankLines.push({ start: origin + at, end: origin + next });
    } else if (text.charCodeAt(visible) === hash) {
      comments.push(makeComment(source, visible, content));
    } else {
      const joint = continuationAt(text, at, content, escapeMark);
      joined = joint >= 0;
      const stop = joined ? joint : content;
      segments.push({ logical: length, source: origin + at });
      pieces.push(text.slice(at, stop));
      length += stop - at;
    }
    at = next;
  }
  const line = makeLine(pieces.join(""), origin + start, segments, escapeMark);
  return { line, comments, blankLines, next: at };
}

function makeLine(text: string, start: number, segments: Line["segments"], escapeMark: Escape): Line {
  return { text, start, segments, escape: escapeMark, plain: !special.test(text) };
}

export function makeComment(source: Source, start: number, end: number): Comment {
  return {
    span: { start: source.origin + start, end: source.origin + end },
    text: source.text.slice(start, end),
  };
}

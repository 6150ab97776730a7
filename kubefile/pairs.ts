import type { Span } from "./span.ts";
import type { Pair } from "./syntax.ts";
import { findEquals, type Line, makeWord, skipBlanks, skipWord, spanOf, splitQuotedWords } from "./words.ts";

/** The pairs of ENV, LABEL, ARG or APPENV. */
export interface Pairs {
  readonly pairs: readonly Pair[];
  /** Written as `name value`, without `=`. */
  readonly legacy: boolean;
}

const none: Pairs = { pairs: [], legacy: false };

/**
 * Reads `name=value` words. ENV and LABEL whose first word has no `=` are read in the old way: one name, then all the rest.
 * APPENV knows no quotes. @see moby/buildkit frontend/dockerfile/parser `parseNameVal`
 */
export function parsePairs(line: Line, from: number, to: number, name: "ENV" | "LABEL" | "ARG" | "APPENV"): Pairs {
  if (from >= to) return none;
  const ranges = name === "APPENV" ? plainWords(line, from, to) : splitQuotedWords(line, from, to);
  const first = ranges[0];
  const oldForm = name === "ENV" || name === "LABEL";
  if (oldForm && first !== undefined && findEquals(line.text, first.start, first.end) < 0) {
    return { pairs: [legacyPair(line, from, to)], legacy: true };
  }
  return { pairs: ranges.map((range) => makePair(line, range)), legacy: false };
}

function plainWords(line: Line, from: number, to: number): Span[] {
  const ranges: Span[] = [];
  for (let at = skipBlanks(line.text, from, to); at < to; ) {
    const end = skipWord(line.text, at, to);
    ranges.push({ start: at, end });
    at = skipBlanks(line.text, end, to);
  }
  return ranges;
}

function legacyPair(line: Line, from: number, to: number): Pair {
  const nameEnd = skipWord(line.text, from, to);
  const value = skipBlanks(line.text, nameEnd, to);
  return {
    span: spanOf(line, from, to),
    name: makeWord(line, from, nameEnd),
    value: value < to ? makeWord(line, value, to) : undefined,
  };
}

function makePair(line: Line, range: Span): Pair {
  const sign = findEquals(line.text, range.start, range.end);
  return {
    span: spanOf(line, range.start, range.end),
    name: makeWord(line, range.start, sign < 0 ? range.end : sign),
    value: sign < 0 ? undefined : makeWord(line, sign + 1, range.end),
  };
}

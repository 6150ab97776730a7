import { dollar, doubleQuote, isNamePart, isNameStart, singleQuote } from "./characters.ts";
import type { Escape, LogicalLine, VariableModifier, VariableUse } from "./syntax.ts";
import { spanOf } from "./words.ts";

/** Where variables are looked for. */
export interface UseRange {
  readonly line: LogicalLine;
  readonly from: number;
  readonly to: number;
  readonly escape: Escape;
  /** A shell expands them, not the builder. */
  readonly shell: boolean;
  /** Quotes mean something: single quotes hide variables. Not so in the body of a heredoc that is copied. */
  readonly quotes: boolean;
  /** `$(NAME)` is a variable too, as in sealos's CMD. */
  readonly parenthesised: boolean;
}

/** A `${` that waits for its `}`. */
interface Open {
  readonly start: number;
  readonly nameEnd: number;
  /** Index in `uses`, so that uses stay in order of their start. */
  readonly index: number;
}

interface Scan {
  readonly range: UseRange;
  readonly uses: VariableUse[];
  readonly open: Open[];
}

const none: readonly VariableUse[] = [];

/** Every variable in a range, in order of where it starts; those inside the modifier of another one come behind it. */
export function variableUses(range: UseRange): readonly VariableUse[] {
  const { from, to } = range;
  const { line } = range;
  // Cut at the end of the range, so that no search runs on over the rest of the file.
  const text = to === line.text.length ? line.text : line.text.slice(0, to);
  if (text.indexOf("$", from) < 0) return none;
  const scan: Scan = { range, uses: [], open: [] };
  const quotes: Quotes = { double: false, singles: range.quotes };
  const escapeMark = range.escape.charCodeAt(0);
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === escapeMark) at++;
    else if (code === dollar) at = readVariable(scan, at) - 1;
    else if (code === 0x7d) closeBrace(scan, at);
    else if (range.quotes) at = passQuote(text, at, code, quotes);
  }
  for (const open of scan.open) scan.uses[open.index] = bracedUse(scan, open, to, false);
  return scan.uses;
}

interface Quotes {
  double: boolean;
  /** Single quotes are looked at, as long as each finds its partner. */
  singles: boolean;
}

/** Where to go on behind a quote: behind its partner for a single one, outside of double quotes. */
function passQuote(text: string, at: number, code: number, quotes: Quotes): number {
  if (code === doubleQuote) quotes.double = !quotes.double;
  if (code !== singleQuote || !quotes.singles || quotes.double) return at;
  const close = text.indexOf("'", at + 1);
  quotes.singles = close >= 0;
  return close < 0 ? at : close;
}

/** Reads what stands behind the `$` at `at`; gives the offset to go on from. */
function readVariable(scan: Scan, at: number): number {
  const { to } = scan.range;
  const { text } = scan.range.line;
  const next = at + 1 < to ? text.charCodeAt(at + 1) : 0;
  if (next === dollar) return at + 2;
  if (isNameStart(next)) {
    const end = nameEnd(text, at + 1, to);
    scan.uses.push(use(scan.range, at, at + 1, end, end, "plain"));
    return end;
  }
  if (next === 0x28 && scan.range.parenthesised) return readParenthesised(scan, at);
  if (next !== 0x7b) return at + 1;
  const end = nameEnd(text, at + 2, to);
  if (end === at + 2) return end;
  const open: Open = { start: at, nameEnd: end, index: scan.uses.length };
  scan.open.push(open);
  // A placeholder keeps the order until the closing brace is found.
  scan.uses.push(use(scan.range, at, at + 2, end, end, "braced"));
  return end;
}

function readParenthesised(scan: Scan, at: number): number {
  const { to } = scan.range;
  const { text } = scan.range.line;
  const end = nameEnd(text, at + 2, to);
  if (end === at + 2 || text[end] !== ")" || end >= to) return at + 2;
  scan.uses.push(use(scan.range, at, at + 2, end, end + 1, "parenthesised"));
  return end + 1;
}

function nameEnd(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isNamePart(text.charCodeAt(at))) at++;
  return at;
}

function use(
  range: UseRange,
  start: number,
  name: number,
  nameEnds: number,
  end: number,
  form: VariableUse["form"],
): VariableUse {
  return {
    span: spanOf(range.line, start, end),
    name: range.line.text.slice(name, nameEnds),
    nameSpan: spanOf(range.line, name, nameEnds),
    form,
    modifier: undefined,
    complete: true,
    shell: range.shell,
  };
}

function closeBrace(scan: Scan, at: number): void {
  const open = scan.open.pop();
  if (open !== undefined) scan.uses[open.index] = bracedUse(scan, open, at, true);
}

function bracedUse(scan: Scan, open: Open, close: number, complete: boolean): VariableUse {
  const { range } = scan;
  const modifier = close > open.nameEnd ? readModifier(range, open.nameEnd, close) : undefined;
  const plain = use(range, open.start, open.start + 2, open.nameEnd, complete ? close + 1 : close, "braced");
  return { ...plain, modifier, complete };
}

const operatorPattern = /:[-+?]|##|%%|\/\/|[-+?#%/:]/y;

function readModifier(range: UseRange, start: number, end: number): VariableModifier {
  operatorPattern.lastIndex = start;
  const match = operatorPattern.exec(range.line.text);
  const operator = match === null ? (range.line.text[start] ?? "") : match[0];
  const word = Math.min(start + operator.length, end);
  return {
    span: spanOf(range.line, start, end),
    operator,
    word: range.line.text.slice(word, end),
    wordSpan: spanOf(range.line, word, end),
  };
}

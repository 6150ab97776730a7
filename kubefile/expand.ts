import { isNamePart, isNameStart } from "./characters.ts";
import type { Escape } from "./syntax.ts";
import { closingQuote } from "./words.ts";

/** The value of a variable, or `undefined` when it is not set. */
export type Lookup = (name: string) => string | undefined;

export interface Expansion {
  /** The word with variables replaced and quotes taken away. */
  readonly value: string;
  /** Names that were used plainly and are not set; they count as empty. */
  readonly unset: readonly string[];
  /** Why the builder would stop: a `?` modifier, a modifier it does not know, or a brace or quote that is not closed. */
  readonly error: string | undefined;
}

const deepest = 64;

interface State {
  readonly text: string;
  readonly escape: Escape;
  readonly lookup: Lookup;
  readonly unset: string[];
  at: number;
  error: string | undefined;
}

/**
 * Expands a word as Docker does: `$NAME`, `${NAME}` and the modifiers `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/` `//`.
 * Nothing is expanded in single quotes; quotes are taken away.
 * @see moby/buildkit frontend/dockerfile/shell/lex.go
 */
export function expand(text: string, lookup: Lookup, escapeMark: Escape): Expansion {
  const state: State = { text, escape: escapeMark, lookup, unset: [], at: 0, error: undefined };
  const value = readUntil(state, "", 0);
  return { value, unset: state.unset, error: state.error };
}

/** Expands up to the character `stop` (not consumed) or to the end. */
function readUntil(state: State, stop: string, depth: number): string {
  let value = "";
  while (state.at < state.text.length) {
    const character = state.text[state.at] ?? "";
    if (character === stop) return value;
    value += readPiece(state, character, depth);
  }
  if (stop !== "") state.error ??= `a closing ${stop} is missing`;
  return value;
}

function readPiece(state: State, character: string, depth: number): string {
  if (character === "'") return readSingle(state);
  if (character === '"') return readDouble(state, depth);
  if (character === "$") return readDollar(state, depth);
  if (character === state.escape && state.at + 1 < state.text.length) state.at++;
  return state.text[state.at++] ?? "";
}

function readSingle(state: State): string {
  const close = closingQuote(state.text, state.at, state.escape);
  const end = close < 0 ? state.text.length : close;
  if (close < 0) state.error ??= "a closing ' is missing";
  const value = state.text.slice(state.at + 1, end);
  state.at = end + 1;
  return value;
}

function readDouble(state: State, depth: number): string {
  let value = "";
  state.at++;
  while (state.at < state.text.length) {
    const character = state.text[state.at] ?? "";
    if (character === '"') {
      state.at++;
      return value;
    }
    if (character === "$") {
      value += readDollar(state, depth);
      continue;
    }
    const next = state.text[state.at + 1] ?? "";
    const escapes = character === state.escape && (next === '"' || next === "$" || next === state.escape);
    if (escapes) state.at++;
    value += state.text[state.at] ?? "";
    state.at++;
  }
  state.error ??= 'a closing " is missing';
  return value;
}

function readDollar(state: State, depth: number): string {
  const { text } = state;
  state.at++;
  if (text[state.at] === "{") return readBraced(state, depth);
  const name = readName(state);
  return name === "" ? "$" : plain(state, name);
}

/** A name, one digit, or one of the shell's special characters. */
function readName(state: State): string {
  const { text } = state;
  const start = state.at;
  const first = text.charCodeAt(start);
  if (isNameStart(first)) {
    while (state.at < text.length && isNamePart(text.charCodeAt(state.at))) state.at++;
  } else if (isNamePart(first)) {
    while (state.at < text.length && text[state.at] !== undefined && /\d/.test(text[state.at] ?? "")) state.at++;
  } else if (start < text.length && "@*#?-$!".includes(text[start] ?? " ")) {
    state.at++;
  }
  return text.slice(start, state.at);
}

function plain(state: State, name: string): string {
  const value = state.lookup(name);
  if (value === undefined) state.unset.push(name);
  return value ?? "";
}

function readBraced(state: State, depth: number): string {
  const { text } = state;
  state.at++;
  const name = readName(state);
  if (name === "") {
    state.error ??= "a variable has no name";
    return "";
  }
  if (text[state.at] === "}") {
    state.at++;
    return plain(state, name);
  }
  if (state.at >= text.length || depth >= deepest) {
    state.at = text.length;
    state.error ??= "a closing } is missing";
    return "";
  }
  return readModified(state, name, depth);
}

function readModified(state: State, name: string, depth: number): string {
  const operator = readOperator(state);
  if (operator === "/" || operator === "//") return replaceIn(state, name, operator, depth);
  const word = readUntil(state, "}", depth + 1);
  state.at++;
  const value = state.lookup(name);
  const apply = modifiers[operator];
  if (apply === undefined) {
    state.error ??= `\${${name}${operator}...} has a modifier that is not known`;
    return "";
  }
  const result = apply(value, word);
  if (result === undefined) state.error ??= `${name}: ${word === "" ? "not set" : word}`;
  return result ?? "";
}

/** What each modifier makes of a value and its word; `undefined` stops the build. */
const modifiers: Readonly<Record<string, (value: string | undefined, word: string) => string | undefined>> = {
  ":-": (value, word) => value || word,
  "-": (value, word) => value ?? word,
  ":+": (value, word) => (value ? word : ""),
  "+": (value, word) => (value === undefined ? "" : word),
  ":?": (value) => value || undefined,
  "?": (value) => value,
  "#": (value, word) => cutPrefix(value ?? "", word, false),
  "##": (value, word) => cutPrefix(value ?? "", word, true),
  "%": (value, word) => cutSuffix(value ?? "", word, false),
  "%%": (value, word) => cutSuffix(value ?? "", word, true),
};

function readOperator(state: State): string {
  const two = state.text.slice(state.at, state.at + 2);
  const operator = /^(?::[-+?]|##|%%|\/\/)$/.test(two) ? two : (state.text[state.at] ?? "");
  state.at += operator.length;
  return operator;
}

function replaceIn(state: State, name: string, operator: string, depth: number): string {
  const pattern = readUntil(state, "/", depth + 1);
  state.at++;
  const replacement = readUntil(state, "}", depth + 1);
  state.at++;
  const value = state.lookup(name) ?? "";
  if (pattern === "") return value;
  return value.replace(new RegExp(globSource(pattern, true), operator === "//" ? "g" : ""), () => replacement);
}

/** A shell pattern as a regular expression: `*` and `?` match anything, a backslash takes the next character as it is. */
function globSource(pattern: string, greedy: boolean): string {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? "";
    if (character === "*") source += greedy ? "[\\s\\S]*" : "[\\s\\S]*?";
    else if (character === "?") source += "[\\s\\S]";
    else source += quoteMeta(character === "\\" && at + 1 < pattern.length ? (pattern[++at] ?? "") : character);
  }
  return source;
}

function quoteMeta(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function cutPrefix(value: string, pattern: string, longest: boolean): string {
  const match = new RegExp(`^${globSource(pattern, longest)}`).exec(value);
  return match === null ? value : value.slice(match[0].length);
}

function cutSuffix(value: string, pattern: string, longest: boolean): string {
  const whole = new RegExp(`^${globSource(pattern, true)}$`);
  for (let step = 0; step <= value.length; step++) {
    const start = longest ? step : value.length - step;
    if (whole.test(value.slice(start))) return value.slice(0, start);
  }
  return value;
}

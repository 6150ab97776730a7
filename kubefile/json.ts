import { isDigit } from "./characters.ts";
import type { Word } from "./syntax.ts";
import { type Line, spanOf } from "./words.ts";

/** What stands where a JSON array of strings may stand. */
export type JsonArray =
  | { readonly verdict: "strings"; readonly elements: readonly Word[] /** Behind the `]`. */; readonly end: number }
  | { readonly verdict: "not-strings" | "invalid" | "absent" };

const deepest = 64;

/**
 * Reads the JSON array at `from` (blanks before it are skipped). What follows the array is left alone, as Docker does.
 * @see moby/buildkit frontend/dockerfile/parser `parseJSON`
 */
export function parseJsonArray(line: Line, from: number, to: number): JsonArray {
  const { text } = line;
  let at = skipJsonBlanks(text, from, to);
  if (text[at] !== "[") return { verdict: "absent" };
  const elements: Word[] = [];
  let strings = true;
  at = skipJsonBlanks(text, at + 1, to);
  if (text[at] === "]" && at < to) return { verdict: "strings", elements, end: at + 1 };
  for (;;) {
    const end = jsonValueEnd(text, at, to, 0);
    if (end < 0) return invalid;
    if (text[at] === '"') elements.push(stringElement(line, at, end));
    else strings = false;
    at = skipJsonBlanks(text, end, to);
    const next = at < to ? text[at] : undefined;
    if (next === "]") return strings ? { verdict: "strings", elements, end: at + 1 } : { verdict: "not-strings" };
    if (next !== ",") return invalid;
    at = skipJsonBlanks(text, at + 1, to);
  }
}

const invalid: JsonArray = { verdict: "invalid" };

function stringElement(line: Line, start: number, end: number): Word {
  const text = line.text.slice(start, end);
  const value = text.includes("\\") ? (JSON.parse(text) as string) : text.slice(1, -1);
  return { span: spanOf(line, start, end), text, value };
}

function skipJsonBlanks(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && (text[at] === " " || text[at] === "\t" || text[at] === "\r" || text[at] === "\n")) at++;
  return at;
}

/** Behind the JSON value at `at`, or -1 when there is none. */
function jsonValueEnd(text: string, at: number, to: number, depth: number): number {
  const character = at < to ? text[at] : undefined;
  if (character === undefined || depth > deepest) return -1;
  if (character === '"') return jsonStringEnd(text, at, to);
  if (character === "[") return listEnd(text, at, to, depth, "]", jsonValueEnd);
  if (character === "{") return listEnd(text, at, to, depth, "}", memberEnd);
  if (character === "-" || isDigit(character.charCodeAt(0))) return numberEnd(text, at, to);
  for (const literal of ["true", "false", "null"]) if (text.startsWith(literal, at)) return at + literal.length;
  return -1;
}

function memberEnd(text: string, at: number, to: number, depth: number): number {
  if (text[at] !== '"') return -1;
  const name = jsonStringEnd(text, at, to);
  if (name < 0) return -1;
  const colon = skipJsonBlanks(text, name, to);
  if (text[colon] !== ":") return -1;
  return jsonValueEnd(text, skipJsonBlanks(text, colon + 1, to), to, depth);
}

function listEnd(
  text: string,
  from: number,
  to: number,
  depth: number,
  close: string,
  elementEnd: (text: string, at: number, to: number, depth: number) => number,
): number {
  let at = skipJsonBlanks(text, from + 1, to);
  if (at < to && text[at] === close) return at + 1;
  while (at < to) {
    at = elementEnd(text, at, to, depth + 1);
    if (at < 0) return -1;
    at = skipJsonBlanks(text, at, to);
    if (at < to && text[at] === close) return at + 1;
    if (text[at] !== ",") return -1;
    at = skipJsonBlanks(text, at + 1, to);
  }
  return -1;
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function numberEnd(text: string, at: number, to: number): number {
  numberPattern.lastIndex = at;
  const match = numberPattern.exec(text);
  return match === null || at + match[0].length > to ? -1 : at + match[0].length;
}

function jsonStringEnd(text: string, from: number, to: number): number {
  for (let at = from + 1; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return -1;
    if (code === 0x5c) {
      at++;
      if (!isEscape(text, at, to)) return -1;
      if (text[at] === "u") at += 4;
    }
  }
  return -1;
}

const hexadecimal = /^[0-9a-fA-F]{4}$/;

function isEscape(text: string, at: number, to: number): boolean {
  const character = at < to ? text[at] : undefined;
  if (character === undefined) return false;
  if (character === "u") return at + 4 < to && hexadecimal.test(text.slice(at + 1, at + 5));
  return '"\\/bfnrt'.includes(character);
}

/** Sprig's text functions. */
import { byteLength, byteSlice, bytesOf, runesOf } from "../go/bytes.ts";
import { sprint } from "../go/format.ts";
import { quote } from "../go/quote.ts";
import { stringList, typedMap, type Value } from "../go/value.ts";
import { GoError } from "../template/failure.ts";
import type { Meter } from "../template/meter.ts";
import { textList, textValue } from "./convert.ts";
import { type FunctionTable, fn, variadic } from "./define.ts";
import { camelCase, delimitedCase, initials, swapCase, titleCase, untitle, wordWrap } from "./words.ts";

// Go's unicode.IsSpace: no U+FEFF, but U+0085.
const spaceRun =
  /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

/** `strings.TrimSpace`. */
export function trimSpace(text: string): string {
  return text.replace(spaceRun, "");
}

function trimSet(text: string, set: string): string {
  const chars = new Set(set);
  const runes = Array.from(text);
  let start = 0;
  let end = runes.length;
  while (start < end && chars.has(runes[start] ?? "")) start++;
  while (end > start && chars.has(runes[end - 1] ?? "")) end--;
  return runes.slice(start, end).join("");
}

/** `s[start:end]` with Go's panic when the bounds are wrong. */
function cut(text: string, start: number, end: number): string {
  const length = byteLength(text);
  if (end < 0) throw new GoError(`runtime error: slice bounds out of range [:${end}]`);
  if (end > length) throw new GoError(`runtime error: slice bounds out of range [:${end}] with length ${length}`);
  if (start > end) throw new GoError(`runtime error: slice bounds out of range [${start}:${end}]`);
  if (start < 0) throw new GoError(`runtime error: slice bounds out of range [${start}:]`);
  return byteSlice(text, start, end);
}

function substring(start: number, end: number, text: string): string {
  if (start < 0) return cut(text, 0, end);
  return cut(text, start, end < 0 || end > byteLength(text) ? byteLength(text) : end);
}

function truncate(count: number, text: string): string {
  const length = byteLength(text);
  if (count < 0 && length + count > 0) return byteSlice(text, length + count);
  return count >= 0 && length > count ? byteSlice(text, 0, count) : text;
}

function abbreviate(text: string, offset: number, width: number): string {
  const length = byteLength(text);
  if (text === "" || width < 4) return "";
  if (length <= width) return text;
  let left = Math.min(offset, length);
  if (length - left < width - 3) left = length - (width - 3);
  if (left <= 4) return `${byteSlice(text, 0, width - 3)}...`;
  if (width < 7) return "";
  if (left + width - 3 < length) return `...${abbreviate(byteSlice(text, left), 0, width - 3)}`;
  return `...${byteSlice(text, length - (width - 3))}`;
}

/** `strings.Repeat`, within the render's limits. */
function repeat(count: number, text: string, meter: Meter): string {
  if (count < 0) throw new GoError("strings: negative Repeat count");
  meter.room(count * text.length);
  return text.repeat(count);
}

function indent(spaces: number, text: string, meter: Meter): string {
  if (spaces < 0) throw new GoError("strings: negative Repeat count");
  meter.room(spaces);
  const pad = " ".repeat(spaces);
  let lines = 1;
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) lines++;
  meter.room(text.length + lines * spaces);
  return pad + text.replaceAll("\n", `\n${pad}`);
}

function replace(from: string, to: string, text: string, meter: Meter): string {
  meter.spend(text.length >> 6);
  if (from === "") {
    meter.room(text.length + (text.length + 1) * to.length);
    return to + Array.from(text, (char) => char + to).join("");
  }
  if (to.length > from.length) meter.room((text.length / from.length) * to.length);
  return text.replaceAll(from, () => to);
}

/** `strings.SplitN`: the last part keeps the rest. */
function splitN(text: string, separator: string, count: number): string[] {
  if (count === 0) return [];
  const parts = separator === "" ? Array.from(text) : text.split(separator);
  if (count < 0 || parts.length <= count) return parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

function numbered(parts: readonly string[]): Value {
  return typedMap(new Map(parts.map((part, i) => [`_${i}`, part])), "map[string]string");
}

function quoteAll(values: readonly Value[], one: (value: Value) => string): string {
  return values
    .filter((value) => value !== undefined && value !== null)
    .map(one)
    .join(" ");
}

/** Characters in their bytes, as Go's byte loops see them: Latin-1 code points. */
function byteChars(text: string): string[] {
  return Array.from(bytesOf(text), (byte) => String.fromCharCode(byte));
}

function withoutSpace(text: string): string {
  const chars = byteChars(text);
  const kept = chars.filter((char) => !/[\t-\r \u0085\u00a0]/.test(char));
  return kept.length === chars.length ? text : kept.join("");
}

function shuffle(text: string, randomBytes: (count: number) => Uint8Array): string {
  const runes = runesOf(text);
  for (let i = runes.length - 1; i > 0; i--) {
    const [high = 0, low = 0] = randomBytes(2);
    const j = ((high << 8) | low) % (i + 1);
    [runes[i], runes[j]] = [runes[j] ?? "", runes[i] ?? ""];
  }
  return runes.join("");
}

export const stringFunctions: FunctionTable = {
  hello: fn([], () => "Hello!"),
  abbrev: fn(["int", "string"], ([width, text]) => (width < 4 ? text : abbreviate(text, 0, width))),
  abbrevboth: fn(["int", "int", "string"], ([left, right, text]) => {
    return right < 4 || (left > 0 && right < 7) ? text : abbreviate(text, left, right);
  }),
  trunc: fn(["int", "string"], ([count, text]) => truncate(count, text)),
  trim: fn(["string"], ([text]) => trimSpace(text)),
  upper: fn(["string"], ([text]) => Array.from(text, (char) => upperRune(char)).join("")),
  lower: fn(["string"], ([text]) => Array.from(text, (char) => lowerRune(char)).join("")),
  title: fn(["string"], ([text]) => titleCase(text)),
  untitle: fn(["string"], ([text]) => untitle(text)),
  substr: fn(["int", "int", "string"], ([start, end, text]) => substring(start, end, text)),
  repeat: fn(["int", "string"], ([count, text], host) => repeat(count, text, host.meter)),
  trimall: fn(["string", "string"], ([set, text]) => trimSet(text, set)),
  trimAll: fn(["string", "string"], ([set, text]) => trimSet(text, set)),
  trimSuffix: fn(["string", "string"], ([end, text]) => {
    return end !== "" && text.endsWith(end) ? text.slice(0, text.length - end.length) : text;
  }),
  trimPrefix: fn(["string", "string"], ([start, text]) => (text.startsWith(start) ? text.slice(start.length) : text)),
  nospace: fn(["string"], ([text]) => withoutSpace(text)),
  initials: fn(["string"], ([text]) => initials(byteChars(text))),
  swapcase: fn(["string"], ([text]) => swapCase(text)),
  shuffle: fn(["string"], ([text], host) => shuffle(text, host.randomBytes)),
  snakecase: fn(["string"], ([text]) => delimitedCase(text, "_")),
  camelcase: fn(["string"], ([text]) => camelCase(text)),
  kebabcase: fn(["string"], ([text]) => delimitedCase(text, "-")),
  wrap: fn(["int", "string"], ([width, text], host) => wordWrap(text, width, "\n", false, host.meter)),
  wrapWith: fn(["int", "string", "string"], ([width, separator, text], host) => {
    return wordWrap(text, width, separator === "" ? "\n" : separator, true, host.meter);
  }),
  contains: fn(["string", "string"], ([part, text]) => text.includes(part)),
  hasPrefix: fn(["string", "string"], ([start, text]) => text.startsWith(start)),
  hasSuffix: fn(["string", "string"], ([end, text]) => text.endsWith(end)),
  quote: variadic([], "any", (_, values) => quoteAll(values, (value) => quote(textValue(value)))),
  squote: variadic([], "any", (_, values) => quoteAll(values, (value) => `'${sprint(value)}'`)),
  cat: variadic([], "any", (_, values) => {
    return values
      .filter((value) => value !== undefined && value !== null)
      .map(sprint)
      .join(" ");
  }),
  indent: fn(["int", "string"], ([spaces, text], host) => indent(spaces, text, host.meter)),
  nindent: fn(["int", "string"], ([spaces, text], host) => `\n${indent(spaces, text, host.meter)}`),
  replace: fn(["string", "string", "string"], ([from, to, text], host) => replace(from, to, text, host.meter)),
  plural: fn(["string", "string", "int"], ([one, many, count]) => (count === 1 ? one : many)),
  toString: fn(["any"], ([value]) => textValue(value)),
  toStrings: fn(["any"], ([value]) => stringList(textList(value))),
  join: fn(["string", "any"], ([separator, value], host) => {
    const parts = textList(value);
    host.meter.room(parts.length * separator.length);
    return parts.join(separator);
  }),
  split: fn(["string", "string"], ([separator, text]) => numbered(splitN(text, separator, -1))),
  splitn: fn(["string", "int", "string"], ([separator, count, text]) => numbered(splitN(text, separator, count))),
  splitList: fn(["string", "string"], ([separator, text]) => stringList(splitN(text, separator, -1))),
};

/** Go maps runes one to one: "ß" stays, no special casing. */
export function upperRune(char: string): string {
  const upper = char.toUpperCase();
  return Array.from(upper).length === 1 ? upper : char;
}

/** The single-rune lower case of a character. */
export function lowerRune(char: string): string {
  const lower = char.toLowerCase();
  return Array.from(lower).length === 1 ? lower : (lower[0] ?? char);
}

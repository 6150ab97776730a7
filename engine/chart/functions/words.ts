/** Sprig's functions that look at words and letter case: title, camelcase, snakecase, wrap and their kin. */
import { bytesOf, textOf } from "../go/bytes.ts";
import type { Meter } from "../template/meter.ts";
import { lowerRune, upperRune } from "./strings.ts";

const isUpper = (char: string): boolean => /^\p{Lu}$/u.test(char);
const isLower = (char: string): boolean => /^\p{Ll}$/u.test(char);
const isLetter = (char: string): boolean => /^\p{L}$/u.test(char);
const isSpace = (char: string): boolean =>
  /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/.test(char);

/** `strings.Title`: the first letter of each run of letters, digits, underscores and quotes. */
export function titleCase(text: string): string {
  let previous = " ";
  return Array.from(text, (char) => {
    const startsWord = isSeparator(previous);
    previous = char;
    return startsWord ? titleRune(char) : char;
  }).join("");
}

/** Digraphs that have a title case of their own. */
const titleLetters: Readonly<Record<string, string>> = {
  "\u01c4": "\u01c5",
  "\u01c6": "\u01c5",
  "\u01c7": "\u01c8",
  "\u01c9": "\u01c8",
  "\u01ca": "\u01cb",
  "\u01cc": "\u01cb",
  "\u01f1": "\u01f2",
  "\u01f3": "\u01f2",
};

function titleRune(char: string): string {
  return titleLetters[char] ?? (/^\p{Lt}$/u.test(char) ? char : upperRune(char));
}

function isSeparator(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  if (code <= 0x7f) return !/[0-9A-Za-z_]/.test(char);
  if (/^[\p{L}\p{Nd}]$/u.test(char)) return false;
  return isSpace(char);
}

/** Lower-cases the first letter of each word. */
export function untitle(text: string): string {
  let atWord = true;
  return Array.from(text, (char) => {
    if (isSpace(char)) {
      atWord = true;
      return char;
    }
    const out = atWord ? lowerRune(char) : char;
    atWord = false;
    return out;
  }).join("");
}

/** Swaps case; a lower-case letter that begins a word becomes a title letter. */
export function swapCase(text: string): string {
  return Array.from(text, (char) => {
    if (isUpper(char) || /^\p{Lt}$/u.test(char)) return lowerRune(char);
    return isLower(char) ? upperRune(char) : char;
  }).join("");
}

/** The first byte of each word, given the bytes as characters. */
export function initials(chars: readonly string[]): string {
  let afterGap = true;
  let out = "";
  for (const char of chars) {
    if (isSpace(char)) afterGap = true;
    else if (afterGap) {
      out += char;
      afterGap = false;
    }
  }
  return out;
}

function isConnector(char: string): boolean {
  return char === "-" || char === "_" || isSpace(char);
}

/** `xstrings.ToPascalCase`: sprig's camelcase. */
export function camelCase(text: string): string {
  const runes = Array.from(text);
  let out = "";
  let at = 0;
  while (at < runes.length && isConnector(runes[at] ?? "")) out += runes[at++];
  if (at >= runes.length) return out;
  let current = runes[at++] ?? "";
  let inUpperRun = isUpper(current);
  current = upperRune(current);
  for (; at < runes.length; at++) {
    const previous = current;
    current = runes[at] ?? "";
    if (isConnector(previous) && !isConnector(current)) {
      inUpperRun = isUpper(current);
      current = upperRune(current);
      continue;
    }
    out += previous;
    if (isConnector(previous)) continue;
    inUpperRun &&= isUpper(current);
    if (inUpperRun) current = lowerRune(current);
  }
  return out + current;
}

type WordKind = "invalid" | "number" | "upper" | "alphabet" | "connector" | "punct" | "other";

interface Word {
  readonly kind: WordKind;
  readonly text: string;
  readonly rest: readonly string[];
}

const isAlphabet = (char: string): boolean => isLetter(char) && (isUpper(char) || isLower(char));
const isPunct = (char: string): boolean => /^\p{P}$/u.test(char);
const isNumber = (char: string): boolean => /^\p{N}$/u.test(char);

function takeWhile(runes: readonly string[], from: number, test: (char: string) => boolean): number {
  let end = from;
  while (end < runes.length && test(runes[end] ?? "")) end++;
  return end;
}

function nextWord(runes: readonly string[]): Word {
  const first = runes[0];
  if (first === undefined) return { kind: "invalid", text: "", rest: [] };
  const word = (kind: WordKind, end: number): Word => {
    return { kind, text: runes.slice(0, end).join(""), rest: runes.slice(end) };
  };
  if (isConnector(first)) return word("connector", takeWhile(runes, 1, isConnector));
  if (isPunct(first)) return word("punct", takeWhile(runes, 1, isPunct));
  if (isUpper(first)) {
    if (isUpper(runes[1] ?? "")) {
      const end = takeWhile(runes, 2, isUpper);
      return word("upper", end < runes.length && isAlphabet(runes[end] ?? "") ? end - 1 : end);
    }
    return word(
      "upper",
      takeWhile(runes, 1, (char) => isAlphabet(char) && !isUpper(char)),
    );
  }
  if (isAlphabet(first))
    return word(
      "alphabet",
      takeWhile(runes, 1, (char) => isAlphabet(char) && !isUpper(char)),
    );
  if (isNumber(first)) return word("number", takeWhile(runes, 1, isNumber));
  const isOther = (char: string): boolean =>
    !(isConnector(char) || isAlphabet(char) || isNumber(char) || isPunct(char));
  return word("other", takeWhile(runes, 1, isOther));
}

/** What needs no connector before it. */
const ends = new Set<WordKind>(["connector", "punct", "invalid"]);

/** `xstrings.ToSnakeCase` and `ToKebabCase`: words in lower case, joined by the connector. */
export function delimitedCase(text: string, connector: string): string {
  if (text === "") return "";
  const out = new DelimitedText(connector);
  let word = nextWord(Array.from(text));
  while (word.rest.length > 0) {
    if (word.kind !== "connector") out.lower(word);
    word = out.after(word, nextWord(word.rest));
  }
  out.lower(word);
  return out.text;
}

/** Words being joined; the methods that take words answer the first they left. */
class DelimitedText {
  readonly #connector: string;
  text = "";

  constructor(connector: string) {
    this.#connector = connector;
  }

  lower(word: Word): void {
    const length = Array.from(word.text).length;
    this.text += word.kind === "connector" ? this.#connector.repeat(length) : Array.from(word.text, lowerRune).join("");
  }

  /** What a word that was written asks of the next. */
  after(previous: Word, next: Word): Word {
    switch (previous.kind) {
      case "number":
        return this.#joinTail(next);
      case "connector":
        this.lower(previous);
        return next;
      case "punct":
        return next;
      default:
        return this.#afterLetters(next);
    }
  }

  #afterLetters(next: Word): Word {
    if (next.kind !== "number") return this.#joinTo(next);
    if (next.rest.length === 0) return next;
    const following = nextWord(next.rest);
    if (following.kind !== "alphabet") {
      this.lower(next);
      return this.#joinTo(following);
    }
    this.text += this.#connector;
    this.lower(next);
    return this.#joinTail(following);
  }

  /** Takes words while they are letters or digits that belong to the number before them. */
  #joinTail(start: Word): Word {
    let word = start;
    while (word.kind === "alphabet" || word.kind === "number") {
      this.lower(word);
      word = nextWord(word.rest);
    }
    return this.#joinTo(word);
  }

  #joinTo(word: Word): Word {
    if (!ends.has(word.kind)) this.text += this.#connector;
    return word;
  }
}

/** Wraps one line at spaces, counting bytes; long words are cut when `cutWords`. */
export function wordWrap(text: string, columns: number, newLine: string, cutWords: boolean, meter: Meter): string {
  const bytes = bytesOf(text);
  const width = Math.max(columns, 1);
  const slice = (from: number, to: number): string => textOf(bytes.subarray(from, to));
  const out: string[] = [];
  let at = 0;
  while (bytes.length - at > width) {
    meter.spend(1);
    if (bytes[at] === 0x20) {
      at++;
      continue;
    }
    const space = bytes.subarray(at, at + width + 1).lastIndexOf(0x20);
    if (space >= 0) {
      out.push(slice(at, at + space), newLine);
      at += space + 1;
    } else if (cutWords) {
      out.push(slice(at, at + width), newLine);
      at += width;
    } else {
      const next = bytes.indexOf(0x20, at + width);
      if (next < 0) {
        out.push(slice(at, bytes.length));
        at = bytes.length;
      } else {
        out.push(slice(at, next), newLine);
        at = next + 1;
      }
    }
    meter.room(out.length * newLine.length);
  }
  return out.join("") + slice(at, bytes.length);
}

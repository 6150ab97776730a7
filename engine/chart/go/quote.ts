/** Go's quoted strings: writing them (`%q`) and reading the literals of templates. */
import { bytesOf, textOf } from "./bytes.ts";

const shortEscapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export function isPrint(char: string): boolean {
  return char === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char);
}

const plainText = /^[ !#-[\]-~]*$/;

/** `strconv.Quote`, or `QuoteToASCII` when `asciiOnly`. */
export function quote(text: string, asciiOnly = false): string {
  if (plainText.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) out += escapeChar(char, '"', asciiOnly);
  return `${out}"`;
}

/** `strconv.QuoteRune`. */
export function quoteRune(codePoint: number, asciiOnly = false): string {
  const valid = codePoint >= 0 && codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
  return `'${escapeChar(valid ? String.fromCodePoint(codePoint) : "\uFFFD", "'", asciiOnly)}'`;
}

function escapeChar(char: string, delimiter: string, asciiOnly: boolean): string {
  if (char === delimiter || char === "\\") return `\\${char}`;
  const code = char.codePointAt(0) ?? 0;
  if (!char.isWellFormed()) return `\\x${(code & 0xff).toString(16).padStart(2, "0")}`;
  if (code < 0x7f && code >= 0x20) return char;
  if (!asciiOnly && code > 0x7f && isPrint(char)) return char;
  const short = shortEscapes[char];
  if (short !== undefined) return short;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

const simpleEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 92,
  "'": 39,
  '"': 34,
};

/**
 * `strconv.Unquote` of a "…" or `…` literal; undefined when an escape is malformed.
 * @param literal the token with its quotes
 */
export function unquote(literal: string): string | undefined {
  const quoteChar = literal[0];
  const body = literal.slice(1, -1);
  if (quoteChar === "`") return body.replaceAll("\r", "");
  if (!body.includes("\\")) return body;
  const bytes: number[] = [];
  for (let i = 0; i < body.length; ) {
    if (body[i] !== "\\") {
      const char = String.fromCodePoint(body.codePointAt(i) ?? 0);
      bytes.push(...bytesOf(char));
      i += char.length;
      continue;
    }
    const read = readEscape(body, i + 1, quoteChar ?? '"');
    if (read === undefined) return undefined;
    bytes.push(...read.bytes);
    i = read.end;
  }
  return textOf(Uint8Array.from(bytes));
}

/** The number of a character literal such as 'a' or '\n'; undefined when it is malformed. */
export function unquoteRune(literal: string): number | undefined {
  const body = literal.slice(1, -1);
  if (body.startsWith("\\")) {
    const read = readEscape(body, 1, "'");
    return read !== undefined && read.end === body.length ? read.code : undefined;
  }
  const code = body.codePointAt(0);
  return code !== undefined && String.fromCodePoint(code) === body && body !== "'" ? code : undefined;
}

interface Escape {
  readonly code: number;
  readonly bytes: readonly number[];
  readonly end: number;
}

function readEscape(body: string, at: number, quoteChar: string): Escape | undefined {
  const kind = body[at] ?? "";
  const simple = simpleEscapes[kind];
  if (simple !== undefined) {
    const wrongQuote = (kind === "'" || kind === '"') && kind !== quoteChar;
    return wrongQuote ? undefined : { code: simple, bytes: [simple], end: at + 1 };
  }
  const width = { x: 2, u: 4, U: 8 }[kind];
  return width === undefined ? readOctal(body, at) : readHex(body, at, kind, width);
}

function readHex(body: string, at: number, kind: string, width: number): Escape | undefined {
  const end = at + 1 + width;
  const digits = body.slice(at + 1, end);
  if (digits.length !== width || !/^[\da-fA-F]+$/.test(digits)) return undefined;
  const code = Number.parseInt(digits, 16);
  if (kind === "x") return { code, bytes: [code], end };
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return { code, bytes: [...bytesOf(String.fromCodePoint(code))], end };
}

function readOctal(body: string, at: number): Escape | undefined {
  const octal = /^[0-7]{3}/.exec(body.slice(at));
  if (octal === null) return undefined;
  const code = Number.parseInt(octal[0], 8);
  return code > 255 ? undefined : { code, bytes: [code], end: at + 3 };
}

/**
 * YAML as Helm's `toYaml` writes it: sigs.k8s.io/yaml over go-yaml v2. Keys in natural order, sequences not indented, long
 * plain and quoted scalars folded after column 80, multi-line text as literals.
 */
import { textOf, validText } from "../go/bytes.ts";
import { formatFloat } from "../go/floats.ts";
import { JsonError, jsonNumber } from "../go/json.ts";
import { compareText, GoFunction, Int, isList, isNilCollection, mapEntries, Named, type Value } from "../go/value.ts";
import { compareKeys } from "./keyOrder.ts";
import { isPlainText } from "./resolve.ts";

interface Style {
  /** Columns a sequence is indented under its mapping key. */
  readonly sequenceIndent: number;
  /** Column after which long scalars are folded at a space; Infinity never folds. */
  readonly width: number;
  /** Whether values are written as Go holds them, instead of by way of JSON. */
  readonly isPretty: boolean;
}

const compact: Style = { sequenceIndent: 0, width: 80, isPretty: false };
const pretty: Style = { sequenceIndent: 2, width: Number.POSITIVE_INFINITY, isPretty: true };

/**
 * `toYaml`, with a final line feed.
 * @param room called with the length written so far; throws when it is too much
 * @throws JsonError for what JSON cannot hold
 */
export function writeYaml(value: Value, room: (length: number) => void): string {
  return new Writer(compact, room).document(value);
}

/** `toYamlPretty`: sequences indented, nothing folded. */
export function writeYamlPretty(value: Value, room: (length: number) => void): string {
  return new Writer(pretty, room).document(value);
}

const deepest = 500;

class Writer {
  readonly #style: Style;
  readonly #room: (length: number) => void;
  #out = "";
  #column = 0;

  constructor(style: Style, room: (length: number) => void) {
    this.#style = style;
    this.#room = room;
  }

  document(value: Value): string {
    this.#node(value, -1, "root");
    return this.#out.endsWith("\n") ? this.#out : `${this.#out}\n`;
  }

  #write(text: string): void {
    this.#out += text;
    const newline = text.lastIndexOf("\n");
    this.#column =
      newline < 0 ? this.#column + runeCount(text) : runeCount(text) - runeCount(text.slice(0, newline + 1));
  }

  #newLine(indent: number): void {
    this.#write(`\n${" ".repeat(Math.max(indent, 0))}`);
    this.#room(this.#out.length);
  }

  /** @param indent column of the collection the node stands in; -1 at the root */
  #node(value: Value, indent: number, place: "root" | "key" | "item"): void {
    if (indent > deepest * 2) throw new JsonError("json: the value is nested too deeply");
    const items = isList(value)
      ? value
      : value instanceof Named && isList(value.underlying)
        ? value.underlying
        : undefined;
    const map = items === undefined ? (mapEntries(value) ?? structFields(value)) : undefined;
    if (isNilCollection(value) && !this.#style.isPretty) this.#plain("null", place);
    else if (items?.length === 0) this.#plain("[]", place);
    else if (items !== undefined) this.#sequence(items, indent, place);
    else if (map?.size === 0) this.#plain("{}", place);
    else if (map !== undefined) this.#mapping(map, indent, place);
    else this.#scalar(value, indent, place);
  }

  #plain(text: string, place: "root" | "key" | "item"): void {
    this.#write(place === "root" ? text : ` ${text}`);
  }

  #mapping(map: ReadonlyMap<string, Value>, outer: number, place: "root" | "key" | "item"): void {
    const indent = place === "root" ? 0 : outer + 2;
    const entries = [...map].map(([key, value]) => [validText(key), value] as const);
    entries.sort(([a], [b]) => compareKeys(a, b) || compareText(a, b));
    entries.forEach(([key, value], i) => {
      if (i === 0 && place === "item") this.#write(" ");
      else if (i > 0 || place === "key") this.#newLine(indent);
      this.#key(key, indent);
      this.#node(value, indent, "key");
    });
  }

  #key(key: string, indent: number): void {
    // A key that is long or has line breaks is no simple key.
    const isSimple = !key.includes("\n") && Buffer.byteLength(key) <= 128;
    if (isSimple) {
      this.#text(key, indent, true);
      this.#write(":");
      return;
    }
    this.#write("? ");
    this.#text(key, indent, false);
    this.#newLine(indent);
    this.#write(":");
  }

  #sequence(items: readonly Value[], outer: number, place: "root" | "key" | "item"): void {
    const under = Math.max(outer, 0);
    const indent = place === "root" ? 0 : place === "item" ? outer + 2 : under + this.#style.sequenceIndent;
    items.forEach((item, i) => {
      if (i === 0 && place === "item") this.#write(" ");
      else if (i > 0 || place === "key") this.#newLine(indent);
      this.#write("-");
      this.#node(item, indent, "item");
    });
  }

  #scalar(value: Value, indent: number, place: "root" | "key" | "item"): void {
    if (typeof value === "string") {
      if (place !== "root") this.#write(" ");
      this.#text(this.#style.isPretty ? validText(value) : throughJson(value), indent, false);
      return;
    }
    if (value instanceof Uint8Array) {
      const text = this.#style.isPretty ? textOf(value) : Buffer.from(value).toString("base64");
      this.#scalar(text, indent, place);
    } else if (value instanceof Named && value.text !== undefined) this.#scalar(value.text(), indent, place);
    else if (value instanceof GoFunction) throw new JsonError("json: unsupported type: func()");
    else this.#plain(this.#atom(value), place);
  }

  #atom(value: Value): string {
    if (value === undefined || value === null) return "null";
    if (typeof value === "number") return this.#style.isPretty ? prettyFloat(value) : numberByJson(value);
    return value instanceof Int ? value.value.toString() : String(value);
  }

  #text(text: string, indent: number, isKey: boolean): void {
    const analysis = analyse(text);
    const isPlain = !text.includes("\n") && isPlainText(text) && !(this.#style.isPretty && isOldBool(text));
    if (text.includes("\n") && !isKey && analysis.blockAllowed) this.#literal(text, indent);
    else if (isPlain && analysis.plainAllowed && !(text === "" && isKey)) this.#flow(text, indent, isKey, "");
    else if (isPlain && analysis.singleAllowed) this.#flow(text, indent, isKey, "'");
    else this.#double(text, indent, isKey);
  }

  /** A plain or single-quoted scalar, folded where it is too long. */
  #flow(text: string, indent: number, isKey: boolean, quote: string): void {
    this.#write(quote);
    const body = quote === "" ? text : text.replaceAll("'", "''");
    if (isKey || this.#column + body.length <= this.#style.width || !body.includes(" ")) this.#write(body);
    else this.#fold(body, indent, quote !== "");
    this.#write(quote);
  }

  #fold(body: string, indent: number, keepsEnds: boolean): void {
    let afterSpace = false;
    for (let i = 0; i < body.length; ) {
      if (body[i] === " ") {
        const mayEnd = !keepsEnds || (i > 0 && i < body.length - 1);
        const folds = !afterSpace && mayEnd && this.#column > this.#style.width && body[i + 1] !== " ";
        if (folds) this.#newLine(Math.max(indent, 0) + 2);
        else this.#write(" ");
        afterSpace = true;
        i++;
        continue;
      }
      const end = body.indexOf(" ", i);
      const word = body.slice(i, end < 0 ? undefined : end);
      this.#write(word);
      afterSpace = false;
      i += word.length;
    }
  }

  #double(text: string, indent: number, isKey: boolean): void {
    this.#write('"');
    let afterSpace = false;
    const chars = Array.from(text);
    chars.forEach((char, i) => {
      const folds =
        char === " " && !isKey && !afterSpace && this.#column > this.#style.width && i > 0 && i < chars.length - 1;
      if (folds) {
        this.#newLine(Math.max(indent, 0) + 2);
        if (chars[i + 1] === " ") this.#write("\\");
      } else {
        this.#write(escaped(char));
      }
      afterSpace = char === " ";
    });
    this.#write('"');
  }

  #literal(text: string, indent: number): void {
    this.#write("|");
    if (/^[ \n\r\u0085\u2028\u2029]/.test(text)) this.#write("2");
    const ending = /[\n\r\u0085\u2028\u2029]*$/.exec(text)?.[0].length ?? 0;
    if (ending === 0) this.#write("-");
    else if (ending > 1 || ending === text.length) this.#write("+");
    const pad = " ".repeat(Math.max(indent, 0) + 2);
    const lines = text.split("\n");
    const last = lines.at(-1) === "" ? lines.length - 1 : lines.length;
    this.#write(
      `\n${lines
        .slice(0, last)
        .map((line) => (line === "" ? "" : pad + line))
        .join("\n")}`,
    );
    this.#room(this.#out.length);
  }
}

function structFields(value: Value): ReadonlyMap<string, Value> | undefined {
  return value instanceof Named && value.text === undefined ? value.fields : undefined;
}

/** Characters go-yaml refuses to read, which it must when text comes to it by way of JSON. */
const refused = /[\x7f-\x84\x86-\x9f\ufffe\uffff]/;

/** What is left of a text after JSON and back; a next-line character is folded as a line break. */
function throughJson(text: string): string {
  const valid = validText(text);
  if (refused.test(valid)) throw new JsonError("yaml: control characters are not allowed");
  if (!valid.includes("\u0085")) return valid;
  return valid.replace(/[ \t]*\u0085+[ \t]*/g, (breaks) => "\n".repeat(breaks.trim().length - 1) || " ");
}

const longBreaks = /[\ud800-\udbff]/g;

function runeCount(text: string): number {
  return text.length - (text.match(longBreaks)?.length ?? 0);
}

/** A float64 after its trip through JSON text: whole numbers become integers again. */
function numberByJson(value: number): string {
  const text = jsonNumber(value);
  const isInteger = /^-?\d+$/.test(text) && value < 2 ** 64 && value >= -(2 ** 63);
  return isInteger ? (text === "-0" ? "0" : text) : formatFloat(value, "g", -1);
}

function prettyFloat(value: number): string {
  const text = formatFloat(value, "g", -1);
  if (text === "+Inf") return ".inf";
  if (text === "-Inf") return "-.inf";
  return text === "NaN" ? ".nan" : text;
}

function isOldBool(text: string): boolean {
  return /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/.test(text);
}

interface Analysis {
  readonly plainAllowed: boolean;
  readonly singleAllowed: boolean;
  readonly blockAllowed: boolean;
}

const unprintable = /[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
const lineBreak = /[\n\r\u0085\u2028\u2029]/;

/** Which styles can hold a text: libyaml's analysis of a scalar, in block context. */
function analyse(text: string): Analysis {
  if (text === "") return { plainAllowed: true, singleAllowed: true, blockAllowed: false };
  const isSpecial = unprintable.test(text) || /[\u0085\ufeff]/.test(text);
  const spaceBreak = / [\n\r\u0085\u2028\u2029]/.test(text);
  const breakSpace = /[\n\r\u0085\u2028\u2029] /.test(text);
  const bad = isSpecial || spaceBreak;
  const edges = /^[ \n\r\u0085\u2028\u2029]|[ \n\r\u0085\u2028\u2029]$/.test(text);
  const indicators =
    /^(?:---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[?:-](?:[ \t\n\r\u0085\u2028\u2029]|$))/.test(text) ||
    /:(?:[ \t\n\r\u0085\u2028\u2029]|$)/.test(text.slice(1)) ||
    /[ \t\n\r\u0085\u2028\u2029\0]#/.test(text);
  return {
    plainAllowed: !(bad || edges || breakSpace || indicators || lineBreak.test(text)),
    singleAllowed: !(bad || breakSpace),
    blockAllowed: !bad && !text.endsWith(" "),
  };
}

const escapes: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

function escaped(char: string): string {
  const known = escapes[char];
  if (known !== undefined) return known;
  if (!unprintable.test(char) && char !== "\ufeff") return char;
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

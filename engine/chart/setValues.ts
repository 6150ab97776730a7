/**
 * `--set a.b[0]=x,c={1,2}`: values written on a command line.
 * @see https://helm.sh/docs/intro/using_helm/#the-format-and-limitations-of---set
 */

import { parseInt64 } from "./go/floats.ts";
import { fromJson, JsonError } from "./go/json.ts";
import { quoteRune } from "./go/quote.ts";
import { goInt64, isList, type Value, type ValueMap } from "./go/value.ts";
import { ValuesError } from "./values.ts";

/** How the text after `=` is read: by its look, as text, or as JSON. */
export type SetStyle = "typed" | "text" | "json";

/** A text that is no list of assignments; the message is Helm's. */
export class SetError extends ValuesError {}

const mostIndex = 65536;
const deepestName = 30;

/**
 * Applies assignments to values, in place.
 * @throws SetError
 */
export function applySet(values: ValueMap, text: string, style: SetStyle): void {
  const parser = new SetParser(text, style);
  try {
    while (!parser.atEnd) parser.assignment(values, 0);
  } catch (error) {
    if (!(error instanceof EndOfText)) throw error;
  }
}

/** The text ended inside brackets: Helm takes what it has, and so do we. */
class EndOfText extends Error {}

class SetParser {
  readonly #chars: readonly string[];
  readonly #style: SetStyle;
  #at = 0;

  constructor(text: string, style: SetStyle) {
    this.#chars = Array.from(text);
    this.#style = style;
  }

  get atEnd(): boolean {
    return this.#at >= this.#chars.length;
  }

  /** Reads up to one of the stop characters; a backslash takes the next one literally. */
  #until(stops: string): { readonly text: string; readonly stop: string | undefined } {
    let text = "";
    while (!this.atEnd) {
      const char = this.#chars[this.#at++] ?? "";
      if (stops.includes(char)) return { text, stop: char };
      if (char !== "\\") text += char;
      else if (this.atEnd) return { text, stop: undefined };
      else text += this.#chars[this.#at++] ?? "";
    }
    return { text, stop: undefined };
  }

  assignment(values: ValueMap, level: number): void {
    const { text: key, stop } = this.#until("=[,.");
    switch (stop) {
      case undefined:
        if (key !== "") throw new SetError(`key ${JSON.stringify(key)} has no value`);
        return;
      case "[":
        this.#indexed(values, key, level);
        return;
      case "=":
        put(values, key, this.#value());
        return;
      case ",":
        throw new SetError(`key ${JSON.stringify(key)} has no value (cannot end with ,)`);
      default:
        this.#nested(values, key, level + 1);
    }
  }

  #indexed(values: ValueMap, key: string, level: number): void {
    const index = this.#index();
    const known = values.get(key);
    if (known !== undefined && !isList(known)) {
      throw new SetError(
        `unable to parse key: interface conversion: interface {} is ${describe(known)}, not []interface {}`,
      );
    }
    put(values, key, this.#listItem(known === undefined ? [] : known, index, level));
  }

  #nested(values: ValueMap, key: string, level: number): void {
    if (level > deepestName) {
      throw new SetError(`value name nested level is greater than maximum supported nested level of ${deepestName}`);
    }
    const known = values.get(key);
    if (known !== undefined && !(known instanceof Map)) {
      throw new SetError(
        `unable to parse key: interface conversion: interface {} is ${describe(known)}, not map[string]interface {}`,
      );
    }
    const inner: ValueMap = known ?? new Map();
    const wasEnd = this.atEnd;
    this.assignment(inner, level);
    if (!wasEnd && inner.size === 0) throw new SetError(`key map ${JSON.stringify(key)} has no value`);
    if (inner.size > 0) put(values, key, inner);
  }

  #index(): number {
    const { text, stop } = this.#until("]");
    if (stop === undefined) throw new EndOfText();
    if (!/^[+-]?\d+$/.test(text)) {
      throw new SetError(`error parsing index: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
    return Number(text);
  }

  #listItem(list: readonly Value[], index: number, level: number): readonly Value[] {
    if (index < 0) throw new SetError(`negative ${index} index not allowed`);
    const { text, stop } = this.#until("[.=");
    if (text !== "") {
      const runes = Array.from(text, (char) => quoteRune(char.codePointAt(0) ?? 0));
      throw new SetError(`unexpected data at end of array index: [${runes.join(" ")}]`);
    }
    const known = list[index];
    switch (stop) {
      case "=":
        return withItem(list, index, this.#value());
      case "[":
        return withItem(list, index, this.#listItem(isList(known) ? known : [], this.#index(), level));
      case ".": {
        const inner: ValueMap = known instanceof Map ? known : new Map();
        this.assignment(inner, level);
        return withItem(list, index, inner);
      }
      default:
        throw new EndOfText();
    }
  }

  #value(): Value {
    if (this.#style === "json") return this.#json();
    if (this.atEnd) return "";
    if (this.#chars[this.#at] === "{") return this.#list();
    return this.#typed(this.#until(",").text);
  }

  #list(): Value {
    const items: Value[] = [];
    this.#at++;
    for (;;) {
      const { text, stop } = this.#until(",}");
      if (stop === undefined) throw new SetError("list must terminate with '}'");
      items.push(this.#typed(text));
      if (stop === "}") break;
    }
    if (this.#chars[this.#at] === ",") this.#at++;
    return items;
  }

  #typed(text: string): Value {
    if (this.#style === "text") return text;
    const lower = text.toLowerCase();
    if (lower === "true" || lower === "false") return lower === "true";
    if (lower === "null") return null;
    if (text === "0") return goInt64(0);
    const integer = text.startsWith("0") || !/^[+-]?\d+$/.test(text) ? undefined : parseInt64(text, 10);
    return integer === undefined ? text : goInt64(integer);
  }

  /** The longest prefix that is one JSON value, then a comma or the end. */
  #json(): Value {
    while (/\s/.test(this.#chars[this.#at] ?? "")) this.#at++;
    if (this.atEnd || this.#chars[this.#at] === ",") {
      this.#at++;
      return null;
    }
    for (const end of this.#jsonEnds()) {
      const value = parsedJson(this.#chars.slice(this.#at, end).join(""));
      if (value === undefined) continue;
      this.#at = end + 1;
      return value.value;
    }
    throw new SetError(`invalid JSON value ${JSON.stringify(this.#chars.slice(this.#at).join(""))}`);
  }

  *#jsonEnds(): Generator<number> {
    for (let i = this.#at; i < this.#chars.length; i++) if (this.#chars[i] === ",") yield i;
    yield this.#chars.length;
  }
}

function parsedJson(text: string): { readonly value: Value } | undefined {
  try {
    return { value: fromJson(text) };
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/** An empty key is dropped, as Helm drops it. */
function put(values: ValueMap, key: string, value: Value): void {
  if (key !== "") values.set(key, value);
}

function withItem(list: readonly Value[], index: number, value: Value): readonly Value[] {
  if (index > mostIndex) {
    throw new SetError(`index of ${index} is greater than maximum supported index of ${mostIndex}`);
  }
  const length = Math.max(list.length, index + 1);
  return Array.from({ length }, (_, i) => (i === index ? value : (list[i] ?? null)));
}

function describe(value: Value): string {
  if (value === null) return "nil";
  if (value instanceof Map) return "map[string]interface {}";
  if (isList(value)) return "[]interface {}";
  if (typeof value === "string") return "string";
  return typeof value === "boolean" ? "bool" : typeof value === "number" ? "float64" : "int64";
}

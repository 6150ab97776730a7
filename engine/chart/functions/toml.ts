/** TOML as BurntSushi/toml writes it, and a reader of TOML 1.0. */
import { validText } from "../go/bytes.ts";
import { formatFloat } from "../go/floats.ts";
import {
  GoFunction,
  goInt64,
  goType,
  Int,
  isList,
  mapEntries,
  Named,
  sortedKeys,
  type Value,
  type ValueMap,
} from "../go/value.ts";

/** A value TOML cannot hold, or a text that is no TOML. */
export class TomlError extends Error {}

/** `toToml`. @throws TomlError */
export function writeToml(value: Value): string {
  const map = mapEntries(value);
  if (map === undefined) return value === undefined || value === null ? "" : inline(value);
  const out: string[] = [];
  writeTable(map, [], out);
  return out.join("");
}

function writeTable(map: ValueMap, path: readonly string[], out: string[]): void {
  const indent = "  ".repeat(Math.max(path.length, 0));
  const keys = sortedKeys(map);
  const isTable = (value: Value): boolean => mapEntries(value) !== undefined || isTableArray(value);
  for (const key of keys) {
    const value = map.get(key);
    if (value === undefined || value === null || isTable(value)) continue;
    out.push(`${indent}${keyText(key)} = ${inline(value)}\n`);
  }
  for (const key of keys) {
    const value = map.get(key);
    const inner = [...path, key];
    const table = mapEntries(value);
    if (table !== undefined) header(`[${inner.map(keyText).join(".")}]`, table, inner, out);
    else if (isTableArray(value)) {
      for (const item of value) {
        header(`[[${inner.map(keyText).join(".")}]]`, mapEntries(item) ?? new Map(), inner, out);
      }
    }
  }
}

function header(text: string, table: ValueMap, path: readonly string[], out: string[]): void {
  if (path.length > 100) throw new TomlError("toml: the value is nested too deeply");
  if (path.length === 1 && out.length > 0) out.push("\n");
  out.push(`${"  ".repeat(path.length - 1)}${text}\n`);
  writeTable(table, path, out);
}

function isTableArray(value: Value): value is readonly Value[] {
  return isList(value) && value.length > 0 && value.every((item) => mapEntries(item) !== undefined);
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quoted(key);
}

function inline(value: Value): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean") return String(value);
  if (value instanceof Int) return value.value.toString();
  if (typeof value === "number") return floatText(value);
  if (isList(value)) {
    if (value.some((item) => item === undefined || item === null))
      throw new TomlError("toml: cannot encode array with nil element");
    return `[${value.map(inline).join(", ")}]`;
  }
  const map = mapEntries(value);
  if (map !== undefined) {
    return `{${sortedKeys(map)
      .filter((key) => map.get(key) !== null)
      .map((key) => `${keyText(key)} = ${inline(map.get(key))}`)
      .join(", ")}}`;
  }
  if (value instanceof Named && value.text !== undefined) return quoted(value.text());
  if (value instanceof Uint8Array) return `[${Array.from(value).join(", ")}]`;
  throw new TomlError(`toml: unsupported type: ${value instanceof GoFunction ? "func()" : goType(value)}`);
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const text = formatFloat(value, "g", -1);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const escapes: Readonly<Record<string, string>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
};

function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what needs escapes
  const body = validText(text).replace(/[\x00-\x1f"\\\x7f]/g, (char) => {
    return escapes[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `"${body}"`;
}

/** `fromToml`. @throws TomlError */
export function readToml(text: string): ValueMap {
  return new TomlReader(text).run();
}

class TomlReader {
  readonly #text: string;
  #at = 0;
  readonly #root: ValueMap = new Map();
  #table: ValueMap = this.#root;

  constructor(text: string) {
    this.#text = text.replaceAll("\r\n", "\n");
  }

  run(): ValueMap {
    for (;;) {
      this.#skipLines();
      if (this.#at >= this.#text.length) return this.#root;
      if (this.#peek() === "[") this.#header();
      else this.#keyValue(this.#table);
      this.#skipBlanks();
      if (this.#peek() !== "\n" && this.#peek() !== "")
        this.#fail(
          `expected a top-level item to end with a newline, comment, or EOF, but got ${JSON.stringify(this.#peek())} instead`,
        );
    }
  }

  #fail(reason: string): never {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    throw new TomlError(`toml: line ${line}: ${reason}`);
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #skipBlanks(): void {
    while (this.#peek() === " " || this.#peek() === "\t") this.#at++;
    if (this.#peek() !== "#") return;
    while (this.#peek() !== "\n" && this.#peek() !== "") this.#at++;
  }

  #skipLines(): void {
    for (;;) {
      this.#skipBlanks();
      if (this.#peek() !== "\n") return;
      this.#at++;
    }
  }

  #expect(char: string): void {
    if (!this.#text.startsWith(char, this.#at))
      this.#fail(`expected ${JSON.stringify(char)} but got ${JSON.stringify(this.#peek())}`);
    this.#at += char.length;
  }

  #header(): void {
    const isArray = this.#text.startsWith("[[", this.#at);
    this.#expect(isArray ? "[[" : "[");
    const path = this.#dottedKey();
    this.#expect(isArray ? "]]" : "]");
    const last = path.at(-1) ?? "";
    const parent = this.#descend(this.#root, path.slice(0, -1));
    if (!isArray) {
      this.#table = this.#descend(parent, [last]);
      return;
    }
    const known = parent.get(last) ?? [];
    if (!isList(known)) this.#fail(`Key '${path.join(".")}' has already been defined.`);
    this.#table = new Map();
    parent.set(last, [...known, this.#table]);
  }

  #descend(from: ValueMap, path: readonly string[]): ValueMap {
    let table = from;
    for (const key of path) {
      const next = table.get(key);
      const inner = isList(next) ? next.at(-1) : next;
      if (inner === undefined) {
        const made: ValueMap = new Map();
        table.set(key, made);
        table = made;
      } else if (inner instanceof Map) table = inner;
      else this.#fail(`Key '${key}' has already been defined.`);
    }
    return table;
  }

  #dottedKey(): string[] {
    const path: string[] = [];
    for (;;) {
      this.#skipBlanks();
      path.push(this.#simpleKey());
      this.#skipBlanks();
      if (this.#peek() !== ".") return path;
      this.#at++;
    }
  }

  #simpleKey(): string {
    if (this.#peek() === '"' || this.#peek() === "'") return this.#string();
    const bare = /^[A-Za-z0-9_-]+/.exec(this.#text.slice(this.#at, this.#at + 1000))?.[0];
    if (bare === undefined) this.#fail(`expected key but got ${JSON.stringify(this.#peek())} instead`);
    this.#at += bare.length;
    return bare;
  }

  #keyValue(table: ValueMap): void {
    const path = this.#dottedKey();
    this.#expect("=");
    const target = this.#descend(table, path.slice(0, -1));
    const last = path.at(-1) ?? "";
    if (target.has(last)) this.#fail(`Key '${path.join(".")}' has already been defined.`);
    target.set(last, this.#value(0));
  }

  #value(depth: number): Value {
    if (depth > 100) this.#fail("the value is nested too deeply");
    this.#skipBlanks();
    const char = this.#peek();
    if (char === '"' || char === "'") return this.#string();
    if (char === "[") return this.#array(depth);
    if (char === "{") return this.#inlineTable(depth);
    const token = /^[^\s,\]}#]+(?: \d\d:[^\s,\]}#]+)?/.exec(this.#text.slice(this.#at, this.#at + 200))?.[0];
    if (token === undefined) this.#fail(`expected value but found ${JSON.stringify(char)} instead`);
    this.#at += token.length;
    return this.#atom(token);
  }

  #atom(token: string): Value {
    if (token === "true" || token === "false") return token === "true";
    if (/^[+-]?(?:inf|nan)$/.test(token)) return Number(token.replace("inf", "Infinity").replace("nan", "NaN"));
    if (/^\d{4}-\d\d-\d\d|^\d\d:\d\d:/.test(token)) return token;
    const plain = token.replaceAll("_", "");
    if (/^[+-]?(?:0|[1-9]\d*)$/.test(plain)) return goInt64(BigInt(plain.replace(/^\+/, "")));
    if (/^0(?:x[\da-fA-F]+|o[0-7]+|b[01]+)$/.test(plain)) return goInt64(BigInt(plain));
    if (/^[+-]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(plain)) return Number(plain);
    return this.#fail(`expected value but found ${JSON.stringify(token)} instead`);
  }

  #array(depth: number): Value {
    const items: Value[] = [];
    this.#at++;
    for (;;) {
      this.#skipLines();
      if (this.#peek() === "]") break;
      items.push(this.#value(depth + 1));
      this.#skipLines();
      if (this.#peek() === ",") this.#at++;
      else if (this.#peek() !== "]") this.#fail("expected a comma (',') or array terminator (']')");
    }
    this.#at++;
    return items;
  }

  #inlineTable(depth: number): Value {
    const table: ValueMap = new Map();
    this.#at++;
    this.#skipBlanks();
    while (this.#peek() !== "}") {
      const path = this.#dottedKey();
      this.#expect("=");
      this.#descend(table, path.slice(0, -1)).set(path.at(-1) ?? "", this.#value(depth + 1));
      this.#skipBlanks();
      if (this.#peek() === ",") {
        this.#at++;
        this.#skipBlanks();
      } else if (this.#peek() !== "}") this.#fail("expected a comma or an inline table terminator '}'");
    }
    this.#at++;
    return table;
  }

  #string(): string {
    const quote = this.#peek();
    const triple = quote.repeat(3);
    const isLong = this.#text.startsWith(triple, this.#at);
    this.#at += isLong ? 3 : 1;
    if (isLong && this.#peek() === "\n") this.#at++;
    const ending = isLong ? triple : quote;
    let out = "";
    while (!this.#text.startsWith(ending, this.#at)) {
      const char = this.#peek();
      if (char === "" || (char === "\n" && !isLong)) this.#fail("strings cannot contain newlines");
      if (char === "\\" && quote === '"') out += this.#escape(isLong);
      else {
        out += char;
        this.#at++;
      }
    }
    this.#at += ending.length;
    // Up to two quotes may stand before the closing three.
    while (isLong && this.#peek() === quote) {
      out += quote;
      this.#at++;
    }
    return out;
  }

  #escape(isLong: boolean): string {
    const code = this.#text[this.#at + 1] ?? "";
    const rest = this.#text.slice(this.#at + 1);
    if (isLong && /^[ \t]*\n/.test(rest)) {
      this.#at += 1 + (/^\s*/.exec(rest)?.[0].length ?? 0);
      return "";
    }
    this.#at += 2;
    const simple = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", e: "\x1b", '"': '"', "\\": "\\" }[code];
    if (simple !== undefined) return simple;
    const width = code === "u" ? 4 : code === "U" ? 8 : code === "x" ? 2 : 0;
    const digits = this.#text.slice(this.#at, this.#at + width);
    if (width === 0 || !new RegExp(`^[\\da-fA-F]{${width}}$`).test(digits) || Number.parseInt(digits, 16) > 0x10ffff) {
      this.#fail(`invalid escape character ${JSON.stringify(code)}`);
    }
    this.#at += width;
    return String.fromCodePoint(Number.parseInt(digits, 16));
  }
}

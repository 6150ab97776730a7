/**
 * A quick reader for the YAML that values files and manifests mostly are: block maps and lists, scalars of one line, literal
 * blocks, comments. It never guesses: at anything else it gives up, and the text goes to the complete reader, which is
 * slower by a factor of ten but knows all of YAML and has the words for mistakes.
 * @see YAML 1.2.2, chapters 7 and 8
 */
import type { Value, ValueMap } from "../go/value.ts";
import { resolveScalar } from "./resolve.ts";

/** A text this reader leaves to the complete one. */
export class NotSimple extends Error {}

/** Tabs, other control characters, line breaks of other systems, and marks between documents. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what needs the complete reader
const unusual = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|^(?:---|\.\.\.|%)/m;

/** Deeper than real values; nothing is lost beyond it but speed. */
const deepest = 100;

/**
 * Reads one document.
 * @param readFlow reads a flow collection that begins and ends on one line
 * @throws NotSimple when the text needs the complete reader, be it for its features or for its mistakes
 */
export function readSimpleYaml(text: string, readFlow: (text: string) => Value): Value {
  if (unusual.test(text)) throw new NotSimple();
  return new SimpleReader(text, readFlow).run();
}

const key = /(?:([A-Za-z_/.$][\w/.$-]{0,200})|"([^"\\]{0,200})"|'([^']{0,200})'):(?= |$)/y;
const doubleQuoted = /"(?:[^"\\]|\\["\\/nrt])*"/y;
const singleQuoted = /'(?:[^']|'')*'/y;
/** May follow a quoted scalar. */
const lineEnd = / *(?: #.*)?$/y;
const blockHeader = /\|(-?) *$/y;
/** Begins a plain scalar whatever follows; a dash only before something else than a space. */
const plainStart = /[\w/.~+$(<=^;\\]|-(?=[\w/.-])/y;

class SimpleReader {
  readonly #lines: readonly string[];
  readonly #readFlow: (text: string) => Value;
  #index = -1;
  #line = "";
  /** Column in the current line; -1 behind the last line. */
  #at = 0;
  #depth = 0;

  constructor(text: string, readFlow: (text: string) => Value) {
    this.#lines = text.split("\n");
    this.#readFlow = readFlow;
  }

  run(): Value {
    this.#advance();
    if (this.#at < 0) return null;
    const value = this.#block();
    if (this.#at >= 0) throw new NotSimple();
    return value;
  }

  /** Goes to the next line that is neither empty nor a comment, and there to its first character. */
  #advance(): void {
    while (++this.#index < this.#lines.length) {
      const line = this.#lines[this.#index] ?? "";
      const indent = indentOf(line);
      if (indent === line.length || line.charCodeAt(indent) === 35) continue;
      this.#line = line;
      this.#at = indent;
      return;
    }
    this.#line = "";
    this.#at = -1;
  }

  /** What a pattern finds right here; it is then behind us. */
  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#line);
    if (found !== null) this.#at += found[0].length;
    return found;
  }

  #atDash(): boolean {
    const next = this.#line.charAt(this.#at + 1);
    return this.#line.charCodeAt(this.#at) === 45 && (next === " " || next === "");
  }

  #block(): Value {
    if (++this.#depth > deepest) throw new NotSimple();
    const value = this.#atDash() ? this.#list() : this.#map();
    this.#depth--;
    return value;
  }

  #map(): ValueMap {
    const column = this.#at;
    const out: ValueMap = new Map();
    while (this.#at === column && !this.#atDash()) {
      const found = this.#take(key);
      if (found === null) throw new NotSimple();
      const name = keyName(found);
      this.#skipSpaces();
      out.set(name, this.#isLineDone() ? this.#below(column, true) : this.#inline(column));
    }
    if (this.#at > column) throw new NotSimple();
    return out;
  }

  #list(): Value[] {
    const column = this.#at;
    const out: Value[] = [];
    while (this.#at === column && this.#atDash()) {
      this.#at++;
      this.#skipSpaces();
      out.push(this.#item(column));
    }
    if (this.#at > column) throw new NotSimple();
    return out;
  }

  #item(column: number): Value {
    if (this.#isLineDone()) return this.#below(column, false);
    key.lastIndex = this.#at;
    return this.#atDash() || key.test(this.#line) ? this.#block() : this.#inline(column);
  }

  #skipSpaces(): void {
    while (this.#line.charCodeAt(this.#at) === 32) this.#at++;
  }

  #isLineDone(): boolean {
    const isComment = this.#line.charCodeAt(this.#at) === 35 && this.#line.charCodeAt(this.#at - 1) === 32;
    return isComment || this.#at >= this.#line.length;
  }

  /** The value of a key or dash that has none on its line. A list may stand right below its key. */
  #below(column: number, isKey: boolean): Value {
    this.#advance();
    if (this.#at > column || (isKey && this.#at === column && this.#atDash())) return this.#block();
    return null;
  }

  /** A value on the line of its key or dash; nothing further in may follow. */
  #inline(column: number): Value {
    const char = this.#line.charAt(this.#at);
    if (char === "|") return this.#literal(column);
    const value = this.#ofOneLine(char);
    this.#advance();
    if (this.#at > column) throw new NotSimple();
    return value;
  }

  #ofOneLine(char: string): Value {
    switch (char) {
      case '"':
        return this.#quoted(doubleQuoted, (text) => String(JSON.parse(text)));
      case "'":
        return this.#quoted(singleQuoted, (text) => text.slice(1, -1).replaceAll("''", "'"));
      case "[":
      case "{":
        return this.#flow();
      default:
        return this.#plain();
    }
  }

  #quoted(pattern: RegExp, unquote: (text: string) => string): string {
    const found = this.#take(pattern);
    if (found === null || this.#take(lineEnd) === null) throw new NotSimple();
    return unquote(found[0]);
  }

  #flow(): Value {
    const text = this.#line.slice(this.#at).trimEnd();
    if (text === "[]") return [];
    return text === "{}" ? new Map() : this.#readFlow(text);
  }

  #plain(): Value {
    plainStart.lastIndex = this.#at;
    if (!plainStart.test(this.#line)) throw new NotSimple();
    const comment = this.#line.indexOf(" #", this.#at);
    const text = this.#line.slice(this.#at, comment < 0 ? undefined : comment).trimEnd();
    if (text.endsWith(":") || text.includes(": ")) throw new NotSimple();
    return plainValue(text);
  }

  /** `|` and `|-`: the lines further in, as they stand. */
  #literal(column: number): string {
    const header = this.#take(blockHeader);
    if (header === null) throw new NotSimple();
    const first = this.#lines[this.#index + 1] ?? "";
    const indent = indentOf(first);
    if (indent <= column || indent === first.length) throw new NotSimple();
    const lines: string[] = [];
    while (++this.#index < this.#lines.length) {
      const line = this.#lines[this.#index] ?? "";
      const inner = indentOf(line);
      if (inner < indent && inner < line.length) break;
      lines.push(line.slice(indent));
    }
    // What the loop stopped at is the next line to look at.
    this.#index--;
    this.#advance();
    if (this.#at > column) throw new NotSimple();
    return withoutEmptyEnd(lines).join("\n") + (header[1] === "-" ? "" : "\n");
  }
}

function indentOf(line: string): number {
  let indent = 0;
  while (line.charCodeAt(indent) === 32) indent++;
  return indent;
}

function withoutEmptyEnd(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);
}

function keyName([, plain, double, single]: RegExpExecArray): string {
  if (plain === undefined) return double ?? single ?? "";
  if (resolveScalar(plain).tag !== "str") throw new NotSimple();
  return plain;
}

function plainValue(text: string): Value {
  const resolved = resolveScalar(text);
  switch (resolved.tag) {
    case "null":
      return null;
    case "bool":
      return resolved.value;
    case "int":
      return Number(resolved.value);
    case "float":
      if (!Number.isFinite(resolved.value)) throw new NotSimple();
      return resolved.value;
    default:
      return text;
  }
}

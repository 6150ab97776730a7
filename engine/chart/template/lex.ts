/**
 * The lexer of Go's text/template: text, actions with trim markers, comments, and the tokens inside actions.
 * @see https://pkg.go.dev/text/template
 */

export type TokenKind =
  | "error"
  | "bool"
  | "char"
  | "charConstant"
  | "assign"
  | "declare"
  | "eof"
  | "field"
  | "identifier"
  | "leftDelim"
  | "leftParen"
  | "number"
  | "complex"
  | "pipe"
  | "rawString"
  | "rightDelim"
  | "rightParen"
  | "space"
  | "string"
  | "text"
  | "variable"
  | "keyword";

export interface Token {
  readonly kind: TokenKind;
  readonly pos: number;
  readonly text: string;
  readonly line: number;
}

const keywords: ReadonlySet<string> = new Set([
  ".",
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "range",
  "nil",
  "template",
  "with",
]);

const alphaNumeric = /[\p{L}\p{Nd}_]/u;
const alphaNumericRun = /[\p{L}\p{Nd}_]*/uy;

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 9 || code === 13;
}

/** Reads one template text token by token; after an error token it only answers eof. */
export class Lexer {
  readonly #input: string;
  #pos = 0;
  #start = 0;
  #startLine = 1;
  #insideAction = false;
  #parenDepth = 0;
  #failed = false;

  constructor(input: string) {
    this.#input = input;
  }

  next(): Token {
    if (this.#failed) return { kind: "eof", pos: 0, text: "EOF", line: this.#startLine };
    return this.#insideAction ? this.#action() : this.#text();
  }

  #emit(kind: TokenKind): Token {
    const text = this.#input.slice(this.#start, this.#pos);
    const token = { kind, pos: this.#start, text, line: this.#startLine };
    this.#ignore();
    return token;
  }

  #ignore(): void {
    for (let i = this.#start; i < this.#pos; i++) if (this.#input.charCodeAt(i) === 10) this.#startLine++;
    this.#start = this.#pos;
  }

  #fail(message: string): Token {
    this.#failed = true;
    return { kind: "error", pos: this.#start, text: message, line: this.#startLine };
  }

  #text(): Token {
    for (;;) {
      const open = this.#input.indexOf("{{", this.#pos);
      if (open < 0) {
        this.#pos = this.#input.length;
        return this.#pos > this.#start ? this.#emit("text") : this.#end();
      }
      this.#pos = this.#trimsLeft(open + 2) ? this.#beforeSpaces(open) : open;
      const token = this.#pos > this.#start ? this.#emit("text") : undefined;
      this.#pos = open;
      this.#ignore();
      if (token !== undefined) return token;
      const delim = this.#leftDelim();
      if (delim !== undefined) return delim;
    }
  }

  /** Where the spaces begin that end at a place. */
  #beforeSpaces(at: number): number {
    let from = at;
    while (from > this.#start && isSpace(this.#input.charCodeAt(from - 1))) from--;
    return from;
  }

  #end(): Token {
    return { kind: "eof", pos: this.#pos, text: "EOF", line: this.#startLine };
  }

  #trimsLeft(at: number): boolean {
    return this.#input.charCodeAt(at) === 45 && isSpace(this.#input.charCodeAt(at + 1));
  }

  /** The delimiter, or nothing when it opened a comment that is now behind us. */
  #leftDelim(): Token | undefined {
    const marker = this.#trimsLeft(this.#pos + 2) ? 2 : 0;
    if (this.#input.startsWith("/*", this.#pos + 2 + marker)) {
      this.#pos += 2 + marker;
      this.#ignore();
      return this.#comment();
    }
    this.#pos += 2;
    const token = this.#emit("leftDelim");
    this.#pos += marker;
    this.#ignore();
    this.#insideAction = true;
    this.#parenDepth = 0;
    return token;
  }

  #comment(): Token | undefined {
    const close = this.#input.indexOf("*/", this.#pos + 2);
    if (close < 0) return this.#fail("unclosed comment");
    this.#pos = close + 2;
    const width = this.#rightDelimWidth();
    if (width === 0) return this.#fail("comment ends before closing delimiter");
    this.#pos += width;
    if (width === 4) this.#skipSpaces();
    this.#ignore();
    return undefined;
  }

  /** 4 for ` -}}`, 2 for `}}`, 0 for neither. */
  #rightDelimWidth(at: number = this.#pos): 0 | 2 | 4 {
    if (this.#input.startsWith("}}", at)) return 2;
    return isSpace(this.#input.charCodeAt(at)) && this.#input.startsWith("-}}", at + 1) ? 4 : 0;
  }

  #skipSpaces(): void {
    while (isSpace(this.#input.charCodeAt(this.#pos))) this.#pos++;
  }

  #rightDelim(width: 2 | 4): Token {
    if (width === 4) {
      this.#pos += 2;
      this.#ignore();
    }
    this.#pos += 2;
    const token = this.#emit("rightDelim");
    if (width === 4) {
      this.#skipSpaces();
      this.#ignore();
    }
    this.#insideAction = false;
    return token;
  }

  #action(): Token {
    const width = this.#rightDelimWidth();
    if (width > 0) return this.#parenDepth === 0 ? this.#rightDelim(width as 2 | 4) : this.#fail("unclosed left paren");
    const char = this.#peek();
    if (char === "") return this.#fail("unclosed action");
    if (isSpace(char.charCodeAt(0))) return this.#space();
    switch (char) {
      case "=":
        return this.#single("assign");
      case "|":
        return this.#single("pipe");
      case ":":
        if (this.#input[this.#pos + 1] !== "=") return this.#fail("expected :=");
        this.#pos += 2;
        return this.#emit("declare");
      case '"':
        return this.#quoted('"', "string", "unterminated quoted string");
      case "'":
        return this.#quoted("'", "charConstant", "unterminated character constant");
      case "`":
        return this.#rawString();
      case "$":
        this.#pos++;
        return this.#fieldOrVariable("variable");
      case "(":
        this.#parenDepth++;
        return this.#single("leftParen");
      case ")":
        if (--this.#parenDepth < 0) return this.#fail("unexpected right paren");
        return this.#single("rightParen");
      default:
        return this.#word(char);
    }
  }

  #word(char: string): Token {
    if (char === "." && !/\d/.test(this.#input[this.#pos + 1] ?? "0")) {
      this.#pos++;
      return this.#fieldOrVariable("field");
    }
    if (/[.+\-0-9]/.test(char)) return this.#number();
    if (alphaNumeric.test(char)) return this.#identifier();
    if (/^[ -~]$/.test(char)) return this.#single("char");
    const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return this.#fail(
      `unrecognized character in action: U+${code}${/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char) ? ` '${char}'` : ""}`,
    );
  }

  #peek(): string {
    const code = this.#input.codePointAt(this.#pos);
    if (code !== undefined && code < 128) return this.#input.charAt(this.#pos);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  #single(kind: TokenKind): Token {
    this.#pos++;
    return this.#emit(kind);
  }

  #space(): Token {
    while (isSpace(this.#input.charCodeAt(this.#pos))) {
      // The last space may belong to " -}}".
      if (this.#rightDelimWidth() === 4) break;
      this.#pos++;
    }
    if (this.#pos === this.#start) return this.#rightDelim(4);
    return this.#emit("space");
  }

  #identifier(): Token {
    this.#alphaNumericRun();
    const word = this.#input.slice(this.#start, this.#pos);
    if (!this.#atTerminator()) return this.#badCharacter();
    if (keywords.has(word)) return this.#emit("keyword");
    return this.#emit(word === "true" || word === "false" ? "bool" : "identifier");
  }

  #fieldOrVariable(kind: "field" | "variable"): Token {
    if (this.#atTerminator()) return this.#emit(kind === "field" ? "keyword" : "variable");
    this.#alphaNumericRun();
    return this.#atTerminator() ? this.#emit(kind) : this.#badCharacter();
  }

  #alphaNumericRun(): void {
    alphaNumericRun.lastIndex = this.#pos;
    this.#pos += alphaNumericRun.exec(this.#input)?.[0].length ?? 0;
  }

  #badCharacter(): Token {
    const char = this.#peek();
    const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return this.#fail(`bad character U+${code}${/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char) ? ` '${char}'` : ""}`);
  }

  #atTerminator(): boolean {
    const char = this.#input[this.#pos] ?? "";
    return (
      char === "" || isSpace(char.charCodeAt(0)) || ".,|:)(".includes(char) || this.#input.startsWith("}}", this.#pos)
    );
  }

  #quoted(delimiter: string, kind: TokenKind, problem: string): Token {
    for (let i = this.#pos + 1; i < this.#input.length; i++) {
      const char = this.#input[i];
      if (char === "\\" && this.#input[i + 1] !== "\n") i++;
      else if (char === "\\" || char === "\n") break;
      else if (char === delimiter) {
        this.#pos = i + 1;
        return this.#emit(kind);
      }
    }
    return this.#fail(problem);
  }

  #rawString(): Token {
    const close = this.#input.indexOf("`", this.#pos + 1);
    if (close < 0) return this.#fail("unterminated raw quoted string");
    this.#pos = close + 1;
    return this.#emit("rawString");
  }

  #number(): Token {
    if (!this.#scanNumber()) return this.#badNumber();
    if (!/[+-]/.test(this.#input[this.#pos] ?? "")) return this.#emit("number");
    return this.#scanNumber() && this.#input[this.#pos - 1] === "i" ? this.#emit("complex") : this.#badNumber();
  }

  #badNumber(): Token {
    return this.#fail(`bad number syntax: ${JSON.stringify(this.#input.slice(this.#start, this.#pos))}`);
  }

  #scanNumber(): boolean {
    const rest = this.#input.slice(this.#pos, this.#pos + 400);
    const found =
      /^[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?/.exec(
        rest,
      );
    this.#pos += found?.[0].length ?? 0;
    const char = this.#peek();
    if (char === "" || !alphaNumeric.test(char)) return true;
    this.#pos += char.length;
    return false;
  }
}

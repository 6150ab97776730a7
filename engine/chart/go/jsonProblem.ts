/** Where Go's JSON decoder stops in a malformed text, and what it says. */

/** The words of `encoding/json` for a text that `JSON.parse` refused. */
export function jsonProblem(text: string): string {
  return new JsonScanner(text).run() ?? "unexpected end of JSON input";
}

class Stop extends Error {}

class JsonScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): string | undefined {
    try {
      this.#value("looking for beginning of value", 0);
      this.#spaces();
      if (this.#at < this.#text.length) this.#fail("after top-level value");
    } catch (error) {
      if (error instanceof Stop) return error.message === "" ? undefined : error.message;
      throw error;
    }
    return undefined;
  }

  #peek(): string {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) throw new Stop("");
    return String.fromCodePoint(code);
  }

  #fail(context: string): never {
    const char = this.#peek();
    const shown = char === "'" ? `'\\''` : char === '"' ? `'"'` : `'${JSON.stringify(char).slice(1, -1)}'`;
    throw new Stop(`invalid character ${shown} ${context}`);
  }

  #spaces(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #value(context: string, depth: number): void {
    if (depth > 10_000) throw new Stop("exceeded max depth");
    this.#spaces();
    const char = this.#peek();
    if (char === "{") this.#object(depth);
    else if (char === "[") this.#array(depth);
    else if (char === '"') this.#string();
    else if (char === "-" || /\d/.test(char)) this.#number();
    else if (char === "t") this.#literal("true");
    else if (char === "f") this.#literal("false");
    else if (char === "n") this.#literal("null");
    else this.#fail(context);
  }

  #literal(word: string): void {
    for (const [i, wanted] of Array.from(word).entries()) {
      if (i > 0 && this.#peek() !== wanted) this.#fail(`in literal ${word} (expecting '${wanted}')`);
      this.#at++;
    }
  }

  #object(depth: number): void {
    this.#at++;
    this.#spaces();
    if (this.#peek() === "}") {
      this.#at++;
      return;
    }
    for (;;) {
      this.#spaces();
      if (this.#peek() !== '"') this.#fail("looking for beginning of object key string");
      this.#string();
      this.#spaces();
      if (this.#peek() !== ":") this.#fail("after object key");
      this.#at++;
      this.#value("looking for beginning of value", depth + 1);
      this.#spaces();
      const char = this.#peek();
      if (char !== "," && char !== "}") this.#fail("after object key:value pair");
      this.#at++;
      if (char === "}") return;
    }
  }

  #array(depth: number): void {
    this.#at++;
    this.#spaces();
    if (this.#peek() === "]") {
      this.#at++;
      return;
    }
    for (;;) {
      this.#value("looking for beginning of value", depth + 1);
      this.#spaces();
      const char = this.#peek();
      if (char !== "," && char !== "]") this.#fail("after array element");
      this.#at++;
      if (char === "]") return;
    }
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const char = this.#peek();
      if (char < " ") this.#fail("in string literal");
      this.#at += char.length;
      if (char === '"') return;
      if (char !== "\\") continue;
      const code = this.#peek();
      if (code === "u") this.#unicodeEscape();
      else if (/["\\/bfnrt]/.test(code)) this.#at++;
      else this.#fail("in string escape code");
    }
  }

  #unicodeEscape(): void {
    this.#at++;
    for (let i = 0; i < 4; i++) {
      if (!/[\da-fA-F]/.test(this.#peek())) this.#fail("in \\u hexadecimal character escape");
      this.#at++;
    }
  }

  #number(): void {
    if (this.#peek() === "-") {
      this.#at++;
      if (!/\d/.test(this.#peek())) this.#fail("in numeric literal");
    }
    if (this.#peek() === "0") this.#at++;
    else this.#digits();
    if (this.#text[this.#at] === ".") {
      this.#at++;
      if (!/\d/.test(this.#peek())) this.#fail("after decimal point in numeric literal");
      this.#digits();
    }
    if (/[eE]/.test(this.#text[this.#at] ?? "")) {
      this.#at++;
      if (/[+-]/.test(this.#peek())) this.#at++;
      if (!/\d/.test(this.#peek())) this.#fail("in exponent of numeric literal");
      this.#digits();
    }
  }

  #digits(): void {
    while (/\d/.test(this.#text[this.#at] ?? "")) this.#at++;
  }
}

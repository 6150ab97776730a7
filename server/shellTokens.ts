/** What a piece of shell text is, for colours. */
export type ShellTokenKind =
  | "keyword"
  | "function"
  | "parameter"
  | "string"
  | "operator"
  | "variable"
  | "number"
  | "comment";

/** Called with offsets in the text given to `scan`. */
export type EmitShellToken = (kind: ShellTokenKind, start: number, end: number) => void;

/** Reserved words behind which another command starts. */
const leading: ReadonlySet<string> = new Set(["if", "then", "elif", "else", "while", "until", "do", "!", "{", "time"]);
const reserved: ReadonlySet<string> = new Set([
  ...leading,
  "fi",
  "for",
  "done",
  "case",
  "esac",
  "in",
  "select",
  "function",
  "}",
  "[[",
]);
const operatorAt = /(?:\d?(?:<<<|<<-?|>>|>\||[<>])(?:&(?:\d|-)?)?|&&|\|\||;;|\|&|[;|&()])/uy;
const wordAt = /(?:\\[\s\S]|[^\s'"|&;()<>\\])+/uy;
const blanksAt = /[^\S\r\n]+/uy;

/**
 * Tells commands, options, strings and operators of a shell text apart, in one pass. The text may come in pieces with
 * variables, continuations and comments between them: the state lives from one piece to the next.
 */
export class ShellScanner {
  /** The next word is a command. */
  #command = true;
  #quote: '"' | "'" | "" = "";
  /** The next character goes on with a word. */
  #inWord = false;

  /** A variable stands between two pieces. */
  variable(): void {
    if (this.#quote !== "") return;
    this.#command = false;
    this.#inWord = true;
  }

  /** A blank stands between two pieces. */
  blank(): void {
    if (this.#quote === "") this.#inWord = false;
  }

  /** A line ends between two pieces, and with it the command. */
  newline(): void {
    if (this.#quote === "") this.#endCommand();
  }

  scan(text: string, emit: EmitShellToken): void {
    for (let at = 0; at < text.length; )
      at = this.#quote === "" ? this.#scanPlain(text, at, emit) : this.#scanQuoted(text, at, emit);
  }

  #endCommand(): void {
    this.#command = true;
    this.#inWord = false;
  }

  #scanQuoted(text: string, from: number, emit: EmitShellToken): number {
    const close = closingQuote(text, from, this.#quote);
    emit("string", from, close < 0 ? text.length : close + 1);
    if (close < 0) return text.length;
    this.#quote = "";
    this.#inWord = true;
    return close + 1;
  }

  #scanPlain(text: string, at: number, emit: EmitShellToken): number {
    const character = text[at];
    if (character === "\n" || character === "\r") {
      this.#endCommand();
      return at + 1;
    }
    const blanks = endOf(blanksAt, text, at);
    if (blanks > at) {
      this.#inWord = false;
      return blanks;
    }
    if (character === "'" || character === '"') return this.#openQuote(character, text, at, emit);
    if (character === "#" && !this.#inWord) return this.#comment(text, at, emit);
    const operator = endOf(operatorAt, text, at);
    if (operator > at && !(this.#inWord && /\d/u.test(character ?? "")))
      return this.#operator(text, at, operator, emit);
    return this.#word(text, at, emit);
  }

  #openQuote(quote: '"' | "'", text: string, at: number, emit: EmitShellToken): number {
    this.#quote = quote;
    this.#command = false;
    const close = closingQuote(text, at + 1, quote);
    emit("string", at, close < 0 ? text.length : close + 1);
    if (close < 0) return text.length;
    this.#quote = "";
    this.#inWord = true;
    return close + 1;
  }

  #comment(text: string, at: number, emit: EmitShellToken): number {
    const end = text.indexOf("\n", at);
    const stop = end < 0 ? text.length : end;
    emit("comment", at, stop);
    return stop;
  }

  #operator(text: string, at: number, end: number, emit: EmitShellToken): number {
    emit("operator", at, end);
    const redirects = /[<>]/u.test(text.slice(at, end));
    if (!redirects) this.#command = true;
    this.#inWord = false;
    return end;
  }

  #word(text: string, at: number, emit: EmitShellToken): number {
    const end = Math.max(at + 1, endOf(wordAt, text, at));
    const word = text.slice(at, end);
    if (!this.#inWord) {
      if (this.#command) this.#commandWord(word, at, emit);
      else argumentWord(word, at, emit);
    }
    this.#inWord = true;
    return end;
  }

  #commandWord(word: string, at: number, emit: EmitShellToken): void {
    if (reserved.has(word)) {
      emit("keyword", at, at + word.length);
      this.#command = leading.has(word);
      return;
    }
    const assigned = /^[A-Za-z_]\w*(?=\+?=)/u.exec(word)?.[0];
    if (assigned !== undefined) {
      emit("variable", at, at + assigned.length);
      return;
    }
    emit("function", at, at + word.length);
    this.#command = false;
  }
}

function argumentWord(word: string, at: number, emit: EmitShellToken): void {
  if (word === "do" || word === "in" || word === "then") emit("keyword", at, at + word.length);
  else if (/^--?[A-Za-z0-9]/u.test(word)) emit("parameter", at, at + (/^[^=]+/u.exec(word)?.[0].length ?? word.length));
  else if (/^\d+$/u.test(word)) emit("number", at, at + word.length);
}

function closingQuote(text: string, from: number, quote: string): number {
  if (quote === "'") return text.indexOf("'", from);
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === quote) return at;
  }
  return -1;
}

function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found === null ? at : at + found[0].length;
}

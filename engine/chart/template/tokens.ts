/** The tokens of one template text, with pushing back, and Go's words for those that stand where they may not. */
import { Lexer, type Token, type TokenKind } from "./lex.ts";

/** A template text that does not parse; the message is Go's: `template: NAME:LINE: …`. */
export class ParseError extends Error {}

/** Reads tokens one after the other, and remembers where it is for error messages. */
export class Tokens {
  readonly #name: string;
  readonly #lexer: Lexer;
  readonly #pushedBack: Token[] = [];
  #last: Token = { kind: "eof", pos: 0, text: "", line: 1 };
  /** 1-based line the action being parsed began on; 0 outside actions. */
  actionLine = 0;

  constructor(name: string, text: string) {
    this.#name = name;
    this.#lexer = new Lexer(text);
  }

  next(): Token {
    const token = this.#pushedBack.pop() ?? this.#lexer.next();
    this.#last = token;
    return token;
  }

  peek(): Token {
    const token = this.next();
    this.#pushedBack.push(token);
    return token;
  }

  nextNonSpace(): Token {
    let token = this.next();
    while (token.kind === "space") token = this.next();
    return token;
  }

  peekNonSpace(): Token {
    const token = this.nextNonSpace();
    this.#pushedBack.push(token);
    return token;
  }

  /** Puts tokens back; the last given is the next read. */
  pushBack(...tokens: readonly Token[]): void {
    this.#pushedBack.push(...tokens);
  }

  /** @throws ParseError always */
  fail(message: string): never {
    throw new ParseError(`template: ${this.#name}:${this.#last.line}: ${message}`);
  }

  /** The next token, which must be of a kind. @throws ParseError */
  expect(kind: TokenKind, context: string): Token {
    const token = this.nextNonSpace();
    return token.kind === kind ? token : this.unexpected(token, context);
  }

  /** @throws ParseError always */
  unexpected(token: Token, context: string): never {
    if (token.kind !== "error") this.fail(`unexpected ${tokenText(token)} in ${context}`);
    let extra = "";
    if (this.actionLine !== 0 && this.actionLine !== token.line) {
      extra = ` in action started at ${this.#name}:${this.actionLine}`;
      if (token.text.endsWith(" action")) extra = extra.slice(" in action".length);
    }
    this.fail(token.text + extra);
  }
}

/** Whether an operand may begin with a token. */
export function startsOperand(token: Token): boolean {
  switch (token.kind) {
    case "bool":
    case "charConstant":
    case "complex":
    case "field":
    case "identifier":
    case "number":
    case "rawString":
    case "string":
    case "variable":
    case "leftParen":
      return true;
    case "keyword":
      return token.text === "." || token.text === "nil";
    default:
      return false;
  }
}

/** A token as Go's messages show it. */
function tokenText(token: Token): string {
  if (token.kind === "eof") return "EOF";
  if (token.kind === "keyword") return `<${token.text}>`;
  const runes = Array.from(token.text);
  return runes.length > 10 ? `${JSON.stringify(runes.slice(0, 10).join(""))}...` : JSON.stringify(token.text);
}

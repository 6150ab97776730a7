/**
 * The parser of Go's text/template.
 *
 * One text gives several trees: its own and one per `define` or `block`. Parsing needs no values, so its result is kept and
 * rendered as often as wanted.
 */

import { unquote } from "../go/quote.ts";
import { compareText } from "../go/value.ts";
import { Lexer, type Token, type TokenKind } from "./lex.ts";
import {
  type CommandNode,
  isEmptyBody,
  type ListNode,
  type NumberNode,
  type Operand,
  type PipeNode,
  printNode,
  type Statement,
  type Tree,
  type VariableNode,
} from "./nodes.ts";
import { NumberError, numberNode } from "./numbers.ts";

/** A template text that does not parse; the message is Go's: `template: NAME:LINE: …`. */
export class ParseError extends Error {}

/** The deepest nesting of parentheses and of blocks; a chart beyond it is an attack on the stack. */
const deepestNesting = 400;

/**
 * Parses one template text.
 * @param name the name error messages use
 * @param isFunction tells which identifiers are functions
 * @returns every tree the text defines, the text's own last
 * @throws ParseError
 */
export function parseTemplate(name: string, text: string, isFunction: (name: string) => boolean): readonly Tree[] {
  return new Parser(name, text, isFunction).run();
}

/** What ended a list of statements. */
type ListEnd = { readonly kind: "end" | "else"; readonly pos: number };

class Parser {
  readonly #name: string;
  readonly #text: string;
  readonly #isFunction: (name: string) => boolean;
  readonly #lexer: Lexer;
  readonly #trees = new Map<string, Tree>();
  readonly #pushedBack: Token[] = [];
  #lastToken: Token = { kind: "eof", pos: 0, text: "", line: 1 };
  #vars: string[] = ["$"];
  #rangeDepth = 0;
  #depth = 0;
  #actionLine = 0;

  constructor(name: string, text: string, isFunction: (name: string) => boolean) {
    this.#name = name;
    this.#text = text;
    this.#isFunction = isFunction;
    this.#lexer = new Lexer(text);
  }

  run(): readonly Tree[] {
    const pos = this.#peek().pos;
    const nodes: Statement[] = [];
    while (this.#peek().kind !== "eof") {
      if (this.#atDefine()) continue;
      const node = this.#statement();
      if (node.kind === "end" || node.kind === "else") this.#fail(`unexpected {{${node.kind}}}`);
      else nodes.push(node as Statement);
    }
    this.#add({ name: this.#name, root: { kind: "list", pos, nodes } });
    return [...this.#trees.values()];
  }

  /** Parses `{{define "x"}}…{{end}}` when it stands here. */
  #atDefine(): boolean {
    if (this.#peek().kind !== "leftDelim") return false;
    const delim = this.#next();
    const word = this.#nextNonSpace();
    if (word.kind !== "keyword" || word.text !== "define") {
      this.#pushedBack.push(word, delim);
      return false;
    }
    const context = "define clause";
    const name = this.#templateName(this.#nextNonSpace(), context);
    this.#expect("rightDelim", context);
    this.#inner(name, context);
    return true;
  }

  /** The body of a define or block, with variables and ranges of its own. */
  #inner(name: string, context: string): void {
    const outer = { vars: this.#vars, rangeDepth: this.#rangeDepth };
    this.#vars = ["$"];
    this.#rangeDepth = 0;
    const { list, end } = this.#list();
    if (end.kind !== "end") this.#fail(`unexpected {{${end.kind}}} in ${context}`);
    this.#vars = outer.vars;
    this.#rangeDepth = outer.rangeDepth;
    this.#add({ name, root: list });
  }

  #add(tree: { readonly name: string; readonly root: ListNode }): void {
    const full: Tree = { ...tree, parseName: this.#name, text: this.#text };
    const known = this.#trees.get(tree.name);
    if (known === undefined || isEmptyBody(known.root)) {
      this.#trees.delete(tree.name);
      this.#trees.set(tree.name, full);
    } else if (!isEmptyBody(tree.root)) {
      this.#fail(`template: multiple definition of template ${JSON.stringify(tree.name)}`);
    }
  }

  #next(): Token {
    const token = this.#pushedBack.pop() ?? this.#lexer.next();
    this.#lastToken = token;
    return token;
  }

  #peek(): Token {
    const token = this.#pushedBack.pop() ?? this.#lexer.next();
    this.#pushedBack.push(token);
    this.#lastToken = token;
    return token;
  }

  #nextNonSpace(): Token {
    let token = this.#next();
    while (token.kind === "space") token = this.#next();
    return token;
  }

  #peekNonSpace(): Token {
    const token = this.#nextNonSpace();
    this.#pushedBack.push(token);
    return token;
  }

  #fail(message: string): never {
    throw new ParseError(`template: ${this.#name}:${this.#lastToken.line}: ${message}`);
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#nextNonSpace();
    return token.kind === kind ? token : this.#unexpected(token, context);
  }

  #unexpected(token: Token, context: string): never {
    if (token.kind === "error") {
      let extra = "";
      if (this.#actionLine !== 0 && this.#actionLine !== token.line) {
        extra = ` in action started at ${this.#name}:${this.#actionLine}`;
        if (token.text.endsWith(" action")) extra = extra.slice(" in action".length);
      }
      this.#fail(token.text + extra);
    }
    this.#fail(`unexpected ${tokenText(token)} in ${context}`);
  }

  #list(): { readonly list: ListNode; readonly end: ListEnd } {
    if (++this.#depth > deepestNesting) this.#fail("blocks are nested too deeply");
    const pos = this.#peekNonSpace().pos;
    const nodes: Statement[] = [];
    while (this.#peekNonSpace().kind !== "eof") {
      const node = this.#statement();
      if (node.kind === "end" || node.kind === "else") {
        this.#depth--;
        return { list: { kind: "list", pos, nodes }, end: node as ListEnd };
      }
      nodes.push(node as Statement);
    }
    this.#fail("unexpected EOF");
  }

  #statement(): Statement | ListEnd {
    const token = this.#nextNonSpace();
    if (token.kind === "text") return { kind: "text", pos: token.pos, text: token.text };
    if (token.kind !== "leftDelim") this.#unexpected(token, "input");
    this.#actionLine = token.line;
    const node = this.#action();
    this.#actionLine = 0;
    return node;
  }

  #action(): Statement | ListEnd {
    const token = this.#nextNonSpace();
    if (token.kind === "keyword") {
      switch (token.text) {
        case "block":
          return this.#block();
        case "break":
        case "continue":
          return this.#jump(token.text, token);
        case "else":
          return this.#else();
        case "end":
          return { kind: "end", pos: this.#expect("rightDelim", "end").pos };
        case "if":
        case "range":
        case "with":
          return this.#branch(token.text);
        case "template":
          return this.#template();
        default:
          break;
      }
    }
    this.#pushedBack.push(token);
    const pos = this.#peek().pos;
    return { kind: "action", pos, pipe: this.#pipeline("command", "rightDelim") };
  }

  #jump(kind: "break" | "continue", token: Token): Statement {
    const next = this.#nextNonSpace();
    if (next.kind !== "rightDelim") this.#unexpected(next, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#fail(`{{${kind}}} outside {{range}}`);
    return { kind, pos: token.pos };
  }

  #else(): ListEnd {
    const peek = this.#peekNonSpace();
    if (peek.kind === "keyword" && (peek.text === "if" || peek.text === "with")) return { kind: "else", pos: peek.pos };
    return { kind: "else", pos: this.#expect("rightDelim", "else").pos };
  }

  #branch(kind: "if" | "range" | "with"): Statement {
    const known = this.#vars.length;
    const pipe = this.#pipeline(kind, "rightDelim");
    if (kind === "range") this.#rangeDepth++;
    const { list, end } = this.#list();
    if (kind === "range") this.#rangeDepth--;
    const otherwise = end.kind === "else" ? this.#otherwise(kind, end) : undefined;
    this.#vars.length = known;
    return { kind, pos: pipe.pos, pipe, list, otherwise };
  }

  #otherwise(kind: "if" | "range" | "with", at: ListEnd): ListNode {
    const peek = this.#peek();
    if (kind !== "range" && peek.kind === "keyword" && peek.text === kind) {
      this.#next();
      if (++this.#depth > deepestNesting) this.#fail("blocks are nested too deeply");
      const nested = this.#branch(kind);
      this.#depth--;
      return { kind: "list", pos: at.pos, nodes: [nested] };
    }
    const { list, end } = this.#list();
    if (end.kind !== "end") this.#fail(`expected end; found {{${end.kind}}}`);
    return list;
  }

  #block(): Statement {
    const context = "block clause";
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipeline(context, "rightDelim");
    this.#inner(name, context);
    return { kind: "template", pos: token.pos, name, pipe };
  }

  #template(): Statement {
    const context = "template clause";
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, context);
    const next = this.#nextNonSpace();
    if (next.kind === "rightDelim") return { kind: "template", pos: token.pos, name, pipe: undefined };
    this.#pushedBack.push(next);
    return { kind: "template", pos: token.pos, name, pipe: this.#pipeline(context, "rightDelim") };
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== "string" && token.kind !== "rawString") this.#unexpected(token, context);
    return unquote(token.text) ?? this.#fail("invalid syntax");
  }

  #pipeline(context: string, end: "rightDelim" | "rightParen"): PipeNode {
    const pos = this.#peekNonSpace().pos;
    const { declared, isAssign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#nextNonSpace();
      if (token.kind === end) break;
      if (!startsOperand(token)) this.#unexpected(token, context);
      this.#pushedBack.push(token);
      commands.push(this.#command());
    }
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    commands.slice(1).forEach((command, i) => {
      const first = command.args[0]?.kind;
      if (first !== undefined && ["bool", "dot", "nil", "number", "string"].includes(first)) {
        this.#fail(`non executable command in pipeline stage ${i + 2}`);
      }
    });
    return { kind: "pipe", pos, isAssign, declared, commands };
  }

  #declarations(context: string): { readonly declared: readonly VariableNode[]; readonly isAssign: boolean } {
    const declared: VariableNode[] = [];
    for (;;) {
      const variable = this.#peekNonSpace();
      if (variable.kind !== "variable") return { declared, isAssign: false };
      this.#next();
      const after = this.#peek();
      const next = this.#peekNonSpace();
      const isComma = next.kind === "char" && next.text === ",";
      if (next.kind !== "assign" && next.kind !== "declare" && !isComma) {
        if (after.kind === "space") this.#pushedBack.push(after);
        this.#pushedBack.push(variable);
        return { declared, isAssign: false };
      }
      this.#nextNonSpace();
      declared.push({ kind: "variable", pos: variable.pos, names: variable.text.split(".") });
      this.#vars.push(variable.text);
      if (!isComma) return { declared, isAssign: next.kind === "assign" };
      if (context !== "range" || declared.length >= 2) this.#fail(`too many declarations in ${context}`);
      const following = this.#peekNonSpace().kind;
      if (following === "rightDelim" || following === "rightParen") return { declared, isAssign: false };
      if (following !== "variable") this.#fail("range can only initialize variables");
    }
  }

  #command(): CommandNode {
    const pos = this.#peekNonSpace().pos;
    const args: Operand[] = [];
    for (;;) {
      this.#peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#next();
      if (token.kind === "space") continue;
      if (token.kind === "rightDelim" || token.kind === "rightParen") this.#pushedBack.push(token);
      else if (token.kind !== "pipe") this.#unexpected(token, "operand");
      break;
    }
    if (args.length === 0) this.#fail("empty command");
    return { kind: "command", pos, args };
  }

  #operand(): Operand | undefined {
    const node = this.#term();
    if (node === undefined) return undefined;
    const pos = this.#peek().pos;
    if (this.#peek().kind !== "field") return node;
    const names: string[] = [];
    while (this.#peek().kind === "field") names.push(this.#next().text.slice(1));
    switch (node.kind) {
      case "field":
        return { kind: "field", pos, names: [...node.names, ...names] };
      case "variable":
        return { kind: "variable", pos, names: [...node.names, ...names] };
      case "bool":
      case "string":
      case "number":
      case "nil":
      case "dot":
        return this.#fail(`unexpected . after term ${JSON.stringify(printNode(node))}`);
      default:
        return { kind: "chain", pos, node, names };
    }
  }

  #term(): Operand | undefined {
    const token = this.#nextNonSpace();
    const { pos, text } = token;
    switch (token.kind) {
      case "identifier":
        if (!this.#isFunction(text)) this.#fail(`function ${JSON.stringify(text)} not defined`);
        return { kind: "identifier", pos, name: text };
      case "keyword":
        if (text === ".") return { kind: "dot", pos };
        if (text === "nil") return { kind: "nil", pos };
        break;
      case "variable":
        return this.#variable(token);
      case "field":
        return { kind: "field", pos, names: [text.slice(1)] };
      case "bool":
        return { kind: "bool", pos, value: text === "true" };
      case "number":
      case "charConstant":
        return this.#number(token);
      case "complex":
        return this.#fail(`complex numbers such as ${text} have no use in charts`);
      case "leftParen": {
        if (++this.#depth > deepestNesting) this.#fail("max expression depth exceeded");
        const pipe = this.#pipeline("parenthesized pipeline", "rightParen");
        this.#depth--;
        return pipe;
      }
      case "string":
      case "rawString": {
        const value = unquote(text) ?? this.#fail("invalid syntax");
        return { kind: "string", pos, quoted: text, text: value };
      }
      default:
        break;
    }
    this.#pushedBack.push(token);
    return undefined;
  }

  #variable(token: Token): Operand {
    if (!this.#vars.includes(token.text)) this.#fail(`undefined variable ${JSON.stringify(token.text)}`);
    return { kind: "variable", pos: token.pos, names: [token.text] };
  }

  #number(token: Token): NumberNode {
    try {
      return numberNode(token);
    } catch (error) {
      if (error instanceof NumberError) return this.#fail(error.message);
      throw error;
    }
  }
}

function startsOperand(token: Token): boolean {
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

/** Orders template files as Helm parses them: the deepest path first, then by name backwards. */
export function parseOrder(names: Iterable<string>): string[] {
  const depth = (name: string): number => name.split("/").length;
  return [...names].sort((a, b) => depth(b) - depth(a) || compareText(b, a));
}

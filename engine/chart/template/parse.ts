/**
 * The parser of Go's text/template.
 *
 * One text gives several trees: its own and one per `define` or `block`. Parsing needs no values, so its result is kept and
 * rendered as often as wanted.
 */

import { unquote } from "../go/quote.ts";
import type { Token } from "./lex.ts";
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
import { startsOperand, Tokens } from "./tokens.ts";

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
  readonly #tokens: Tokens;
  readonly #trees = new Map<string, Tree>();
  #vars: string[] = ["$"];
  #rangeDepth = 0;
  #depth = 0;

  constructor(name: string, text: string, isFunction: (name: string) => boolean) {
    this.#name = name;
    this.#text = text;
    this.#isFunction = isFunction;
    this.#tokens = new Tokens(name, text);
  }

  run(): readonly Tree[] {
    const pos = this.#tokens.peek().pos;
    const nodes: Statement[] = [];
    while (this.#tokens.peek().kind !== "eof") {
      if (this.#atDefine()) continue;
      const node = this.#statement();
      if (node.kind === "end" || node.kind === "else") this.#tokens.fail(`unexpected {{${node.kind}}}`);
      else nodes.push(node as Statement);
    }
    this.#add({ name: this.#name, root: { kind: "list", pos, nodes } });
    return [...this.#trees.values()];
  }

  /** Parses `{{define "x"}}…{{end}}` when it stands here. */
  #atDefine(): boolean {
    if (this.#tokens.peek().kind !== "leftDelim") return false;
    const delim = this.#tokens.next();
    const word = this.#tokens.nextNonSpace();
    if (word.kind !== "keyword" || word.text !== "define") {
      this.#tokens.pushBack(word, delim);
      return false;
    }
    const context = "define clause";
    const name = this.#templateName(this.#tokens.nextNonSpace(), context);
    this.#tokens.expect("rightDelim", context);
    this.#inner(name, context);
    return true;
  }

  /** The body of a define or block, with variables and ranges of its own. */
  #inner(name: string, context: string): void {
    const outer = { vars: this.#vars, rangeDepth: this.#rangeDepth };
    this.#vars = ["$"];
    this.#rangeDepth = 0;
    const { list, end } = this.#list();
    if (end.kind !== "end") this.#tokens.fail(`unexpected {{${end.kind}}} in ${context}`);
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
      this.#tokens.fail(`template: multiple definition of template ${JSON.stringify(tree.name)}`);
    }
  }

  #list(): { readonly list: ListNode; readonly end: ListEnd } {
    if (++this.#depth > deepestNesting) this.#tokens.fail("blocks are nested too deeply");
    const pos = this.#tokens.peekNonSpace().pos;
    const nodes: Statement[] = [];
    while (this.#tokens.peekNonSpace().kind !== "eof") {
      const node = this.#statement();
      if (node.kind === "end" || node.kind === "else") {
        this.#depth--;
        return { list: { kind: "list", pos, nodes }, end: node as ListEnd };
      }
      nodes.push(node as Statement);
    }
    this.#tokens.fail("unexpected EOF");
  }

  #statement(): Statement | ListEnd {
    const token = this.#tokens.nextNonSpace();
    if (token.kind === "text") return { kind: "text", pos: token.pos, text: token.text };
    if (token.kind !== "leftDelim") this.#tokens.unexpected(token, "input");
    this.#tokens.actionLine = token.line;
    const node = this.#action();
    this.#tokens.actionLine = 0;
    return node;
  }

  #action(): Statement | ListEnd {
    const token = this.#tokens.nextNonSpace();
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
          return { kind: "end", pos: this.#tokens.expect("rightDelim", "end").pos };
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
    this.#tokens.pushBack(token);
    const pos = this.#tokens.peek().pos;
    return { kind: "action", pos, pipe: this.#pipeline("command", "rightDelim") };
  }

  #jump(kind: "break" | "continue", token: Token): Statement {
    const next = this.#tokens.nextNonSpace();
    if (next.kind !== "rightDelim") this.#tokens.unexpected(next, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#tokens.fail(`{{${kind}}} outside {{range}}`);
    return { kind, pos: token.pos };
  }

  #else(): ListEnd {
    const peek = this.#tokens.peekNonSpace();
    if (peek.kind === "keyword" && (peek.text === "if" || peek.text === "with")) return { kind: "else", pos: peek.pos };
    return { kind: "else", pos: this.#tokens.expect("rightDelim", "else").pos };
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
    const peek = this.#tokens.peek();
    if (kind !== "range" && peek.kind === "keyword" && peek.text === kind) {
      this.#tokens.next();
      if (++this.#depth > deepestNesting) this.#tokens.fail("blocks are nested too deeply");
      const nested = this.#branch(kind);
      this.#depth--;
      return { kind: "list", pos: at.pos, nodes: [nested] };
    }
    const { list, end } = this.#list();
    if (end.kind !== "end") this.#tokens.fail(`expected end; found {{${end.kind}}}`);
    return list;
  }

  #block(): Statement {
    const context = "block clause";
    const token = this.#tokens.nextNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipeline(context, "rightDelim");
    this.#inner(name, context);
    return { kind: "template", pos: token.pos, name, pipe };
  }

  #template(): Statement {
    const context = "template clause";
    const token = this.#tokens.nextNonSpace();
    const name = this.#templateName(token, context);
    const next = this.#tokens.nextNonSpace();
    if (next.kind === "rightDelim") return { kind: "template", pos: token.pos, name, pipe: undefined };
    this.#tokens.pushBack(next);
    return { kind: "template", pos: token.pos, name, pipe: this.#pipeline(context, "rightDelim") };
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== "string" && token.kind !== "rawString") this.#tokens.unexpected(token, context);
    return unquote(token.text) ?? this.#tokens.fail("invalid syntax");
  }

  #pipeline(context: string, end: "rightDelim" | "rightParen"): PipeNode {
    const pos = this.#tokens.peekNonSpace().pos;
    const { declared, isAssign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#tokens.nextNonSpace();
      if (token.kind === end) break;
      if (!startsOperand(token)) this.#tokens.unexpected(token, context);
      this.#tokens.pushBack(token);
      commands.push(this.#command());
    }
    if (commands.length === 0) this.#tokens.fail(`missing value for ${context}`);
    commands.slice(1).forEach((command, i) => {
      const first = command.args[0]?.kind;
      if (first !== undefined && ["bool", "dot", "nil", "number", "string"].includes(first)) {
        this.#tokens.fail(`non executable command in pipeline stage ${i + 2}`);
      }
    });
    return { kind: "pipe", pos, isAssign, declared, commands };
  }

  #declarations(context: string): { readonly declared: readonly VariableNode[]; readonly isAssign: boolean } {
    const declared: VariableNode[] = [];
    for (;;) {
      const operator = this.#declaration(declared);
      if (operator !== ",") return { declared, isAssign: operator === "=" };
      if (context !== "range" || declared.length >= 2) this.#tokens.fail(`too many declarations in ${context}`);
      const following = this.#tokens.peekNonSpace().kind;
      if (following === "rightDelim" || following === "rightParen") return { declared, isAssign: false };
      if (following !== "variable") this.#tokens.fail("range can only initialize variables");
    }
  }

  /** Reads `$x :=`, `$x =` or `$x,` and answers its operator; anything else is left where it is. */
  #declaration(declared: VariableNode[]): string | undefined {
    const variable = this.#tokens.peekNonSpace();
    if (variable.kind !== "variable") return undefined;
    this.#tokens.next();
    const after = this.#tokens.peek();
    const next = this.#tokens.peekNonSpace();
    const isComma = next.kind === "char" && next.text === ",";
    if (next.kind !== "assign" && next.kind !== "declare" && !isComma) {
      if (after.kind === "space") this.#tokens.pushBack(after);
      this.#tokens.pushBack(variable);
      return undefined;
    }
    this.#tokens.nextNonSpace();
    declared.push({ kind: "variable", pos: variable.pos, names: variable.text.split(".") });
    this.#vars.push(variable.text);
    return next.text;
  }

  #command(): CommandNode {
    const pos = this.#tokens.peekNonSpace().pos;
    const args: Operand[] = [];
    for (;;) {
      this.#tokens.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#tokens.next();
      if (token.kind === "space") continue;
      if (token.kind === "rightDelim" || token.kind === "rightParen") this.#tokens.pushBack(token);
      else if (token.kind !== "pipe") this.#tokens.unexpected(token, "operand");
      break;
    }
    if (args.length === 0) this.#tokens.fail("empty command");
    return { kind: "command", pos, args };
  }

  #operand(): Operand | undefined {
    const node = this.#term();
    if (node === undefined) return undefined;
    const pos = this.#tokens.peek().pos;
    if (this.#tokens.peek().kind !== "field") return node;
    const names: string[] = [];
    while (this.#tokens.peek().kind === "field") names.push(this.#tokens.next().text.slice(1));
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
        return this.#tokens.fail(`unexpected . after term ${JSON.stringify(printNode(node))}`);
      default:
        return { kind: "chain", pos, node, names };
    }
  }

  #term(): Operand | undefined {
    const token = this.#tokens.nextNonSpace();
    const { pos, text } = token;
    switch (token.kind) {
      case "identifier":
        if (!this.#isFunction(text)) this.#tokens.fail(`function ${JSON.stringify(text)} not defined`);
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
        return this.#tokens.fail(`complex numbers such as ${text} have no use in charts`);
      case "leftParen": {
        if (++this.#depth > deepestNesting) this.#tokens.fail("max expression depth exceeded");
        const pipe = this.#pipeline("parenthesized pipeline", "rightParen");
        this.#depth--;
        return pipe;
      }
      case "string":
      case "rawString": {
        const value = unquote(text) ?? this.#tokens.fail("invalid syntax");
        return { kind: "string", pos, quoted: text, text: value };
      }
      default:
        break;
    }
    this.#tokens.pushBack(token);
    return undefined;
  }

  #variable(token: Token): Operand {
    if (!this.#vars.includes(token.text)) this.#tokens.fail(`undefined variable ${JSON.stringify(token.text)}`);
    return { kind: "variable", pos: token.pos, names: [token.text] };
  }

  #number(token: Token): NumberNode {
    try {
      return numberNode(token);
    } catch (error) {
      if (error instanceof NumberError) return this.#tokens.fail(error.message);
      throw error;
    }
  }
}

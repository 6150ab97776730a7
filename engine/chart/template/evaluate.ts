/**
 * Runs parsed templates: Go's text/template execution with its rules for nil, missing keys, truth, ranges and calls.
 * @see https://pkg.go.dev/text/template
 */
import { byteLength } from "../go/bytes.ts";
import { sprint } from "../go/format.ts";
import { quote } from "../go/quote.ts";
import { GoFunction, goInt, goType, Int, isTrue, mapEntries, Named, type Value } from "../go/value.ts";
import { builtins, callValue } from "./builtins.ts";
import { adapt, canBeNil, WrongType } from "./calls.ts";
import { ExecError, GoError, LimitReached } from "./failure.ts";
import type { Meter } from "./meter.ts";
import type {
  AnyNode,
  BranchNode,
  ChainNode,
  CommandNode,
  FieldNode,
  IdentifierNode,
  ListNode,
  NumberNode,
  Operand,
  PipeNode,
  TemplateNode,
  Tree,
  VariableNode,
} from "./nodes.ts";
import { printNode } from "./nodes.ts";
import { holdsInterfaces, RangeProblem, type RangeSteps, rangeSteps } from "./ranges.ts";

/** The templates that can call each other. */
export interface TemplateSet {
  lookup(name: string): Tree | undefined;
}

/** What a run needs besides the templates. */
export interface Runtime {
  readonly functions: ReadonlyMap<string, GoFunction>;
  /** Passed to functions as their host. */
  readonly host: unknown;
  readonly meter: Meter;
  /** Methods of maps with a named type, such as `.Values.AsMap`. */
  readonly mapMethod: (receiver: Value, name: string) => GoFunction | undefined;
}

/** Marks "no final argument" of a command; a real value may be undefined. */
const missing: unique symbol = Symbol("missing");
type Final = Value | typeof missing;

interface Variable {
  readonly name: string;
  value: Value;
  /** Whether Go would hold it as an interface, which error messages tell. */
  isInterface: boolean;
}

type Jump = "break" | "continue" | undefined;

const deepestTemplates = 1000;

/**
 * Executes a template by name.
 * @throws ExecError when the template fails, GoError when there is none of that name, LimitReached
 */
export function executeTemplate(set: TemplateSet, name: string, data: Value, runtime: Runtime): string {
  const tree = set.lookup(name);
  if (tree === undefined) {
    throw new GoError(`template: no template ${quote(name)} associated with template "gotpl"`);
  }
  return executeTree(set, tree, data, runtime);
}

/** Executes one tree. @throws ExecError when the template fails, LimitReached */
export function executeTree(set: TemplateSet, tree: Tree, data: Value, runtime: Runtime): string {
  const output: string[] = [];
  new Execution(set, tree, data, runtime, output, 0).run();
  return output.join("");
}

class Execution {
  readonly #set: TemplateSet;
  readonly #tree: Tree;
  readonly #data: Value;
  readonly #runtime: Runtime;
  readonly #output: string[];
  readonly #depth: number;
  readonly #vars: Variable[];
  #node: AnyNode | undefined;
  #dotIsInterface = false;
  #written = 0;

  constructor(set: TemplateSet, tree: Tree, data: Value, runtime: Runtime, output: string[], depth: number) {
    this.#set = set;
    this.#tree = tree;
    this.#data = data;
    this.#runtime = runtime;
    this.#output = output;
    this.#depth = depth;
    this.#vars = [{ name: "$", value: data, isInterface: false }];
  }

  run(): void {
    this.#runtime.meter.nested(() => this.#walkList(this.#data, this.#tree.root));
  }

  #fail(message: string, inner?: Error): never {
    const node = this.#node;
    const { parseName, text, name } = this.#tree;
    if (node === undefined) throw new ExecError(`template: ${name}: ${message}`, inner);
    const before = text.slice(0, node.pos);
    const line = before.split("\n").length;
    const column = byteLength(before.slice(before.lastIndexOf("\n") + 1));
    const where = `${parseName}:${line}:${column}`;
    throw new ExecError(`template: ${where}: executing ${quote(name)} at <${printNode(node)}>: ${message}`, inner);
  }

  #write(text: string): void {
    this.#written += text.length;
    this.#runtime.meter.room(this.#written);
    this.#output.push(text);
  }

  #walkList(dot: Value, list: ListNode): Jump {
    for (const node of list.nodes) {
      this.#node = node;
      this.#runtime.meter.spend(1);
      let jump: Jump;
      switch (node.kind) {
        case "text":
          this.#write(node.text);
          break;
        case "action": {
          const value = this.#pipeline(dot, node.pipe);
          if (node.pipe.declared.length === 0) {
            this.#node = node;
            this.#write(this.#printable(value));
          }
          break;
        }
        case "if":
        case "with":
          jump = this.#ifOrWith(dot, node);
          break;
        case "range":
          jump = this.#range(dot, node);
          break;
        case "template":
          this.#template(dot, node);
          break;
        case "break":
        case "continue":
          return node.kind;
        default:
          node satisfies never;
      }
      if (jump !== undefined) return jump;
    }
    return undefined;
  }

  #printable(value: Value): string {
    if (typeof value === "string") return value;
    if (value === undefined || value === null) return "<no value>";
    if (value instanceof GoFunction) this.#fail(`can't print ${this.#nodeText()} of type func()`);
    return value instanceof Named && value.shownAs !== undefined ? value.shownAs : sprint(value);
  }

  #nodeText(): string {
    return this.#node === undefined ? "" : printNode(this.#node);
  }

  #ifOrWith(dot: Value, node: BranchNode): Jump {
    const known = this.#vars.length;
    const value = this.#pipeline(dot, node.pipe);
    const outerInterface = this.#dotIsInterface;
    let jump: Jump;
    if (isTrue(value)) {
      if (node.kind === "with") this.#dotIsInterface = false;
      jump = this.#walkList(node.kind === "with" ? value : dot, node.list);
    } else if (node.otherwise !== undefined) {
      jump = this.#walkList(dot, node.otherwise);
    }
    this.#dotIsInterface = outerInterface;
    this.#vars.length = known;
    return jump;
  }

  #range(dot: Value, node: BranchNode): Jump {
    const known = this.#vars.length;
    const value = this.#pipeline(dot, node.pipe);
    const mark = this.#vars.length;
    const outerInterface = this.#dotIsInterface;
    let jump: Jump;
    let ran = false;
    const { items, isInterface } = this.#steps(value, node.pipe.declared.length > 1);
    for (const [index, element] of items) {
      ran = true;
      this.#runtime.meter.spend(1);
      this.#assignRange(node.pipe, index, element, isInterface);
      this.#dotIsInterface = isInterface;
      const inner = this.#walkList(element, node.list);
      this.#vars.length = mark;
      if (inner === "break") break;
    }
    this.#dotIsInterface = outerInterface;
    if (!ran && node.otherwise !== undefined) jump = this.#walkList(dot, node.otherwise);
    this.#vars.length = known;
    return jump;
  }

  #steps(value: Value, wantsIndex: boolean): RangeSteps {
    try {
      return rangeSteps(value, wantsIndex);
    } catch (error) {
      if (error instanceof RangeProblem) return this.#fail(error.message);
      throw error;
    }
  }

  #assignRange(pipe: PipeNode, index: Value, element: Value, isInterface: boolean): void {
    const [first, second] = pipe.declared;
    if (first === undefined) return;
    const [one, two] = second === undefined ? [element, undefined] : [index, element];
    if (pipe.isAssign) {
      this.#setVariable(first.names[0] ?? "", one);
      if (second !== undefined) this.#setVariable(second.names[0] ?? "", two);
      return;
    }
    const top = this.#vars.length;
    if (second === undefined) {
      this.#setTop(top - 1, one, isInterface);
    } else {
      this.#setTop(top - 2, one, false);
      this.#setTop(top - 1, two, isInterface);
    }
  }

  #setTop(at: number, value: Value, isInterface: boolean): void {
    const variable = this.#vars[at];
    // Each iteration has its own variable: what an outer scope captured by name stays.
    if (variable !== undefined) this.#vars[at] = { name: variable.name, value, isInterface };
  }

  #setVariable(name: string, value: Value): void {
    const variable = this.#vars.findLast((known) => known.name === name);
    if (variable === undefined) this.#fail(`undefined variable: ${name}`);
    variable.value = value;
    variable.isInterface = false;
  }

  #template(dot: Value, node: TemplateNode): void {
    const tree = this.#set.lookup(node.name);
    if (tree === undefined) this.#fail(`template ${quote(node.name)} not defined`);
    if (this.#depth >= deepestTemplates) this.#fail(`exceeded maximum template depth (${deepestTemplates})`);
    const data = node.pipe === undefined ? undefined : this.#pipeline(dot, node.pipe);
    new Execution(this.#set, tree, data, this.#runtime, this.#output, this.#depth + 1).run();
  }

  #pipeline(dot: Value, pipe: PipeNode): Value {
    this.#node = pipe;
    let value: Final = missing;
    for (const command of pipe.commands) {
      value = this.#command(dot, command, value);
      if (value === null) value = undefined;
    }
    const result = value === missing ? undefined : value;
    for (const variable of pipe.declared) {
      const name = variable.names[0] ?? "";
      if (pipe.isAssign) this.#setVariable(name, result);
      else this.#vars.push({ name, value: result, isInterface: false });
    }
    return result;
  }

  #command(dot: Value, command: CommandNode, final: Final): Value {
    const first = command.args[0];
    if (first === undefined) return this.#fail("empty command");
    switch (first.kind) {
      case "field":
        return this.#field(dot, first, command.args, final);
      case "chain":
        return this.#chain(dot, first, command.args, final);
      case "identifier":
        return this.#function(dot, first, command, command.args, final);
      case "pipe":
        this.#notAFunction(command.args, final);
        return this.#pipeline(dot, first);
      case "variable":
        return this.#variable(dot, first, command.args, final);
      default:
        break;
    }
    this.#node = first;
    this.#notAFunction(command.args, final);
    switch (first.kind) {
      case "bool":
        return first.value;
      case "dot":
        return dot;
      case "nil":
        return this.#fail("nil is not a command");
      case "number":
        return this.#constant(first);
      case "string":
        return first.text;
      default:
        return first satisfies never;
    }
  }

  #notAFunction(args: readonly Operand[], final: Final): void {
    const first = args[0];
    if (first !== undefined && (args.length > 1 || final !== missing)) {
      this.#fail(`can't give argument to non-function ${printNode(first)}`);
    }
  }

  #constant(node: NumberNode): Value {
    this.#node = node;
    const isHex = /^0[xX]/.test(node.text) && !/[pP]/.test(node.text);
    const isRune = node.text.startsWith("'");
    if (node.float !== undefined && !isHex && !isRune && /[.eEpP]/.test(node.text)) return node.float;
    if (node.int !== undefined) return goInt(node.int);
    return this.#fail(`${node.text} overflows int`);
  }

  #field(dot: Value, node: FieldNode, args: readonly Operand[] | undefined, final: Final): Value {
    this.#node = node;
    return this.#fieldChain(dot, dot, this.#dotIsInterface, node, node.names, args, final);
  }

  #chain(dot: Value, node: ChainNode, args: readonly Operand[] | undefined, final: Final): Value {
    this.#node = node;
    if (node.node.kind === "nil") this.#fail(`indirection through explicit nil in ${printNode(node)}`);
    const receiver = this.#argument(dot, "interface {}", node.node);
    return this.#fieldChain(dot, receiver ?? undefined, false, node, node.names, args, final);
  }

  #variable(dot: Value, node: VariableNode, args: readonly Operand[] | undefined, final: Final): Value {
    this.#node = node;
    const name = node.names[0] ?? "";
    const variable = this.#vars.findLast((known) => known.name === name);
    if (variable === undefined) return this.#fail(`undefined variable: ${name}`);
    if (node.names.length === 1) {
      this.#notAFunction(args ?? [node], final);
      return variable.value;
    }
    return this.#fieldChain(dot, variable.value, variable.isInterface, node, node.names.slice(1), args, final);
  }

  #fieldChain(
    dot: Value,
    start: Value,
    startIsInterface: boolean,
    node: FieldNode | VariableNode | ChainNode,
    names: readonly string[],
    args: readonly Operand[] | undefined,
    final: Final,
  ): Value {
    let receiver = start;
    let isInterface = startIsInterface;
    const last = names.length - 1;
    for (let i = 0; i < last; i++) {
      const holder = receiver;
      receiver = this.#fieldOf(dot, names[i] ?? "", node, undefined, missing, receiver, isInterface);
      isInterface = mapEntries(holder) !== undefined && holdsInterfaces(holder);
    }
    return this.#fieldOf(dot, names[last] ?? "", node, args, final, receiver, isInterface);
  }

  #fieldOf(
    dot: Value,
    name: string,
    node: FieldNode | VariableNode | ChainNode,
    args: readonly Operand[] | undefined,
    final: Final,
    receiver: Value,
    isInterface: boolean,
  ): Value {
    if (receiver === undefined) return undefined;
    if (receiver === null) return this.#fail(`nil pointer evaluating interface {}.${name}`);
    const method = receiver instanceof Named ? receiver.methods.get(name) : this.#runtime.mapMethod(receiver, name);
    if (method !== undefined) return this.#call(dot, method, node, name, args, final);
    const hasArgs = (args !== undefined && args.length > 1) || final !== missing;
    const map = mapEntries(receiver);
    if (map !== undefined) {
      if (hasArgs) this.#fail(`${name} is not a method but has arguments`);
      const value = map.get(name);
      return value === undefined ? zeroOfMap(receiver) : value;
    }
    if (receiver instanceof Named && receiver.fields.has(name)) {
      if (hasArgs) this.#fail(`${name} has arguments but cannot be invoked as function`);
      return receiver.fields.get(name);
    }
    return this.#fail(`can't evaluate field ${name} in type ${isInterface ? "interface {}" : goType(receiver)}`);
  }

  #function(
    dot: Value,
    node: IdentifierNode,
    command: CommandNode | IdentifierNode,
    args: readonly Operand[] | undefined,
    final: Final,
  ): Value {
    this.#node = node;
    const own = this.#runtime.functions.get(node.name);
    if (own !== undefined) return this.#call(dot, own, command, node.name, args, final);
    if (node.name === "and" || node.name === "or") return this.#andOr(dot, node.name, args ?? [node], final);
    const builtin = node.name === "call" ? callOf(args?.[1]) : builtins.get(node.name);
    if (builtin === undefined) return this.#fail(`${quote(node.name)} is not a defined function`);
    return this.#call(dot, builtin, command, node.name, args, final);
  }

  #andOr(dot: Value, name: "and" | "or", args: readonly Operand[], final: Final): Value {
    const operands = args.slice(1);
    if (operands.length === 0 && final === missing) {
      this.#fail(`wrong number of args for ${name}: want at least 1 got 0`);
    }
    let value: Value;
    for (const operand of operands) {
      value = this.#argument(dot, "reflect.Value", operand);
      if (isTrue(value) === (name === "or")) return value;
    }
    return final === missing ? value : final;
  }

  #call(
    dot: Value,
    fn: GoFunction,
    node: AnyNode,
    name: string,
    args: readonly Operand[] | undefined,
    final: Final,
  ): Value {
    const operands = args === undefined ? [] : args.slice(1);
    const given = operands.length + (final === missing ? 0 : 1);
    const fixed = fn.params.length;
    if (fn.rest !== undefined && given < fixed) {
      this.#fail(`wrong number of args for ${name}: want at least ${fixed} got ${operands.length}`);
    }
    if (fn.rest === undefined && given !== fixed) {
      this.#fail(`wrong number of args for ${name}: want ${fixed} got ${given}`);
    }
    const values: Value[] = operands.map((operand, i) => this.#argument(dot, fn.params[i] ?? fn.rest ?? "", operand));
    if (final !== missing) values.push(this.#adapted(final, fn.params[operands.length] ?? fn.rest ?? ""));
    try {
      this.#runtime.meter.spend(1);
      const result = fn.call(values, this.#runtime.host);
      if (typeof result === "string") this.#runtime.meter.room(result.length);
      return result;
    } catch (error) {
      if (!(error instanceof GoError)) throw outOfRoom(error);
      this.#node = node;
      return this.#fail(`error calling ${name}: ${error.message}`, error);
    }
  }

  #adapted(value: Value, wanted: string): Value {
    try {
      return adapt(value, wanted);
    } catch (error) {
      if (error instanceof WrongType) return this.#fail(error.message);
      throw error;
    }
  }

  #argument(dot: Value, wanted: string, node: Operand): Value {
    this.#node = node;
    switch (node.kind) {
      case "dot":
        return this.#adapted(dot, wanted);
      case "nil":
        if (!canBeNil(wanted)) this.#fail(`cannot assign nil to ${wanted}`);
        return this.#adapted(undefined, wanted);
      case "field":
        return this.#adapted(this.#field(dot, node, [node], missing), wanted);
      case "variable":
        return this.#adapted(this.#variable(dot, node, undefined, missing), wanted);
      case "pipe":
        return this.#adapted(this.#pipeline(dot, node), wanted);
      case "identifier":
        return this.#adapted(this.#function(dot, node, node, undefined, missing), wanted);
      case "chain":
        return this.#adapted(this.#chain(dot, node, undefined, missing), wanted);
      default:
        return this.#literal(node, wanted);
    }
  }

  #literal(
    node: Exclude<Operand, { kind: "dot" | "nil" | "field" | "variable" | "pipe" | "identifier" | "chain" }>,
    wanted: string,
  ): Value {
    switch (wanted) {
      case "interface {}":
      case "reflect.Value":
        if (node.kind === "bool") return node.value;
        return node.kind === "string" ? node.text : this.#constant(node);
      case "string":
        return node.kind === "string" ? node.text : this.#fail(`expected string; found ${printNode(node)}`);
      case "bool":
        return node.kind === "bool" ? node.value : this.#fail(`expected bool; found ${printNode(node)}`);
      case "int":
      case "int64":
        if (node.kind === "number" && node.int !== undefined) return new Int(wanted, node.int);
        return this.#fail(`expected integer; found ${printNode(node)}`);
      case "uint32":
        if (node.kind === "number" && node.uint !== undefined) return new Int(wanted, BigInt.asUintN(32, node.uint));
        return this.#fail(`expected unsigned integer; found ${printNode(node)}`);
      case "float64":
        if (node.kind === "number" && node.float !== undefined) return node.float;
        return this.#fail(`expected float; found ${printNode(node)}`);
      default:
        return this.#fail(`can't handle ${printNode(node)} for arg of type ${wanted}`);
    }
  }
}

/** `call`, which names in its errors what was to be called. */
function callOf(callee: Operand | undefined): GoFunction {
  const name = callee === undefined ? "" : printNode(callee);
  return new GoFunction(["reflect.Value"], "reflect.Value", ([fn, ...args], host) => callValue(name, fn, args, host));
}

/** What Go gives for a key a map does not have: the zero value of its element type. */
function zeroOfMap(map: Value): Value {
  const type = goType(map);
  if (type === "map[string]string") return "";
  return type === "engine.files" ? new Uint8Array() : null;
}

/** JavaScript's own limits are limits too. */
function outOfRoom(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  const isStack = error.message.includes("call stack");
  return isStack
    ? new LimitReached("depth", "its templates call each other too deeply")
    : new LimitReached("output", `it would produce too much: ${error.message}`);
}

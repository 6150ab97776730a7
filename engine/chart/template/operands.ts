/**
 * Operands, commands and pipelines of templates: what stands between the braces.
 * @see https://pkg.go.dev/text/template
 */
import { quote } from "../go/quote.ts";
import { GoFunction, goType, isTrue, mapEntries, Named, type Value } from "../go/value.ts";
import { builtins, callValue } from "./builtins.ts";
import { adapt, canBeNil, countProblem, isAny, WrongType } from "./calls.ts";
import { GoError, outOfRoom } from "./failure.ts";
import { constantOf, literalAs } from "./literals.ts";
import type { Meter } from "./meter.ts";
import type {
  AnyNode,
  ChainNode,
  CommandNode,
  FieldNode,
  IdentifierNode,
  Operand,
  PipeNode,
  Tree,
  VariableNode,
} from "./nodes.ts";
import { printNode } from "./nodes.ts";
import { execError } from "./places.ts";
import { holdsInterfaces, RangeProblem } from "./ranges.ts";
import { Scope } from "./scope.ts";

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

/** Evaluates the pipelines of one template; it knows the variables, and where the run stands for error messages. */
export class Operands {
  readonly vars: Scope;
  /** What is being evaluated. */
  node: AnyNode | undefined;
  /** Whether Go would hold the dot as an interface, which error messages tell. */
  dotIsInterface = false;
  readonly #tree: Tree;
  readonly #runtime: Runtime;

  constructor(tree: Tree, data: Value, runtime: Runtime) {
    this.#tree = tree;
    this.#runtime = runtime;
    this.vars = new Scope(data);
  }

  /** @throws ExecError always */
  fail(message: string, inner?: Error): never {
    throw execError(this.#tree, this.node, message, inner);
  }

  /** Gives a declared variable another value. @throws ExecError when there is none of that name */
  assign(variable: VariableNode, value: Value): void {
    const name = variable.names[0] ?? "";
    if (!this.vars.assign(name, value)) this.fail(`undefined variable: ${name}`);
  }

  /** The value of a pipeline; variables it declares are there afterwards. @throws ExecError, LimitReached */
  pipeline(dot: Value, pipe: PipeNode): Value {
    this.node = pipe;
    let value: Final = missing;
    for (const command of pipe.commands) {
      value = this.#command(dot, command, value);
      if (value === null) value = undefined;
    }
    const result = value === missing ? undefined : value;
    for (const variable of pipe.declared) {
      if (pipe.isAssign) this.assign(variable, result);
      else this.vars.declare(variable.names[0] ?? "", result);
    }
    return result;
  }

  #command(dot: Value, command: CommandNode, final: Final): Value {
    const first = command.args[0];
    if (first === undefined) return this.fail("empty command");
    switch (first.kind) {
      case "field":
        return this.#field(dot, first, command.args, final);
      case "chain":
        return this.#chain(dot, first, command.args, final);
      case "identifier":
        return this.#function(dot, first, command, command.args, final);
      case "pipe":
        this.#notAFunction(command.args, final);
        return this.pipeline(dot, first);
      case "variable":
        return this.#variable(dot, first, command.args, final);
      default:
        break;
    }
    this.node = first;
    this.#notAFunction(command.args, final);
    switch (first.kind) {
      case "bool":
        return first.value;
      case "dot":
        return dot;
      case "nil":
        return this.fail("nil is not a command");
      case "number":
        return this.orFail(() => constantOf(first));
      case "string":
        return first.text;
      default:
        return first satisfies never;
    }
  }

  #notAFunction(args: readonly Operand[], final: Final): void {
    const first = args[0];
    if (first !== undefined && (args.length > 1 || final !== missing)) {
      this.fail(`can't give argument to non-function ${printNode(first)}`);
    }
  }

  #field(dot: Value, node: FieldNode, args: readonly Operand[] | undefined, final: Final): Value {
    this.node = node;
    return this.#fieldChain(dot, dot, this.dotIsInterface, node, node.names, args, final);
  }

  #chain(dot: Value, node: ChainNode, args: readonly Operand[] | undefined, final: Final): Value {
    this.node = node;
    if (node.node.kind === "nil") this.fail(`indirection through explicit nil in ${printNode(node)}`);
    const receiver = this.#argument(dot, "interface {}", node.node);
    return this.#fieldChain(dot, receiver ?? undefined, false, node, node.names, args, final);
  }

  #variable(dot: Value, node: VariableNode, args: readonly Operand[] | undefined, final: Final): Value {
    this.node = node;
    const name = node.names[0] ?? "";
    const variable = this.vars.find(name);
    if (variable === undefined) return this.fail(`undefined variable: ${name}`);
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
    if (receiver === null) return this.fail(`nil pointer evaluating interface {}.${name}`);
    const method = receiver instanceof Named ? receiver.methods.get(name) : this.#runtime.mapMethod(receiver, name);
    if (method !== undefined) return this.#call(dot, method, node, name, args, final);
    const map = mapEntries(receiver);
    const isField = map === undefined && receiver instanceof Named && receiver.fields.has(name);
    if (map === undefined && !isField) {
      return this.fail(`can't evaluate field ${name} in type ${isInterface ? "interface {}" : goType(receiver)}`);
    }
    if ((args !== undefined && args.length > 1) || final !== missing) {
      this.fail(
        `${name} ${isField ? "has arguments but cannot be invoked as function" : "is not a method but has arguments"}`,
      );
    }
    return fieldValue(receiver, name);
  }

  #function(
    dot: Value,
    node: IdentifierNode,
    command: CommandNode | IdentifierNode,
    args: readonly Operand[] | undefined,
    final: Final,
  ): Value {
    this.node = node;
    const own = this.#runtime.functions.get(node.name);
    if (own !== undefined) return this.#call(dot, own, command, node.name, args, final);
    if (node.name === "and" || node.name === "or") return this.#andOr(dot, node.name, args ?? [node], final);
    const builtin = node.name === "call" ? callOf(args?.[1]) : builtins.get(node.name);
    if (builtin === undefined) return this.fail(`${quote(node.name)} is not a defined function`);
    return this.#call(dot, builtin, command, node.name, args, final);
  }

  #andOr(dot: Value, name: "and" | "or", args: readonly Operand[], final: Final): Value {
    const operands = args.slice(1);
    if (operands.length === 0 && final === missing) {
      this.fail(`wrong number of args for ${name}: want at least 1 got 0`);
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
    const problem = countProblem(fn, operands.length, given);
    if (problem !== undefined) this.fail(`wrong number of args for ${name}: ${problem}`);
    const values: Value[] = operands.map((operand, i) => this.#argument(dot, fn.params[i] ?? fn.rest ?? "", operand));
    if (final !== missing) values.push(this.#adapted(final, fn.params[operands.length] ?? fn.rest ?? ""));
    try {
      this.#runtime.meter.spend(1);
      const result = fn.call(values, this.#runtime.host);
      if (typeof result === "string") this.#runtime.meter.room(result.length);
      return result;
    } catch (error) {
      if (!(error instanceof GoError)) throw outOfRoom(error);
      this.node = node;
      return this.fail(`error calling ${name}: ${error.message}`, error);
    }
  }

  #adapted(value: Value, wanted: string): Value {
    return isAny(wanted) ? value : this.orFail(() => adapt(value, wanted));
  }

  /** Tells of a mistake where the template made it. */
  orFail<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (error instanceof WrongType || error instanceof RangeProblem) return this.fail(error.message);
      throw error;
    }
  }

  #argument(dot: Value, wanted: string, node: Operand): Value {
    this.node = node;
    switch (node.kind) {
      case "dot":
        return this.#adapted(dot, wanted);
      case "nil":
        if (!canBeNil(wanted)) this.fail(`cannot assign nil to ${wanted}`);
        return this.#adapted(undefined, wanted);
      case "field":
        return this.#adapted(this.#field(dot, node, [node], missing), wanted);
      case "variable":
        return this.#adapted(this.#variable(dot, node, undefined, missing), wanted);
      case "pipe":
        return this.#adapted(this.pipeline(dot, node), wanted);
      case "identifier":
        return this.#adapted(this.#function(dot, node, node, undefined, missing), wanted);
      case "chain":
        return this.#adapted(this.#chain(dot, node, undefined, missing), wanted);
      default:
        return this.orFail(() => literalAs(node, wanted));
    }
  }
}

/** `call`, which names in its errors what was to be called. */
function callOf(callee: Operand | undefined): GoFunction {
  const name = callee === undefined ? "" : printNode(callee);
  return new GoFunction(["reflect.Value"], "reflect.Value", ([fn, ...args], host) => callValue(name, fn, args, host));
}

function fieldValue(receiver: Value, name: string): Value {
  const map = mapEntries(receiver);
  if (map === undefined) return receiver instanceof Named ? receiver.fields.get(name) : undefined;
  const value = map.get(name);
  return value === undefined ? zeroOfMap(receiver) : value;
}

/** What Go gives for a key a map does not have: the zero value of its element type. */
function zeroOfMap(map: Value): Value {
  const type = goType(map);
  if (type === "map[string]string") return "";
  return type === "engine.files" ? new Uint8Array() : null;
}

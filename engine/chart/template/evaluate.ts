/**
 * Runs parsed templates: Go's text/template execution with its rules for nil, missing keys, truth, ranges and calls.
 * @see https://pkg.go.dev/text/template
 */
import { sprint } from "../go/format.ts";
import { quote } from "../go/quote.ts";
import { GoFunction, isTrue, Named, type Value } from "../go/value.ts";
import { GoError } from "./failure.ts";
import type { BranchNode, ListNode, PipeNode, TemplateNode, Tree } from "./nodes.ts";
import { printNode } from "./nodes.ts";
import { Operands, type Runtime } from "./operands.ts";
import { rangeSteps } from "./ranges.ts";

/** The templates that can call each other. */
export interface TemplateSet {
  lookup(name: string): Tree | undefined;
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
  readonly #operands: Operands;
  #written = 0;

  constructor(set: TemplateSet, tree: Tree, data: Value, runtime: Runtime, output: string[], depth: number) {
    this.#set = set;
    this.#tree = tree;
    this.#data = data;
    this.#runtime = runtime;
    this.#output = output;
    this.#depth = depth;
    this.#operands = new Operands(tree, data, runtime);
  }

  run(): void {
    this.#runtime.meter.nested(() => this.#walkList(this.#data, this.#tree.root));
  }

  #write(text: string): void {
    this.#written += text.length;
    this.#runtime.meter.room(this.#written);
    this.#output.push(text);
  }

  #walkList(dot: Value, list: ListNode): Jump {
    for (const node of list.nodes) {
      this.#operands.node = node;
      this.#runtime.meter.spend(1);
      let jump: Jump;
      switch (node.kind) {
        case "text":
          this.#write(node.text);
          break;
        case "action": {
          const value = this.#operands.pipeline(dot, node.pipe);
          if (node.pipe.declared.length === 0) {
            this.#operands.node = node;
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
    if (value instanceof GoFunction) this.#operands.fail(`can't print ${this.#nodeText()} of type func()`);
    return value instanceof Named && value.shownAs !== undefined ? value.shownAs : sprint(value);
  }

  #nodeText(): string {
    return this.#operands.node === undefined ? "" : printNode(this.#operands.node);
  }

  #ifOrWith(dot: Value, node: BranchNode): Jump {
    const known = this.#operands.vars.size;
    const value = this.#operands.pipeline(dot, node.pipe);
    const outerInterface = this.#operands.dotIsInterface;
    let jump: Jump;
    if (isTrue(value)) {
      if (node.kind === "with") this.#operands.dotIsInterface = false;
      jump = this.#walkList(node.kind === "with" ? value : dot, node.list);
    } else if (node.otherwise !== undefined) {
      jump = this.#walkList(dot, node.otherwise);
    }
    this.#operands.dotIsInterface = outerInterface;
    this.#operands.vars.leave(known);
    return jump;
  }

  #range(dot: Value, node: BranchNode): Jump {
    const known = this.#operands.vars.size;
    const value = this.#operands.pipeline(dot, node.pipe);
    const mark = this.#operands.vars.size;
    const outerInterface = this.#operands.dotIsInterface;
    let jump: Jump;
    let ran = false;
    const { items, isInterface } = this.#operands.orFail(() => rangeSteps(value, node.pipe.declared.length > 1));
    for (const [index, element] of items) {
      ran = true;
      this.#runtime.meter.spend(1);
      this.#setRangeVariables(node.pipe, index, element, isInterface);
      this.#operands.dotIsInterface = isInterface;
      const inner = this.#walkList(element, node.list);
      this.#operands.vars.leave(mark);
      if (inner === "break") break;
    }
    this.#operands.dotIsInterface = outerInterface;
    if (!ran && node.otherwise !== undefined) jump = this.#walkList(dot, node.otherwise);
    this.#operands.vars.leave(known);
    return jump;
  }

  #setRangeVariables(pipe: PipeNode, index: Value, element: Value, isInterface: boolean): void {
    const [first, second] = pipe.declared;
    if (first === undefined) return;
    if (!pipe.isAssign) {
      if (second !== undefined) this.#operands.vars.renew(2, index, false);
      this.#operands.vars.renew(1, element, isInterface);
      return;
    }
    this.#operands.assign(first, second === undefined ? element : index);
    if (second !== undefined) this.#operands.assign(second, element);
  }

  #template(dot: Value, node: TemplateNode): void {
    const tree = this.#set.lookup(node.name);
    if (tree === undefined) this.#operands.fail(`template ${quote(node.name)} not defined`);
    if (this.#depth >= deepestTemplates) this.#operands.fail(`exceeded maximum template depth (${deepestTemplates})`);
    const data = node.pipe === undefined ? undefined : this.#operands.pipeline(dot, node.pipe);
    new Execution(this.#set, tree, data, this.#runtime, this.#output, this.#depth + 1).run();
  }
}

/** The syntax tree of a Go template, and its text as error messages quote it. */
import { quote } from "../go/quote.ts";

/** A number literal with every reading Go gives it. */
export interface NumberNode {
  readonly kind: "number";
  readonly pos: number;
  readonly text: string;
  /** Present when the literal has an integral value in range of int64. */
  readonly int: bigint | undefined;
  /** Present when the literal has an integral value in range of uint64. */
  readonly uint: bigint | undefined;
  readonly float: number | undefined;
}

export interface FieldNode {
  readonly kind: "field";
  readonly pos: number;
  readonly names: readonly string[];
}

export interface VariableNode {
  readonly kind: "variable";
  readonly pos: number;
  /** `$x` first, then the fields. */
  readonly names: readonly string[];
}

export interface ChainNode {
  readonly kind: "chain";
  readonly pos: number;
  readonly node: Operand;
  readonly names: readonly string[];
}

export interface IdentifierNode {
  readonly kind: "identifier";
  readonly pos: number;
  readonly name: string;
}

export interface PipeNode {
  readonly kind: "pipe";
  readonly pos: number;
  readonly isAssign: boolean;
  readonly declared: readonly VariableNode[];
  readonly commands: readonly CommandNode[];
}

export interface CommandNode {
  readonly kind: "command";
  readonly pos: number;
  readonly args: readonly Operand[];
}

export type Operand =
  | NumberNode
  | FieldNode
  | VariableNode
  | ChainNode
  | IdentifierNode
  | PipeNode
  | { readonly kind: "dot"; readonly pos: number }
  | { readonly kind: "nil"; readonly pos: number }
  | { readonly kind: "bool"; readonly pos: number; readonly value: boolean }
  | { readonly kind: "string"; readonly pos: number; readonly quoted: string; readonly text: string };

export interface BranchNode {
  readonly kind: "if" | "range" | "with";
  readonly pos: number;
  readonly pipe: PipeNode;
  readonly list: ListNode;
  readonly otherwise: ListNode | undefined;
}

export interface TemplateNode {
  readonly kind: "template";
  readonly pos: number;
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}

export interface ActionNode {
  readonly kind: "action";
  readonly pos: number;
  readonly pipe: PipeNode;
}

export interface ListNode {
  readonly kind: "list";
  readonly pos: number;
  readonly nodes: readonly Statement[];
}

export type Statement =
  | { readonly kind: "text"; readonly pos: number; readonly text: string }
  | ActionNode
  | BranchNode
  | TemplateNode
  | { readonly kind: "break" | "continue"; readonly pos: number };

export type AnyNode = Statement | Operand | CommandNode | ListNode;

/** One named template: the body of a file or of a `define`. */
export interface Tree {
  readonly name: string;
  /** The file it was written in, as error messages name it. */
  readonly parseName: string;
  /** The whole text of that file; node positions are offsets into it. */
  readonly text: string;
  readonly root: ListNode;
}

/** The source text of a node, normalised as Go's `Node.String()`. */
export function printNode(node: AnyNode): string {
  switch (node.kind) {
    case "text":
      return node.text;
    case "action":
      return `{{${printNode(node.pipe)}}}`;
    case "if":
    case "range":
    case "with": {
      const otherwise = node.otherwise === undefined ? "" : `{{else}}${printNode(node.otherwise)}`;
      return `{{${node.kind} ${printNode(node.pipe)}}}${printNode(node.list)}${otherwise}{{end}}`;
    }
    case "template":
      return `{{template ${quote(node.name)}${node.pipe === undefined ? "" : ` ${printNode(node.pipe)}`}}}`;
    case "break":
    case "continue":
      return `{{${node.kind}}}`;
    case "list":
      return node.nodes.map(printNode).join("");
    case "pipe": {
      const declared = node.declared.map(printNode).join(", ");
      const prefix = node.declared.length === 0 ? "" : `${declared} ${node.isAssign ? "=" : ":="} `;
      return prefix + node.commands.map(printNode).join(" | ");
    }
    case "command":
      return node.args.map((arg) => (arg.kind === "pipe" ? `(${printNode(arg)})` : printNode(arg))).join(" ");
    case "field":
      return node.names.map((name) => `.${name}`).join("");
    case "variable":
      return node.names.join(".");
    case "chain": {
      const inner = node.node.kind === "pipe" ? `(${printNode(node.node)})` : printNode(node.node);
      return inner + node.names.map((name) => `.${name}`).join("");
    }
    case "identifier":
      return node.name;
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(node.value);
    case "number":
      return node.text;
    case "string":
      return node.quoted;
    default:
      return node satisfies never;
  }
}

/** Whether a body holds nothing but comments and white space: such a definition never replaces another. */
export function isEmptyBody(list: ListNode): boolean {
  return list.nodes.every((node) => node.kind === "text" && /^\s*$/.test(node.text));
}

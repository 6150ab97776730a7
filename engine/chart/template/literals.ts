/** Literals of templates as values of the Go types they are wanted as. */
import { goInt, Int, type Value } from "../go/value.ts";
import { isAny, WrongType } from "./calls.ts";
import { type NumberNode, type Operand, printNode } from "./nodes.ts";

/** A literal that is an argument. */
export type Literal = Extract<Operand, { kind: "bool" | "string" | "number" }>;

/** A number by itself: a float when it is written as one, an int otherwise. @throws WrongType when it overflows */
export function constantOf(node: NumberNode): Value {
  const isHex = /^0[xX]/.test(node.text) && !/[pP]/.test(node.text);
  const isRune = node.text.startsWith("'");
  if (node.float !== undefined && !isHex && !isRune && /[.eEpP]/.test(node.text)) return node.float;
  if (node.int !== undefined) return goInt(node.int);
  throw new WrongType(`${node.text} overflows int`);
}

/** A literal as a parameter's Go type. @throws WrongType with Go's words */
export function literalAs(node: Literal, wanted: string): Value {
  if (isAny(wanted)) return anyLiteral(node);
  const read = readers.get(wanted);
  if (read === undefined) throw new WrongType(`can't handle ${printNode(node)} for arg of type ${wanted}`);
  const value = read.as(node);
  if (value === undefined) throw new WrongType(`expected ${read.what}; found ${printNode(node)}`);
  return value;
}

function anyLiteral(node: Literal): Value {
  if (node.kind === "bool") return node.value;
  return node.kind === "string" ? node.text : constantOf(node);
}

interface Reader {
  /** What messages call the type. */
  readonly what: string;
  /** The literal as this type; undefined when it is none. */
  readonly as: (node: Literal) => Value;
}

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["string", { what: "string", as: (node) => (node.kind === "string" ? node.text : undefined) }],
  ["bool", { what: "bool", as: (node) => (node.kind === "bool" ? node.value : undefined) }],
  ["int", { what: "integer", as: (node) => integerAs(node, "int") }],
  ["int64", { what: "integer", as: (node) => integerAs(node, "int64") }],
  ["uint32", { what: "unsigned integer", as: unsignedOf }],
  ["float64", { what: "float", as: (node) => (node.kind === "number" ? node.float : undefined) }],
]);

function integerAs(node: Literal, kind: "int" | "int64"): Value {
  return node.kind === "number" && node.int !== undefined ? new Int(kind, node.int) : undefined;
}

function unsignedOf(node: Literal): Value {
  if (node.kind !== "number" || node.uint === undefined) return undefined;
  return new Int("uint32", BigInt.asUintN(32, node.uint));
}

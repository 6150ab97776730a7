/** Go's words for where a running template failed. */
import { byteLength } from "../go/bytes.ts";
import { quote } from "../go/quote.ts";
import { ExecError } from "./failure.ts";
import { type AnyNode, printNode, type Tree } from "./nodes.ts";

/** The error of a template that failed at a node: file, line and column in bytes, template and the node's text. */
export function execError(tree: Tree, node: AnyNode | undefined, message: string, inner: Error | undefined): ExecError {
  const { parseName, text, name } = tree;
  if (node === undefined) return new ExecError(`template: ${name}: ${message}`, inner);
  const before = text.slice(0, node.pos);
  const line = before.split("\n").length;
  const column = byteLength(before.slice(before.lastIndexOf("\n") + 1));
  const where = `${parseName}:${line}:${column}`;
  return new ExecError(`template: ${where}: executing ${quote(name)} at <${printNode(node)}>: ${message}`, inner);
}

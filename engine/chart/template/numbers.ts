/** Number literals of templates, with every reading Go gives them. */
import { parseFloat64, parseInteger } from "../go/floats.ts";
import { unquoteRune } from "../go/quote.ts";
import type { Token } from "./lex.ts";
import type { NumberNode } from "./nodes.ts";

/** A literal that is no number; the message is Go's. */
export class NumberError extends Error {}

function fail(message: string): never {
  throw new NumberError(message);
}

/** Reads a number or character literal. @throws NumberError */
export function numberNode(token: Token): NumberNode {
  const { pos, text } = token;
  if (token.kind === "charConstant") {
    const code = unquoteRune(text) ?? fail(`malformed character constant: ${text}`);
    return { kind: "number", pos, text, int: BigInt(code), uint: BigInt(code), float: code };
  }
  const integer = parseInteger(text, 0);
  const int = integer !== undefined && fitsInt(integer) ? integer : undefined;
  const uint = integer !== undefined && fitsUint(integer) && !/^[+-]/.test(text) ? integer : undefined;
  if (int !== undefined || uint !== undefined) {
    return { kind: "number", pos, text, int, uint, float: Number(integer) };
  }
  return floatNode(pos, text);
}

function fitsInt(integer: bigint): boolean {
  return integer >= -(1n << 63n) && integer < 1n << 63n;
}

function fitsUint(integer: bigint): boolean {
  return integer >= 0n && integer < 1n << 64n;
}

function floatNode(pos: number, text: string): NumberNode {
  const float = parseFloat64(text);
  if (float === undefined) return fail(`illegal number syntax: ${JSON.stringify(text)}`);
  // As Go: something that looks like an integer but needs a float is an overflow.
  if (!/[.eEpP]/.test(text)) return fail(`integer overflow: ${JSON.stringify(text)}`);
  const whole = Number.isInteger(float) && Math.abs(float) < 2 ** 63 ? BigInt(float) : undefined;
  return {
    kind: "number",
    pos,
    text,
    int: whole,
    uint: whole !== undefined && whole >= 0n ? whole : undefined,
    float,
  };
}

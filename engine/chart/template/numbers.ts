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
  const isInt = integer !== undefined && integer >= -(1n << 63n) && integer < 1n << 63n;
  const isUint = integer !== undefined && integer >= 0n && integer < 1n << 64n && !/^[+-]/.test(text);
  if (isInt || isUint) {
    const int = isInt ? integer : undefined;
    return { kind: "number", pos, text, int, uint: isUint ? integer : undefined, float: Number(integer) };
  }
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

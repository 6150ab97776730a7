/** Calling functions as Go's text/template does: counting arguments, checking and adapting their types. */
import { type GoFunction, goType, Int, isList, Named, nilList, nilMap, type Value } from "../go/value.ts";

/** Go types of parameters whose values need no change on the way in. */
const nilableTypes = new Set(["interface {}", "reflect.Value", "map[string]interface {}", "[]interface {}"]);

/** Whether a parameter of a Go type takes nil. */
export function canBeNil(goType: string): boolean {
  return nilableTypes.has(goType);
}

/** What is wrong with the number of arguments, in Go's words, which do not count the piped one for variadic functions. */
export function countProblem(fn: GoFunction, written: number, given: number): string | undefined {
  const fixed = fn.params.length;
  if (fn.rest === undefined) return given === fixed ? undefined : `want ${fixed} got ${given}`;
  return given < fixed ? `want at least ${fixed} got ${written}` : undefined;
}

/** Whether a parameter takes any value as it is. */
export function isAny(goType: string): boolean {
  return goType === "interface {}" || goType === "reflect.Value";
}

/** A value or literal that fits no parameter of the wanted type; the message is Go's. */
export class WrongType extends Error {}

/**
 * Adapts a value to a parameter's Go type, as `validateType` does.
 * @throws WrongType with Go's words
 */
export function adapt(value: Value, wanted: string): Value {
  if (isAny(wanted)) return value;
  if (value === undefined) {
    if (!nilableTypes.has(wanted)) throw new WrongType(`invalid value; expected ${wanted}`);
    return wanted === "map[string]interface {}" ? nilMap() : nilList();
  }
  if (value === null) throw new WrongType(`wrong type for value; expected ${wanted}; got interface {}`);
  if (fits(value, wanted)) return value;
  throw new WrongType(`wrong type for value; expected ${wanted}; got ${goType(value)}`);
}

function fits(value: Value, wanted: string): boolean {
  switch (wanted) {
    case "string":
      return typeof value === "string";
    case "bool":
      return typeof value === "boolean";
    case "float64":
      return typeof value === "number";
    case "map[string]interface {}":
      return value instanceof Map && (goType(value) === wanted || goType(value) === "common.Values");
    case "[]interface {}":
      return isList(value) && goType(value) === wanted;
    default:
      if (value instanceof Int) return value.kind === wanted;
      return value instanceof Named && (value.goType === wanted || value.goType === `*${wanted}`);
  }
}

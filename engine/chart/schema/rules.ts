/** The keywords of JSON Schema that need no other schema. */
import { formatFloat } from "../go/floats.ts";
import { isList, type Value, type ValueMap } from "../go/value.ts";
import { decimal, problem, type SchemaProblem, shown } from "./problems.ts";

/** Where a value stands in the document. */
export type Path = readonly string[];

/** Types in the order messages list them. */
export const typeOrder: readonly string[] = ["null", "boolean", "number", "integer", "string", "array", "object"];

/** The JSON type of a value. */
export function typeName(value: Value): string {
  if (value === null || value === undefined) return "null";
  if (value instanceof Map) return "object";
  if (isList(value)) return "array";
  return typeof value === "string" ? "string" : typeof value === "boolean" ? "boolean" : "number";
}

/** Whether a value is of a JSON type. */
export function isOfType(value: Value, name: string): boolean {
  const found = typeName(value);
  return found === name || (name === "integer" && typeof value === "number" && Number.isInteger(value));
}

/** What a value outside an enum is told. */
export function enumWords(choices: readonly Value[]): string {
  if (choices.some((choice) => choice instanceof Map || isList(choice))) return "'enum' failed";
  const [only] = choices;
  if (choices.length === 1) return `value must be ${shown(only)}`;
  return `value must be one of ${choices.map(shown).join(", ")}`;
}

/** A numeric keyword. */
export function countOf(schema: ValueMap, key: string): number | undefined {
  const value = schema.get(key);
  return typeof value === "number" ? value : undefined;
}

/** Names that are required and not there. */
export function missingOf(required: Value, value: ValueMap): string[] {
  return isList(required) ? required.filter((name) => typeof name === "string").filter((name) => !value.has(name)) : [];
}

/** The problems of a number. */
export function numberProblems(schema: ValueMap, value: number, at: Path): SchemaProblem[] {
  const found: SchemaProblem[] = [];
  const check = (key: string, isBad: (limit: number) => boolean, words = key): void => {
    const limit = schema.get(key);
    if (typeof limit === "number" && isBad(limit)) {
      found.push(problem(at, `${words}: got ${decimal(value)}, want ${decimal(limit)}`));
    }
  };
  // In draft 4 exclusiveMinimum is a boolean beside minimum.
  const strictMin = schema.get("exclusiveMinimum") === true;
  const strictMax = schema.get("exclusiveMaximum") === true;
  check(
    "minimum",
    (limit) => value < limit || (strictMin && value === limit),
    strictMin ? "exclusiveMinimum" : "minimum",
  );
  check(
    "maximum",
    (limit) => value > limit || (strictMax && value === limit),
    strictMax ? "exclusiveMaximum" : "maximum",
  );
  check("exclusiveMinimum", (limit) => value <= limit);
  check("exclusiveMaximum", (limit) => value >= limit);
  check("multipleOf", (limit) => limit !== 0 && !isMultiple(value, limit));
  return found;
}

/** Decimal numbers are exact multiples of decimal numbers: 0.3 of 0.1. */
function isMultiple(value: number, step: number): boolean {
  const [a, b] = [value, step].map((number) => formatFloat(number, "f", -1).split("."));
  const places = Math.max(a?.[1]?.length ?? 0, b?.[1]?.length ?? 0);
  const units = (parts: readonly string[] | undefined): bigint => {
    const [whole = "0", fraction = ""] = parts ?? [];
    return BigInt(whole + fraction.padEnd(places, "0"));
  };
  return units(a) % units(b) === 0n;
}

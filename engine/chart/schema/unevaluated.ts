/** `unevaluatedProperties`: what is left when every other keyword has looked. */
import { isList, sortedKeys, type Value, type ValueMap } from "../go/value.ts";
import { schemasOf } from "./objects.ts";
import type { SchemaProblem } from "./problems.ts";
import type { Path } from "./rules.ts";
import { deepestSchemas, type Validation } from "./validation.ts";

/** The problems of properties that no other part of a schema looked at. */
export function unevaluatedProblems(validation: Validation, schema: ValueMap, value: Value, at: Path): SchemaProblem[] {
  const rest = schema.get("unevaluatedProperties");
  if (rest === undefined || !(value instanceof Map)) return [];
  const known = evaluatedNames(validation, schema, value, at, 0);
  if (known === "all") return [];
  return sortedKeys(value)
    .filter((name) => !known.has(name))
    .flatMap((name) => validation.inner(rest, value.get(name), [...at, name]));
}

/** Names of properties that some applicable part of a schema looked at. */
function evaluatedNames(
  validation: Validation,
  schema: Value,
  value: ValueMap,
  at: Path,
  depth: number,
): Set<string> | "all" {
  const names = new Set<string>();
  if (!(schema instanceof Map) || depth > deepestSchemas) return names;
  if (schema.has("additionalProperties") || (depth > 0 && schema.has("unevaluatedProperties"))) return "all";
  for (const name of value.keys()) if (schemasOf(validation, schema, name).length > 0) names.add(name);
  for (const inner of applicableSchemas(validation, schema, value, at)) {
    const more = evaluatedNames(validation, inner, value, at, depth + 1);
    if (more === "all") return "all";
    for (const name of more) names.add(name);
  }
  return names;
}

/** The subschemas that apply to the same value and accept it. */
function applicableSchemas(validation: Validation, schema: ValueMap, value: Value, at: Path): Value[] {
  const lists = ["allOf", "anyOf", "oneOf"].flatMap((key) => {
    const inner = schema.get(key);
    return isList(inner) ? inner : [];
  });
  const reference = schema.get("$ref");
  if (typeof reference === "string") lists.push(validation.resolve(reference));
  const condition = schema.get("if");
  if (condition !== undefined) {
    const holds = validation.check(condition, value, at).length === 0;
    if (holds) lists.push(condition);
    lists.push(schema.get(holds ? "then" : "else"));
  }
  return lists.filter((inner) => inner instanceof Map && validation.check(inner, value, at).length === 0);
}

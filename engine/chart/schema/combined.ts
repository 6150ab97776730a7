/** The keywords that combine schemas for one value: `not`, `allOf`, `anyOf`, `oneOf` and `if`. */
import { isList, type Value, type ValueMap } from "../go/value.ts";
import { problem, type SchemaProblem } from "./problems.ts";
import type { Path } from "./rules.ts";
import type { Validation } from "./validation.ts";

/** The problems of a value by the combining keywords of a schema. */
export function combinedProblems(validation: Validation, schema: ValueMap, value: Value, at: Path): SchemaProblem[] {
  const found: SchemaProblem[] = [];
  const not = schema.get("not");
  if (not !== undefined && isValid(validation, not, value, at)) found.push(problem(at, "'not' failed"));
  const allOf = schema.get("allOf");
  if (isList(allOf)) found.push(...allOfProblems(validation, allOf, value, at));
  const anyOf = schema.get("anyOf");
  if (isList(anyOf)) found.push(...anyOfProblems(validation, anyOf, value, at));
  const oneOf = schema.get("oneOf");
  if (isList(oneOf)) found.push(...oneOfProblems(validation, oneOf, value, at));
  const condition = schema.get("if");
  if (condition !== undefined && validation.draft >= 7) {
    const branch = isValid(validation, condition, value, at) ? "then" : "else";
    found.push(...validation.inner(schema.get(branch), value, at));
  }
  return found;
}

function isValid(validation: Validation, schema: Value, value: Value, at: Path): boolean {
  return validation.check(schema, value, at).length === 0;
}

function allOfProblems(
  validation: Validation,
  schemas: readonly Value[],
  value: Value,
  at: Path,
): readonly SchemaProblem[] {
  const causes = schemas.flatMap((inner) => validation.inner(inner, value, at));
  return causes.length === 0 ? [] : [problem(at, "'allOf' failed", causes)];
}

function anyOfProblems(
  validation: Validation,
  schemas: readonly Value[],
  value: Value,
  at: Path,
): readonly SchemaProblem[] {
  const results = schemas.map((inner) => validation.inner(inner, value, at));
  const isMatched = results.some((result) => result.length === 0);
  return isMatched ? [] : [problem(at, "'anyOf' failed", results.flat())];
}

function oneOfProblems(validation: Validation, schemas: readonly Value[], value: Value, at: Path): SchemaProblem[] {
  const results = schemas.map((inner) => validation.inner(inner, value, at));
  const [first, second] = results.flatMap((result, i) => (result.length === 0 ? [i] : []));
  if (first === undefined) return [problem(at, "'oneOf' failed, none matched", results.flat())];
  return second === undefined ? [] : [problem(at, `'oneOf' failed, subschemas ${first}, ${second} matched`)];
}

/** The keywords of JSON Schema for arrays. */
import { deepEqual } from "../go/equal.ts";
import { isList, type Value, type ValueMap } from "../go/value.ts";
import { grouped, problem, type SchemaProblem } from "./problems.ts";
import { countOf, type Path } from "./rules.ts";
import type { Validation } from "./validation.ts";

/** The problems of an array. */
export function arrayProblems(
  validation: Validation,
  schema: ValueMap,
  value: readonly Value[],
  at: Path,
): SchemaProblem[] {
  const found: SchemaProblem[] = [];
  const min = countOf(schema, "minItems");
  const max = countOf(schema, "maxItems");
  if (min !== undefined && value.length < min)
    found.push(problem(at, `minItems: got ${grouped(value.length)}, want ${grouped(min)}`));
  if (max !== undefined && value.length > max)
    found.push(problem(at, `maxItems: got ${grouped(value.length)}, want ${grouped(max)}`));
  if (schema.get("uniqueItems") === true) {
    const twins = twinsOf(validation, value);
    if (twins !== undefined) found.push(problem(at, `items at ${twins[0]} and ${twins[1]} are equal`));
  }
  return [...found, ...itemProblems(validation, schema, value, at), ...containsProblems(validation, schema, value, at)];
}

function twinsOf(validation: Validation, value: readonly Value[]): readonly [number, number] | undefined {
  for (let j = 1; j < value.length; j++) {
    for (let i = 0; i < j; i++) {
      validation.spend(1);
      if (deepEqual(value[i], value[j])) return [i, j];
    }
  }
  return undefined;
}

function itemProblems(validation: Validation, schema: ValueMap, value: readonly Value[], at: Path): SchemaProblem[] {
  const items = schema.get("items");
  const isNew = validation.draft >= 2020;
  const tuple = isNew ? schema.get("prefixItems") : isList(items) ? items : undefined;
  const fixed = isList(tuple) ? tuple : [];
  const rest = isNew ? items : isList(items) ? schema.get("additionalItems") : items;
  const found = fixed.slice(0, value.length).flatMap((item, i) => validation.inner(item, value[i], [...at, String(i)]));
  const left = value.slice(fixed.length);
  if (rest === undefined || left.length === 0) return found;
  if (rest === false && !isNew && isList(items)) {
    return [...found, problem(at, `last ${left.length} additionalItem(s) not allowed`)];
  }
  return [
    ...found,
    ...left.flatMap((item, i) =>
      validation.inner(rest, item, [...at, String(isNew || isList(items) ? i : i + fixed.length)]),
    ),
  ];
}

function containsProblems(
  validation: Validation,
  schema: ValueMap,
  value: readonly Value[],
  at: Path,
): readonly SchemaProblem[] {
  const contains = schema.get("contains");
  if (contains === undefined || validation.draft < 6) return [];
  const results = value.map((item, i) => validation.inner(contains, item, [...at, String(i)]));
  const matched = results.flatMap((result, i) => (result.length === 0 ? [i] : []));
  const min = validation.draft >= 2019 ? countOf(schema, "minContains") : undefined;
  const max = validation.draft >= 2019 ? countOf(schema, "maxContains") : undefined;
  return [...tooFew(matched, min, results.flat(), at), ...tooMany(matched, max, at)];
}

/** Without `minContains` one item has to match. */
function tooFew(
  matched: readonly number[],
  min: number | undefined,
  causes: readonly SchemaProblem[],
  at: Path,
): readonly SchemaProblem[] {
  if (matched.length >= (min ?? 1)) return [];
  if (min === undefined) return [problem(at, "no items match contains schema", causes)];
  const tail = matched.length === 0 ? "none matched" : `matched ${matched.length} items at ${matched.join(" ")}`;
  return [problem(at, `min ${min} items required to match contains schema, but ${tail}`, causes)];
}

function tooMany(matched: readonly number[], max: number | undefined, at: Path): readonly SchemaProblem[] {
  if (max === undefined || matched.length <= max) return [];
  const places = `matched ${matched.length} items at ${matched.join(" ")}`;
  return [problem(at, `max ${max} items required to match contains schema, but ${places}`)];
}

/** The keywords of JSON Schema for objects. */
import { isList, sortedKeys, type Value, type ValueMap } from "../go/value.ts";
import { grouped, problem, quoted, type SchemaProblem } from "./problems.ts";
import { countOf, missingOf, type Path } from "./rules.ts";
import type { Validation } from "./validation.ts";

/** The problems of an object. */
export function objectProblems(validation: Validation, schema: ValueMap, value: ValueMap, at: Path): SchemaProblem[] {
  const found: SchemaProblem[] = [];
  const min = countOf(schema, "minProperties");
  const max = countOf(schema, "maxProperties");
  if (min !== undefined && value.size < min)
    found.push(problem(at, `minProperties: got ${grouped(value.size)}, want ${grouped(min)}`));
  if (max !== undefined && value.size > max)
    found.push(problem(at, `maxProperties: got ${grouped(value.size)}, want ${grouped(max)}`));
  const missing = missingOf(schema.get("required"), value);
  if (missing.length > 0) {
    const words = missing.length === 1 ? "missing property" : "missing properties";
    found.push(problem(at, `${words} ${missing.map(quoted).join(", ")}`));
  }
  found.push(...dependencyProblems(validation, schema, value, at, "dependencies"));
  found.push(...propertyProblems(validation, schema, value, at));
  found.push(...nameProblems(validation, schema.get("propertyNames"), value));
  if (validation.draft >= 7) {
    found.push(...dependencyProblems(validation, schema, value, at, "dependentSchemas"));
    found.push(...dependencyProblems(validation, schema, value, at, "dependentRequired"));
  }
  return found;
}

function dependencyProblems(
  validation: Validation,
  schema: ValueMap,
  value: ValueMap,
  at: Path,
  keyword: string,
): SchemaProblem[] {
  const dependencies = schema.get(keyword);
  if (!(dependencies instanceof Map)) return [];
  return sortedKeys(dependencies).flatMap((name) => {
    if (!value.has(name)) return [];
    const dependency = dependencies.get(name);
    if (!isList(dependency)) return validation.inner(dependency, value, at);
    const missing = missingOf(dependency, value);
    if (missing.length === 0) return [];
    return [problem(at, `properties ${missing.map(quoted).join(", ")} required, if ${quoted(name)} exists`)];
  });
}

function propertyProblems(validation: Validation, schema: ValueMap, value: ValueMap, at: Path): SchemaProblem[] {
  const additional = schema.get("additionalProperties");
  const found: SchemaProblem[] = [];
  const refused: string[] = [];
  for (const name of sortedKeys(value)) {
    const own = schemasOf(validation, schema, name);
    const isAdditional = own.length === 0 && additional !== undefined;
    if (isAdditional && additional === false) {
      refused.push(name);
      continue;
    }
    for (const inner of isAdditional ? [additional] : own) {
      found.push(...validation.inner(inner, value.get(name), [...at, name]));
    }
  }
  if (refused.length > 0)
    found.push(problem(at, `additional properties ${refused.map(quoted).join(", ")} not allowed`));
  return found;
}

/** The schemas `properties` and `patternProperties` have for a name. */
export function schemasOf(validation: Validation, schema: ValueMap, name: string): readonly Value[] {
  const properties = schema.get("properties");
  const patterns = schema.get("patternProperties");
  const named = properties instanceof Map && properties.has(name) ? [properties.get(name)] : [];
  if (!(patterns instanceof Map)) return named;
  const matching = sortedKeys(patterns).filter((pattern) => validation.matches(pattern, name));
  return [...named, ...matching.map((pattern) => patterns.get(pattern))];
}

function nameProblems(validation: Validation, names: Value, value: ValueMap): readonly SchemaProblem[] {
  if (names === undefined || validation.draft < 6) return [];
  return sortedKeys(value).flatMap((name) => {
    const causes = validation.check(names, name, []);
    return causes.length === 0 ? [] : [problem([], `invalid propertyName ${quoted(name)}`, causes)];
  });
}

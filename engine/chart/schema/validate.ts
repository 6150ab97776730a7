/**
 * JSON Schema, drafts 4 to 2020-12, as far as values schemas use it. References stay inside the schema: what they point to
 * elsewhere is never fetched and accepts everything.
 * @see https://json-schema.org/specification
 */
import { goRegex } from "../functions/regex.ts";
import { runesOf } from "../go/bytes.ts";
import { deepEqual } from "../go/equal.ts";
import { isList, sortedKeys, type Value, type ValueMap } from "../go/value.ts";
import { RegexSyntaxError } from "../regexp/syntax.ts";
import type { Meter } from "../template/meter.ts";
import { formatProblem } from "./formats.ts";
import { grouped, printProblems, problem, quoted, type SchemaProblem, shown } from "./problems.ts";
import { countOf, enumWords, isOfType, missingOf, numberProblems, type Path, typeName, typeOrder } from "./rules.ts";

/** A schema that cannot be used. */
export class SchemaError extends Error {}

/**
 * Validates a value.
 * @returns the problems as text, empty when there are none
 * @throws SchemaError when the schema itself is malformed
 */
export function validate(schema: Value, value: Value, meter: Meter): string {
  const found = new Validator(schema, meter).check(schema, value, []);
  return printProblems(ungrouped(found));
}

/** A single group says no more than its causes. */
function ungrouped(problems: readonly SchemaProblem[]): readonly SchemaProblem[] {
  const [only] = problems;
  return problems.length === 1 && only?.kind === "group" ? only.causes : problems;
}

/** Deepest nesting of schemas, and how many problems are worth telling. */
const deepest = 400;

class Validator {
  readonly #root: Value;
  readonly #meter: Meter;
  readonly #draft: number;
  readonly #anchors = new Map<string, Value>();
  readonly #regexes = new Map<string, (text: string) => boolean>();
  #depth = 0;
  /** References being followed at one place, against circles. */
  readonly #following = new Set<string>();

  constructor(root: Value, meter: Meter) {
    this.#root = root;
    this.#meter = meter;
    this.#draft = draftOf(root);
    this.#collectAnchors(root, 0);
  }

  #collectAnchors(schema: Value, depth: number): void {
    if (depth > deepest) throw new SchemaError("the schema is nested too deeply");
    if (isList(schema)) for (const item of schema) this.#collectAnchors(item, depth + 1);
    if (!(schema instanceof Map)) return;
    for (const key of ["$id", "id"]) {
      const id = schema.get(key);
      if (typeof id === "string") this.#anchors.set(id, schema);
    }
    for (const key of ["$anchor", "$dynamicAnchor"]) {
      const anchor = schema.get(key);
      if (typeof anchor === "string") this.#anchors.set(`#${anchor}`, schema);
    }
    for (const inner of schema.values()) this.#collectAnchors(inner, depth + 1);
  }

  check(schema: Value, value: Value, at: Path): SchemaProblem[] {
    this.#meter.spend(1);
    if (schema === true || schema === undefined || schema === null) return [];
    if (schema === false) return [problem(at, "false schema")];
    if (!(schema instanceof Map)) throw new SchemaError("a schema must be an object or a boolean");
    if (++this.#depth > deepest) throw new SchemaError("the schema is nested too deeply");
    try {
      return this.#checkMap(schema, value, at);
    } finally {
      this.#depth--;
    }
  }

  /** The problems inside a value; several count as one with causes. */
  #inner(schema: Value, value: Value, at: Path): readonly SchemaProblem[] {
    const found = this.check(schema, value, at);
    return found.length < 2 ? found : [{ kind: "group", at, words: "validation failed", causes: found }];
  }

  #isValid(schema: Value, value: Value, at: Path): boolean {
    return this.check(schema, value, at).length === 0;
  }

  #checkMap(schema: ValueMap, value: Value, at: Path): SchemaProblem[] {
    const first = this.#checkIdentity(schema, value, at);
    if (first !== undefined) return [first];
    const found: SchemaProblem[] = [];
    if (schema.has("$ref")) {
      found.push(...this.#reference(schema.get("$ref"), value, at));
      if (this.#draft < 2019) return found;
    }
    if (value instanceof Map) found.push(...this.#object(schema, value, at));
    else if (isList(value)) found.push(...this.#array(schema, value, at));
    else if (typeof value === "string") found.push(...this.#text(schema, value, at));
    else if (typeof value === "number") found.push(...numberProblems(schema, value, at));
    for (const key of ["$dynamicRef", "$recursiveRef"]) {
      if (this.#draft >= 2019 && schema.has(key)) found.push(...this.#reference(schema.get(key), value, at));
    }
    found.push(...this.#combined(schema, value, at));
    if (this.#draft >= 2019) found.push(...this.#unevaluated(schema, value, at));
    return found;
  }

  /** Type, const, enum and format: the first that fails says all. */
  #checkIdentity(schema: ValueMap, value: Value, at: Path): SchemaProblem | undefined {
    const type = schema.get("type");
    if (type !== undefined && type !== null) {
      const wanted = (isList(type) ? type : [type]).map(String);
      if (wanted.length > 0 && !wanted.some((name) => isOfType(value, name))) {
        const ordered = typeOrder.filter((name) => wanted.includes(name));
        return problem(at, `got ${typeName(value)}, want ${ordered.join(" or ")}`);
      }
    }
    if (schema.has("const") && this.#draft >= 6) {
      const wanted = schema.get("const");
      if (!deepEqual(wanted, value)) {
        const isPlain = !(wanted instanceof Map || isList(wanted));
        return problem(at, isPlain ? `value must be ${shown(wanted)}` : "'const' failed");
      }
    }
    const choices = schema.get("enum");
    if (isList(choices) && !choices.some((choice) => deepEqual(choice, value))) return problem(at, enumWords(choices));
    const format = schema.get("format");
    if (typeof format === "string" && typeof value === "string" && this.#draft < 2019) {
      const reason = format === "regex" ? this.#regexProblem(value) : formatProblem(format, value);
      if (reason !== undefined) return problem(at, `${shown(value)} is not valid ${format}: ${reason}`);
    }
    return undefined;
  }

  #regexProblem(pattern: string): string | undefined {
    try {
      goRegex(pattern);
      return undefined;
    } catch (error) {
      if (error instanceof RegexSyntaxError) return error.message;
      throw error;
    }
  }

  #reference(reference: Value, value: Value, at: Path): SchemaProblem[] {
    if (typeof reference !== "string") throw new SchemaError("$ref must be a string");
    const target = this.#resolve(reference);
    if (target === undefined) return [];
    const key = `${reference} ${at.join("/")}`;
    if (this.#following.has(key)) return [];
    this.#following.add(key);
    const causes = ungrouped(this.check(target, value, at));
    this.#following.delete(key);
    return causes.length === 0 ? [] : [{ kind: "reference", at, words: "validation failed", causes }];
  }

  /** The schema a reference names; undefined when it lies outside this one. */
  #resolve(reference: string): Value {
    if (reference === "#") return this.#root;
    const anchored = this.#anchors.get(reference);
    if (anchored !== undefined) return anchored;
    const hash = reference.indexOf("#");
    const base = hash < 0 ? reference : reference.slice(0, hash);
    const fragment = hash < 0 ? "" : reference.slice(hash + 1);
    const start = base === "" ? this.#root : this.#anchors.get(base);
    if (start === undefined) return undefined;
    let schema: Value = start;
    for (const raw of fragment.split("/").slice(1)) {
      const part = decodeURIComponent(raw).replaceAll("~1", "/").replaceAll("~0", "~");
      if (schema instanceof Map) schema = schema.get(part);
      else if (isList(schema)) schema = schema[Number(part)];
      else schema = undefined;
      if (schema === undefined) throw new SchemaError(`jsonschema: ${quoted(reference)} not found`);
    }
    return schema;
  }

  #matcher(pattern: string): (text: string) => boolean {
    const known = this.#regexes.get(pattern);
    if (known !== undefined) return known;
    let regex: ReturnType<typeof goRegex>;
    try {
      regex = goRegex(pattern);
    } catch (error) {
      if (error instanceof RegexSyntaxError)
        throw new SchemaError(`${quoted(pattern)} is not valid regex: ${error.message}`);
      throw error;
    }
    const test = (text: string): boolean => regex.find(text, 0, (steps) => this.#meter.spend(steps)) !== undefined;
    this.#regexes.set(pattern, test);
    return test;
  }

  #object(schema: ValueMap, value: ValueMap, at: Path): SchemaProblem[] {
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
    found.push(...this.#dependencies(schema, value, at, "dependencies"));
    found.push(...this.#properties(schema, value, at));
    const names = schema.get("propertyNames");
    if (names !== undefined && this.#draft >= 6) {
      for (const name of sortedKeys(value)) {
        const causes = this.check(names, name, []);
        if (causes.length > 0) found.push(problem([], `invalid propertyName ${quoted(name)}`, causes));
      }
    }
    if (this.#draft >= 7) {
      found.push(...this.#dependencies(schema, value, at, "dependentSchemas"));
      found.push(...this.#dependencies(schema, value, at, "dependentRequired"));
    }
    return found;
  }

  #dependencies(schema: ValueMap, value: ValueMap, at: Path, keyword: string): SchemaProblem[] {
    const dependencies = schema.get(keyword);
    if (!(dependencies instanceof Map)) return [];
    return sortedKeys(dependencies).flatMap((name) => {
      if (!value.has(name)) return [];
      const dependency = dependencies.get(name);
      if (!isList(dependency)) return this.#inner(dependency, value, at);
      const missing = missingOf(dependency, value);
      if (missing.length === 0) return [];
      return [problem(at, `properties ${missing.map(quoted).join(", ")} required, if ${quoted(name)} exists`)];
    });
  }

  #properties(schema: ValueMap, value: ValueMap, at: Path): SchemaProblem[] {
    const properties = schema.get("properties");
    const patterns = schema.get("patternProperties");
    const additional = schema.get("additionalProperties");
    const found: SchemaProblem[] = [];
    const refused: string[] = [];
    for (const name of sortedKeys(value)) {
      let isKnown = false;
      const inner = value.get(name);
      if (properties instanceof Map && properties.has(name)) {
        isKnown = true;
        found.push(...this.#inner(properties.get(name), inner, [...at, name]));
      }
      if (patterns instanceof Map) {
        for (const pattern of sortedKeys(patterns)) {
          if (!this.#matcher(pattern)(name)) continue;
          isKnown = true;
          found.push(...this.#inner(patterns.get(pattern), inner, [...at, name]));
        }
      }
      if (isKnown || additional === undefined) continue;
      if (additional === false) refused.push(name);
      else found.push(...this.#inner(additional, inner, [...at, name]));
    }
    if (refused.length > 0)
      found.push(problem(at, `additional properties ${refused.map(quoted).join(", ")} not allowed`));
    return found;
  }

  #array(schema: ValueMap, value: readonly Value[], at: Path): SchemaProblem[] {
    const found: SchemaProblem[] = [];
    const min = countOf(schema, "minItems");
    const max = countOf(schema, "maxItems");
    if (min !== undefined && value.length < min)
      found.push(problem(at, `minItems: got ${grouped(value.length)}, want ${grouped(min)}`));
    if (max !== undefined && value.length > max)
      found.push(problem(at, `maxItems: got ${grouped(value.length)}, want ${grouped(max)}`));
    if (schema.get("uniqueItems") === true) {
      const twins = this.#duplicates(value);
      if (twins !== undefined) found.push(problem(at, `items at ${twins[0]} and ${twins[1]} are equal`));
    }
    return [...found, ...this.#items(schema, value, at), ...this.#contains(schema, value, at)];
  }

  #duplicates(value: readonly Value[]): readonly [number, number] | undefined {
    for (let j = 1; j < value.length; j++) {
      for (let i = 0; i < j; i++) {
        this.#meter.spend(1);
        if (deepEqual(value[i], value[j])) return [i, j];
      }
    }
    return undefined;
  }

  #items(schema: ValueMap, value: readonly Value[], at: Path): SchemaProblem[] {
    const items = schema.get("items");
    const isNew = this.#draft >= 2020;
    const tuple = isNew ? schema.get("prefixItems") : isList(items) ? items : undefined;
    const fixed = isList(tuple) ? tuple : [];
    const rest = isNew ? items : isList(items) ? schema.get("additionalItems") : items;
    const found = fixed.slice(0, value.length).flatMap((item, i) => this.#inner(item, value[i], [...at, String(i)]));
    const left = value.slice(fixed.length);
    if (rest === undefined || left.length === 0) return found;
    if (rest === false && !isNew && isList(items)) {
      return [...found, problem(at, `last ${left.length} additionalItem(s) not allowed`)];
    }
    return [
      ...found,
      ...left.flatMap((item, i) =>
        this.#inner(rest, item, [...at, String(isNew || isList(items) ? i : i + fixed.length)]),
      ),
    ];
  }

  #contains(schema: ValueMap, value: readonly Value[], at: Path): SchemaProblem[] {
    const contains = schema.get("contains");
    if (contains === undefined || this.#draft < 6) return [];
    const results = value.map((item, i) => this.#inner(contains, item, [...at, String(i)]));
    const matched = results.flatMap((result, i) => (result.length === 0 ? [i] : []));
    const causes = results.flat();
    const min = this.#draft >= 2019 ? countOf(schema, "minContains") : undefined;
    const max = this.#draft >= 2019 ? countOf(schema, "maxContains") : undefined;
    const found: SchemaProblem[] = [];
    if (min !== undefined) {
      const tail = matched.length === 0 ? "none matched" : `matched ${matched.length} items at ${matched.join(" ")}`;
      if (matched.length < min)
        found.push(problem(at, `min ${min} items required to match contains schema, but ${tail}`, causes));
    } else if (matched.length === 0) found.push(problem(at, "no items match contains schema", causes));
    if (max !== undefined && matched.length > max) {
      found.push(
        problem(
          at,
          `max ${max} items required to match contains schema, but matched ${matched.length} items at ${matched.join(" ")}`,
        ),
      );
    }
    return found;
  }

  #text(schema: ValueMap, value: string, at: Path): SchemaProblem[] {
    const found: SchemaProblem[] = [];
    const min = countOf(schema, "minLength");
    const max = countOf(schema, "maxLength");
    const length = min === undefined && max === undefined ? 0 : runesOf(value).length;
    if (min !== undefined && length < min)
      found.push(problem(at, `minLength: got ${grouped(length)}, want ${grouped(min)}`));
    if (max !== undefined && length > max)
      found.push(problem(at, `maxLength: got ${grouped(length)}, want ${grouped(max)}`));
    const pattern = schema.get("pattern");
    if (typeof pattern === "string" && !this.#matcher(pattern)(value)) {
      found.push(problem(at, `${quoted(value)} does not match pattern ${quoted(pattern)}`));
    }
    return found;
  }

  #combined(schema: ValueMap, value: Value, at: Path): SchemaProblem[] {
    const found: SchemaProblem[] = [];
    const not = schema.get("not");
    if (not !== undefined && this.#isValid(not, value, at)) found.push(problem(at, "'not' failed"));
    const allOf = schema.get("allOf");
    if (isList(allOf)) {
      const causes = allOf.flatMap((inner) => this.#inner(inner, value, at));
      if (causes.length > 0) found.push(problem(at, "'allOf' failed", causes));
    }
    const anyOf = schema.get("anyOf");
    if (isList(anyOf)) {
      const results = anyOf.map((inner) => this.#inner(inner, value, at));
      if (!results.some((result) => result.length === 0)) {
        found.push(problem(at, "'anyOf' failed", results.flat()));
      }
    }
    const oneOf = schema.get("oneOf");
    if (isList(oneOf)) found.push(...this.#oneOf(oneOf, value, at));
    const condition = schema.get("if");
    if (condition !== undefined && this.#draft >= 7) {
      found.push(...this.#inner(schema.get(this.#isValid(condition, value, at) ? "then" : "else"), value, at));
    }
    return found;
  }

  #oneOf(schemas: readonly Value[], value: Value, at: Path): SchemaProblem[] {
    const results = schemas.map((inner) => this.#inner(inner, value, at));
    const [first, second] = results.flatMap((result, i) => (result.length === 0 ? [i] : []));
    if (first === undefined) return [problem(at, "'oneOf' failed, none matched", results.flat())];
    return second === undefined ? [] : [problem(at, `'oneOf' failed, subschemas ${first}, ${second} matched`)];
  }

  #unevaluated(schema: ValueMap, value: Value, at: Path): SchemaProblem[] {
    const rest = schema.get("unevaluatedProperties");
    if (rest === undefined || !(value instanceof Map)) return [];
    const known = this.#evaluated(schema, value, at, 0);
    if (known === "all") return [];
    return sortedKeys(value)
      .filter((name) => !known.has(name))
      .flatMap((name) => this.#inner(rest, value.get(name), [...at, name]));
  }

  /** Names of properties that some applicable part of a schema looked at. */
  #evaluated(schema: Value, value: ValueMap, at: Path, depth: number): Set<string> | "all" {
    const names = new Set<string>();
    if (!(schema instanceof Map) || depth > deepest) return names;
    if (schema.has("additionalProperties") || (depth > 0 && schema.has("unevaluatedProperties"))) return "all";
    const properties = schema.get("properties");
    const patterns = schema.get("patternProperties");
    for (const name of value.keys()) {
      if (properties instanceof Map && properties.has(name)) names.add(name);
      if (patterns instanceof Map && [...patterns.keys()].some((pattern) => this.#matcher(pattern)(name)))
        names.add(name);
    }
    for (const inner of this.#applicable(schema, value, at)) {
      const more = this.#evaluated(inner, value, at, depth + 1);
      if (more === "all") return "all";
      for (const name of more) names.add(name);
    }
    return names;
  }

  /** The subschemas that apply to the same value and accept it. */
  #applicable(schema: ValueMap, value: Value, at: Path): Value[] {
    const lists = ["allOf", "anyOf", "oneOf"].flatMap((key) => {
      const inner = schema.get(key);
      return isList(inner) ? inner : [];
    });
    const reference = schema.get("$ref");
    if (typeof reference === "string") lists.push(this.#resolve(reference));
    const condition = schema.get("if");
    if (condition !== undefined) {
      const holds = this.#isValid(condition, value, at);
      if (holds) lists.push(condition);
      lists.push(schema.get(holds ? "then" : "else"));
    }
    return lists.filter((inner) => inner instanceof Map && this.#isValid(inner, value, at));
  }
}

function draftOf(root: Value): number {
  const named = root instanceof Map ? root.get("$schema") : undefined;
  if (typeof named !== "string") return 2020;
  const found = /draft-0?(\d)|draft\/(\d{4})/.exec(named);
  return found === null ? 2020 : Number(found[1] ?? found[2]);
}

/**
 * JSON Schema, drafts 4 to 2020-12, as far as values schemas use it. References stay inside the schema: what they point to
 * elsewhere is never fetched and accepts everything.
 * @see https://json-schema.org/specification
 */
import { goRegex } from "../functions/regex.ts";
import { isList, type Value, type ValueMap } from "../go/value.ts";
import { RegexSyntaxError } from "../regexp/syntax.ts";
import type { Meter } from "../template/meter.ts";
import { arrayProblems } from "./arrays.ts";
import { combinedProblems } from "./combined.ts";
import { objectProblems } from "./objects.ts";
import { printProblems, problem, quoted, type SchemaProblem } from "./problems.ts";
import { References } from "./references.ts";
import { numberProblems, type Path } from "./rules.ts";
import { identityProblem, textProblems } from "./simple.ts";
import { unevaluatedProblems } from "./unevaluated.ts";
import { deepestSchemas, SchemaError, type Validation } from "./validation.ts";

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

class Validator implements Validation {
  readonly draft: number;
  readonly #references: References;
  readonly #meter: Meter;
  readonly #regexes = new Map<string, ReturnType<typeof goRegex>>();
  #depth = 0;
  /** References being followed at one place, against circles. */
  readonly #following = new Set<string>();

  constructor(root: Value, meter: Meter) {
    this.draft = draftOf(root);
    this.#references = new References(root);
    this.#meter = meter;
  }

  spend(steps: number): void {
    this.#meter.spend(steps);
  }

  check(schema: Value, value: Value, at: Path): readonly SchemaProblem[] {
    this.#meter.spend(1);
    if (schema === true || schema === undefined || schema === null) return [];
    if (schema === false) return [problem(at, "false schema")];
    if (!(schema instanceof Map)) throw new SchemaError("a schema must be an object or a boolean");
    if (++this.#depth > deepestSchemas) throw new SchemaError("the schema is nested too deeply");
    try {
      return this.#checkMap(schema, value, at);
    } finally {
      this.#depth--;
    }
  }

  inner(schema: Value, value: Value, at: Path): readonly SchemaProblem[] {
    const found = this.check(schema, value, at);
    return found.length < 2 ? found : [{ kind: "group", at, words: "validation failed", causes: found }];
  }

  resolve(reference: string): Value {
    return this.#references.resolve(reference);
  }

  matches(pattern: string, text: string): boolean {
    return this.#regex(pattern).find(text, 0, (steps) => this.#meter.spend(steps)) !== undefined;
  }

  #regex(pattern: string): ReturnType<typeof goRegex> {
    const known = this.#regexes.get(pattern);
    if (known !== undefined) return known;
    try {
      const regex = goRegex(pattern);
      this.#regexes.set(pattern, regex);
      return regex;
    } catch (error) {
      if (!(error instanceof RegexSyntaxError)) throw error;
      throw new SchemaError(`${quoted(pattern)} is not valid regex: ${error.message}`, { cause: error });
    }
  }

  #checkMap(schema: ValueMap, value: Value, at: Path): readonly SchemaProblem[] {
    const first = identityProblem(schema, value, at, this.draft);
    if (first !== undefined) return [first];
    const referred = schema.has("$ref") ? this.#reference(schema.get("$ref"), value, at) : [];
    // Up to draft 7 nothing beside a reference counts.
    if (schema.has("$ref") && this.draft < 2019) return referred;
    const found = [...referred, ...this.#ofItsType(schema, value, at)];
    if (this.draft >= 2019) found.push(...this.#dynamic(schema, value, at));
    found.push(...combinedProblems(this, schema, value, at));
    if (this.draft >= 2019) found.push(...unevaluatedProblems(this, schema, value, at));
    return found;
  }

  #ofItsType(schema: ValueMap, value: Value, at: Path): readonly SchemaProblem[] {
    if (value instanceof Map) return objectProblems(this, schema, value, at);
    if (isList(value)) return arrayProblems(this, schema, value, at);
    if (typeof value === "string") return textProblems(this, schema, value, at);
    return typeof value === "number" ? numberProblems(schema, value, at) : [];
  }

  #dynamic(schema: ValueMap, value: Value, at: Path): readonly SchemaProblem[] {
    return ["$dynamicRef", "$recursiveRef"].flatMap((key) =>
      schema.has(key) ? this.#reference(schema.get(key), value, at) : [],
    );
  }

  #reference(reference: Value, value: Value, at: Path): readonly SchemaProblem[] {
    if (typeof reference !== "string") throw new SchemaError("$ref must be a string");
    const target = this.resolve(reference);
    if (target === undefined) return [];
    const key = `${reference} ${at.join("/")}`;
    if (this.#following.has(key)) return [];
    this.#following.add(key);
    const causes = ungrouped(this.check(target, value, at));
    this.#following.delete(key);
    return causes.length === 0 ? [] : [{ kind: "reference", at, words: "validation failed", causes }];
  }
}

function draftOf(root: Value): number {
  const named = root instanceof Map ? root.get("$schema") : undefined;
  if (typeof named !== "string") return 2020;
  const found = /draft-0?(\d)|draft\/(\d{4})/.exec(named);
  return found === null ? 2020 : Number(found[1] ?? found[2]);
}

/** What the keywords of JSON Schema share while one value is validated. */
import type { Value } from "../go/value.ts";
import type { SchemaProblem } from "./problems.ts";
import type { Path } from "./rules.ts";

/** A schema that cannot be used. */
export class SchemaError extends Error {}

/** Deepest nesting of schemas. */
export const deepestSchemas: number = 400;

/** A validation under way, as the keywords see it that apply other schemas. */
export interface Validation {
  /** 4, 6, 7, 2019 or 2020. */
  readonly draft: number;
  /** Counts work done. @throws LimitReached */
  spend(steps: number): void;
  /** The problems of a value by a schema. @throws SchemaError */
  check(schema: Value, value: Value, at: Path): readonly SchemaProblem[];
  /** The same for a value inside another: several problems count as one with causes. @throws SchemaError */
  inner(schema: Value, value: Value, at: Path): readonly SchemaProblem[];
  /** The schema a reference names; undefined when it lies outside this one. @throws SchemaError */
  resolve(reference: string): Value;
  /** Whether a text matches a pattern. @throws SchemaError when the pattern is malformed */
  matches(pattern: string, text: string): boolean;
}

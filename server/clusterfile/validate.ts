import type { Node, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import * as yaml from "yaml";
import { similar } from "../../kubefile/check/similar.ts";
import type { Severity } from "../../kubefile/problems.ts";
import type { Span } from "../../kubefile/span.ts";
import { definitions, type Schema, type SchemaType } from "./schema.ts";

/** What is wrong in a Clusterfile, and where. */
export interface ClusterfileProblem {
  readonly code: string;
  readonly severity: Severity;
  readonly span: Span;
  readonly message: string;
}

export interface Validation {
  readonly report: (problem: ClusterfileProblem) => void;
}

/** Reports where a value and all below it differ from a schema. What sealer cannot decode is an error, the rest warnings. */
export function validate(node: Node | null, given: Schema, at: Span, validation: Validation): void {
  const schema = resolve(given);
  // Nothing written counts as not given.
  if (node === null || (yaml.isScalar(node) && node.value === null)) return;
  if (yaml.isAlias(node)) return;
  if (!checkType(node, schema, at, validation)) return;
  if (yaml.isMap(node)) validateMap(node, schema, at, validation);
  else if (yaml.isSeq(node)) validateSequence(node, schema, at, validation);
  else if (yaml.isScalar(node)) validateScalar(node, schema, at, validation);
}

/** The span of a node; of `at` when it has none of its own. */
export function spanOfNode(node: Node | null | undefined, at: Span): Span {
  const range = node?.range;
  return range == null ? at : { start: range[0], end: Math.max(range[0], range[1]) };
}

function resolve(schema: Schema): Schema {
  const name = schema.$ref?.slice("#/definitions/".length);
  return name === undefined ? schema : (definitions[name] ?? {});
}

function checkType(node: Node, schema: Schema, at: Span, { report }: Validation): boolean {
  const wanted = schema.type ?? (schema.const === undefined ? undefined : "string");
  if (wanted === undefined) return true;
  const found = typeOf(node);
  if (found === wanted) return true;
  const quote =
    wanted === "string" && (found === "integer" || found === "boolean" || found === "number")
      ? " Put it in quotes."
      : "";
  report({
    code: "clusterfile-type",
    severity: "error",
    span: spanOfNode(node, at),
    message: `${article(wanted)} is needed here, this is ${article(found).toLowerCase()}.${quote}`,
  });
  return false;
}

function typeOf(node: Node): SchemaType | "number" | "null" {
  if (yaml.isMap(node)) return "object";
  if (yaml.isSeq(node)) return "array";
  const value = yaml.isScalar(node) ? node.value : null;
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return "null";
}

const articles: Readonly<Record<string, string>> = {
  object: "A map",
  array: "A list",
  string: "A text",
  integer: "A whole number",
  number: "A number",
  boolean: "true or false",
  null: "Nothing",
};

function article(type: string): string {
  return articles[type] ?? type;
}

function validateMap(map: YAMLMap, schema: Schema, at: Span, validation: Validation): void {
  const { report } = validation;
  const present = new Set<string>();
  for (const pair of map.items as Pair<Node, Node | null>[]) {
    const key = yaml.isScalar(pair.key) ? String(pair.key.value) : undefined;
    if (key === undefined) continue;
    present.add(key);
    const own = schema.properties?.[key] ?? additional(schema);
    const keySpan = spanOfNode(pair.key, at);
    if (own !== undefined) validate(pair.value, own, keySpan, validation);
    else if (schema.additionalProperties === false)
      report({
        code: "clusterfile-unknown-field",
        severity: "warning",
        span: keySpan,
        message: `sealer does not read “${key}” here.${didYouMean(key, Object.keys(schema.properties ?? {}))}`,
      });
  }
  for (const name of schema.required ?? []) {
    if (!present.has(name))
      report({ code: "clusterfile-missing-field", severity: "warning", span: at, message: `“${name}” is missing.` });
  }
}

function additional(schema: Schema): Schema | undefined {
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

function validateSequence(sequence: YAMLSeq, schema: Schema, at: Span, validation: Validation): void {
  const { items } = schema;
  const least = schema.minItems ?? 0;
  if (sequence.items.length < least)
    validation.report({
      code: "clusterfile-empty",
      severity: "warning",
      span: spanOfNode(sequence, at),
      message: "This list must not be empty.",
    });
  if (items === undefined) return;
  for (const item of sequence.items as Node[]) validate(item, items, spanOfNode(item, at), validation);
}

function validateScalar(scalar: Scalar, schema: Schema, at: Span, { report }: Validation): void {
  const message = scalarMistake(scalar.value, schema);
  if (message !== undefined)
    report({ code: "clusterfile-value", severity: "warning", span: spanOfNode(scalar, at), message });
}

function scalarMistake(value: unknown, schema: Schema): string | undefined {
  if (typeof value === "string") return textMistake(value, schema);
  if (typeof value !== "number") return undefined;
  const { minimum = value, maximum = value } = schema;
  return value < minimum || value > maximum ? `This must be between ${minimum} and ${maximum}.` : undefined;
}

function textMistake(value: string, schema: Schema): string | undefined {
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `This must be ${schema.enum.join(" or ")}.`;
  if (value.length < (schema.minLength ?? 0)) return "This must not be empty.";
  if (schema.pattern === undefined || new RegExp(schema.pattern, "u").test(value)) return undefined;
  return schema.patternErrorMessage ?? `This must match ${schema.pattern}.`;
}

/** ` Did you mean “x”?` when a name looks like one of the others. */
export function didYouMean(name: string, others: readonly string[]): string {
  const meant = similar(name, others);
  return meant === undefined ? "" : ` Did you mean “${meant}”?`;
}

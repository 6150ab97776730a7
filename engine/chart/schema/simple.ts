/** The keywords that look at a value itself: type, const, enum, format, and the length and pattern of texts. */
import { goRegex } from "../functions/regex.ts";
import { runesOf } from "../go/bytes.ts";
import { deepEqual } from "../go/equal.ts";
import { isList, type Value, type ValueMap } from "../go/value.ts";
import { RegexSyntaxError } from "../regexp/syntax.ts";
import { formatProblem } from "./formats.ts";
import { grouped, problem, quoted, type SchemaProblem, shown } from "./problems.ts";
import { countOf, enumWords, isOfType, type Path, typeName, typeOrder } from "./rules.ts";
import type { Validation } from "./validation.ts";

/** Type, const, enum and format: the first that fails says all. */
export function identityProblem(schema: ValueMap, value: Value, at: Path, draft: number): SchemaProblem | undefined {
  const words =
    typeWords(schema.get("type"), value) ??
    (schema.has("const") && draft >= 6 ? constWords(schema.get("const"), value) : undefined) ??
    choiceWords(schema.get("enum"), value) ??
    (draft < 2019 ? formatWords(schema.get("format"), value) : undefined);
  return words === undefined ? undefined : problem(at, words);
}

function typeWords(type: Value, value: Value): string | undefined {
  if (type === undefined || type === null) return undefined;
  const wanted = (isList(type) ? type : [type]).map(String);
  if (wanted.length === 0 || wanted.some((name) => isOfType(value, name))) return undefined;
  const ordered = typeOrder.filter((name) => wanted.includes(name));
  return `got ${typeName(value)}, want ${ordered.join(" or ")}`;
}

function constWords(wanted: Value, value: Value): string | undefined {
  if (deepEqual(wanted, value)) return undefined;
  return wanted instanceof Map || isList(wanted) ? "'const' failed" : `value must be ${shown(wanted)}`;
}

function choiceWords(choices: Value, value: Value): string | undefined {
  if (!isList(choices) || choices.some((choice) => deepEqual(choice, value))) return undefined;
  return enumWords(choices);
}

function formatWords(format: Value, value: Value): string | undefined {
  if (typeof format !== "string" || typeof value !== "string") return undefined;
  const reason = format === "regex" ? regexProblem(value) : formatProblem(format, value);
  return reason === undefined ? undefined : `${shown(value)} is not valid ${format}: ${reason}`;
}

function regexProblem(pattern: string): string | undefined {
  try {
    goRegex(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof RegexSyntaxError) return error.message;
    throw error;
  }
}

/** The problems of a text. */
export function textProblems(validation: Validation, schema: ValueMap, value: string, at: Path): SchemaProblem[] {
  const found: SchemaProblem[] = [];
  const min = countOf(schema, "minLength");
  const max = countOf(schema, "maxLength");
  const length = min === undefined && max === undefined ? 0 : runesOf(value).length;
  if (min !== undefined && length < min)
    found.push(problem(at, `minLength: got ${grouped(length)}, want ${grouped(min)}`));
  if (max !== undefined && length > max)
    found.push(problem(at, `maxLength: got ${grouped(length)}, want ${grouped(max)}`));
  const pattern = schema.get("pattern");
  if (typeof pattern === "string" && !validation.matches(pattern, value)) {
    found.push(problem(at, `${quoted(value)} does not match pattern ${quoted(pattern)}`));
  }
  return found;
}

/** `values.schema.json`: a chart's own rules for its values, and those of its subcharts for theirs. */
import type { ActiveChart } from "../dependencies.ts";
import { fromJson, JsonError } from "../go/json.ts";
import { goType, Int, isList, type Value, type ValueMap } from "../go/value.ts";
import type { Meter } from "../template/meter.ts";
import { validate } from "./validate.ts";
import { SchemaError } from "./validation.ts";

/** What is wrong with values, chart by chart, in Helm's words; empty when nothing is. */
export function schemaProblems(chart: ActiveChart, values: ValueMap, meter: Meter): string {
  let out = "";
  if (chart.schema !== undefined) {
    const problems = problemsOf(chart.schema, values, meter);
    if (problems !== "") out += `${chart.name}:\n${problems}`;
  }
  for (const sub of chart.subcharts) {
    const inner = values.get(sub.name);
    if (inner === undefined || inner === null) continue;
    if (inner instanceof Map) out += schemaProblems(sub, inner, meter);
    else out += `${sub.name}:\ninvalid type for values: expected object (map), got ${goType(inner)}\n`;
  }
  return out;
}

/** Numbers given with --set are integers of Go; a schema knows numbers only. */
function withPlainNumbers(value: Value): Value {
  if (value instanceof Int) return Number(value.value);
  if (isList(value)) return value.map(withPlainNumbers);
  if (!(value instanceof Map)) return value;
  return new Map([...value].map(([key, inner]) => [key, withPlainNumbers(inner)]));
}

function problemsOf(schemaText: string, values: ValueMap, meter: Meter): string {
  let schema: Value;
  try {
    schema = fromJson(schemaText);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    if (schemaText.trim() === "") return "EOF";
    return error.message.replace("unexpected end of JSON input", "unexpected EOF");
  }
  try {
    const problems = validate(schema, withPlainNumbers(values), meter);
    return problems === "" ? "" : `${problems}\n`;
  } catch (error) {
    if (error instanceof SchemaError) return `unable to validate schema: ${error.message}`;
    throw error;
  }
}

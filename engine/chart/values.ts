/** Values: reading them, and laying one set over another by Helm's rules. */
import { isList, type Value, type ValueMap } from "./go/value.ts";
import { readYaml, YamlError } from "./yaml/read.ts";

/** A values text that cannot be used. */
export class ValuesError extends Error {}

/** Two sets of values that contradict each other's shape. */
export class ValuesMismatch extends Error {}

/**
 * Reads a values file: every document of it, later ones over earlier ones.
 * @param prefix put before the words of an error
 * @throws ValuesError
 */
export function readValues(text: string, prefix = ""): ValueMap {
  let values: ValueMap = new Map();
  for (const document of text.split(/^---[^\S\n]*(?:#.*)?$/m)) {
    if (/^\s*$/.test(document)) continue;
    values = mergeMaps(values, readMap(document, prefix));
  }
  return values;
}

function readMap(text: string, prefix: string): ValueMap {
  let value: Value;
  try {
    value = readYaml(text);
  } catch (error) {
    throw error instanceof YamlError
      ? new ValuesError(`${prefix}cannot unmarshal yaml document: ${error.message}`)
      : error;
  }
  if (value instanceof Map) return value;
  if (value === null || value === undefined) return new Map();
  const found = isList(value)
    ? "array"
    : typeof value === "string"
      ? "string"
      : typeof value === "number"
        ? "number"
        : "bool";
  throw new ValuesError(
    `${prefix}cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
  );
}

/** Values of `over` win; maps are joined key by key. Neither argument is changed. */
export function mergeMaps(under: ValueMap, over: ValueMap): ValueMap {
  const out: ValueMap = new Map(under);
  for (const [key, value] of over) {
    const known = out.get(key);
    out.set(key, value instanceof Map && known instanceof Map ? mergeMaps(known, value) : value);
  }
  return out;
}

/** A copy of values that shares no map or list with the original. */
export function copyValues(values: ValueMap): ValueMap {
  const copy: ValueMap = new Map();
  for (const [key, item] of values) copy.set(key, copyOf(item));
  return copy;
}

function copyOf(value: Value): Value {
  if (value instanceof Map) return copyValues(value);
  return isList(value) ? value.map(copyOf) : value;
}

/**
 * Lays `target` over `source`, in place: Helm's CoalesceTables. With `keepNulls` a null in the target stays; without, it
 * deletes the key.
 */
export function coalesceTables(target: ValueMap, source: ValueMap, keepNulls: boolean): ValueMap {
  const hadValue = new Set<string>();
  for (const [key, value] of source) if (value !== null) hadValue.add(key);
  for (const [key, value] of target) if (value === null) source.set(key, null);
  for (const [key, value] of source) {
    const known = target.get(key);
    if (target.has(key) && !keepNulls && known === null && hadValue.has(key)) target.delete(key);
    else if (!target.has(key)) target.set(key, value);
    else if (value instanceof Map && known instanceof Map) coalesceTables(known, value, keepNulls);
  }
  return target;
}

/** What coalescing needs to know of a chart; renders give it their own view of one. */
export interface ChartOfValues {
  readonly name: string;
  readonly values: ValueMap;
  readonly subcharts: readonly ChartOfValues[];
}

/**
 * Helm's CoalesceValues: the chart's own values under the given ones, for the chart and all below it, globals passed down.
 * @param keepNulls true for MergeValues, which keeps nulls for a later pass
 * @returns new values; nothing given is changed
 * @throws ValuesMismatch
 */
export function coalesceValues(chart: ChartOfValues, values: ValueMap, keepNulls: boolean): ValueMap {
  return coalesce(chart, copyValues(values), keepNulls);
}

function coalesce(chart: ChartOfValues, target: ValueMap, keepNulls: boolean): ValueMap {
  ownValues(chart, target, keepNulls);
  for (const sub of chart.subcharts) {
    const given = target.get(sub.name);
    if (target.has(sub.name) && !(given instanceof Map)) {
      throw new ValuesMismatch(`type mismatch on ${sub.name}: ${describe(given)}`);
    }
    const inner: ValueMap = given instanceof Map ? given : new Map();
    target.set(sub.name, inner);
    passGlobals(inner, target);
    target.set(sub.name, coalesce(sub, inner, keepNulls));
  }
  return target;
}

/** Go's `%t` of something that is no boolean. */
function describe(value: Value): string {
  if (value === null || value === undefined) return "%!t(<nil>)";
  if (typeof value === "boolean") return String(value);
  return typeof value === "string"
    ? `%!t(string=${value})`
    : `%!t(${typeof value === "number" ? "float64" : "[]interface {}"}=${String(value)})`;
}

function ownValues(chart: ChartOfValues, target: ValueMap, keepNulls: boolean): void {
  for (const [key, value] of copyValues(chart.values)) {
    if (!target.has(key)) {
      target.set(key, value);
      continue;
    }
    const given = target.get(key);
    if (given === null && !keepNulls) target.delete(key);
    else if (given instanceof Map && value instanceof Map) {
      const isSubchart = chart.subcharts.some((sub) => sub.name === key);
      coalesceTables(given, value, keepNulls || isSubchart);
    }
  }
}

/** Copies `global` of a chart to a subchart; the chart's own entries win over the subchart's. */
function passGlobals(target: ValueMap, source: ValueMap): void {
  const given = target.has("global") ? target.get("global") : new Map();
  const passed = source.has("global") ? source.get("global") : new Map();
  if (!(given instanceof Map) || !(passed instanceof Map)) return;
  for (const [key, value] of passed) {
    const known = given.get(key);
    if (value instanceof Map) {
      const copy: ValueMap = new Map(value);
      if (!given.has(key)) given.set(key, copy);
      else if (known instanceof Map) given.set(key, coalesceTables(copy, known, true));
    } else if (!(known instanceof Map)) given.set(key, value);
  }
  target.set("global", given);
}

/** The map at a dotted path; undefined when there is none. */
export function tableAt(values: ValueMap, path: string): ValueMap | undefined {
  let table = values;
  for (const part of path.split(".")) {
    const next = table.get(part);
    if (!(next instanceof Map)) return undefined;
    table = next;
  }
  return table;
}

/** The value at a dotted path, when it is there and no map. */
export function valueAt(values: ValueMap, path: string): Value {
  const cut = path.lastIndexOf(".");
  const table = cut < 0 ? values : tableAt(values, path.slice(0, cut));
  const value = table?.get(path.slice(cut + 1));
  return value instanceof Map ? undefined : value;
}

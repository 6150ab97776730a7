/** Sprig's dictionary functions. `set`, `unset` and the merges change their first argument, as sprig's do. */
import {
  goKind,
  goType,
  isList,
  isNilCollection,
  sortedKeys,
  stringList,
  type Value,
  type ValueMap,
} from "../go/value.ts";
import { GoError } from "../template/failure.ts";
import type { Meter } from "../template/meter.ts";
import { isEmpty, textValue } from "./convert.ts";
import { type FunctionTable, fn, variadic } from "./define.ts";

/**
 * mergo's merge of one map into another: existing values win unless `overwrite`; a value that is empty by Go's rules counts
 * as missing; maps merge deeply, lists never.
 */
export function mergeInto(target: ValueMap, source: ValueMap, overwrite: boolean, meter: Meter): void {
  if (target === source) return;
  for (const key of sortedKeys(source)) {
    meter.spend(1);
    mergeKey(target, key, source.get(key), overwrite, meter);
  }
}

function mergeKey(target: ValueMap, key: string, from: Value, overwrite: boolean, meter: Meter): void {
  if (from === undefined || from === null) {
    if (overwrite) target.set(key, null);
    return;
  }
  const to = target.get(key);
  if (from instanceof Map && to instanceof Map) mergeInto(to, from, overwrite, meter);
  if (isList(from) && target.has(key) && overwrite) target.set(key, from);
  const isFilled = target.has(key) && !isEmpty(to);
  // Lists have been dealt with, maps have been joined.
  const isDone = isList(from) || (goKind(from) === "map" && goKind(to) === "map");
  if (!isFilled || (overwrite && !isDone)) target.set(key, from);
}

/** A copy that shares nothing with the original. */
export function deepCopy(value: Value, meter: Meter): Value {
  meter.spend(1);
  if (value instanceof Map) {
    const copy: ValueMap = new Map();
    for (const [key, item] of value) copy.set(key, deepCopy(item, meter));
    return copy;
  }
  return isList(value) && goType(value) === "[]interface {}" && !isNilCollection(value)
    ? value.map((item) => deepCopy(item, meter))
    : value;
}

function writable(map: ValueMap): ValueMap {
  if (isNilCollection(map)) throw new GoError("assignment to entry in nil map");
  return map;
}

function dig(args: readonly Value[]): Value {
  if (args.length < 3) throw new GoError("dig needs at least three arguments");
  const keys = args.slice(0, -2).map((key) => {
    if (typeof key === "string") return key;
    throw conversionError(key, "string");
  });
  const fallback = args.at(-2);
  let value = args.at(-1);
  for (const key of keys) {
    if (!(value instanceof Map) || goType(value) === "common.Values")
      throw conversionError(value, "map[string]interface {}");
    if (!value.has(key)) return fallback;
    value = value.get(key);
  }
  return value;
}

function conversionError(value: Value, wanted: string): GoError {
  const found = value === undefined || value === null ? "nil" : goType(value);
  return new GoError(`interface conversion: interface {} is ${found}, not ${wanted}`);
}

function filtered(map: ValueMap, keeps: (key: string) => boolean): ValueMap {
  return new Map([...map].filter(([key]) => keeps(key)));
}

function merge(overwrite: boolean): ReturnType<typeof fn> {
  return variadic(["map"], "map", ([target], sources, host) => {
    for (const source of sources) mergeInto(target, source, overwrite, host.meter);
    return target;
  });
}

const mergeKeeping = merge(false);
const mergeOverwriting = merge(true);
const copy = fn(["any"], ([value], host) => {
  if (value === undefined || value === null) throw new GoError("reflect: call of reflect.Value.Type on zero Value");
  return deepCopy(value, host.meter);
});

export const dictFunctions: FunctionTable = {
  dict: variadic([], "any", (_, values) => {
    const map: ValueMap = new Map();
    for (let i = 0; i < values.length; i += 2) {
      map.set(textValue(values[i]), i + 1 < values.length ? (values[i + 1] ?? null) : "");
    }
    return map;
  }),
  get: fn(["map", "string"], ([map, key]) => (map.has(key) ? map.get(key) : "")),
  set: fn(["map", "string", "any"], ([map, key, value]) => writable(map).set(key, value ?? null)),
  unset: fn(["map", "string"], ([map, key]) => {
    map.delete(key);
    return map;
  }),
  hasKey: fn(["map", "string"], ([map, key]) => map.has(key)),
  pluck: variadic(["string"], "map", ([key], maps) => maps.filter((map) => map.has(key)).map((map) => map.get(key))),
  // Go answers keys and values in random order; sorted is one of those orders.
  keys: variadic([], "map", (_, maps) => stringList(maps.flatMap((map) => sortedKeys(map)))),
  values: fn(["map"], ([map]) => sortedKeys(map).map((key) => map.get(key))),
  pick: variadic(["map"], "string", ([map], keys) => filtered(map, (key) => keys.includes(key))),
  omit: variadic(["map"], "string", ([map], keys) => filtered(map, (key) => !keys.includes(key))),
  merge: mergeKeeping,
  mustMerge: mergeKeeping,
  mergeOverwrite: mergeOverwriting,
  mustMergeOverwrite: mergeOverwriting,
  deepCopy: copy,
  mustDeepCopy: copy,
  dig: variadic([], "any", (_, args) => dig(args)),
};

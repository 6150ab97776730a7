/** The functions text/template itself brings: comparison, len, index, slice, call, print and escaping. */
import { byteLength, byteSlice, bytesOf } from "../go/bytes.ts";
import { sprintAll, sprintln } from "../go/format.ts";
import { sprintf } from "../go/printf.ts";
import {
  compareText,
  GoFunction,
  goInt,
  goKind,
  goType,
  Int,
  isNilCollection,
  isTrue,
  listItems,
  mapEntries,
  typedList,
  type Value,
} from "../go/value.ts";
import { GoError } from "./failure.ts";

type Basic = "bool" | "int" | "uint" | "float" | "string" | "invalid";

function basicKind(value: Value): Basic {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "float";
  if (typeof value === "string") return "string";
  if (value instanceof Int) return value.kind.startsWith("uint") ? "uint" : "int";
  return "invalid";
}

function equalPair(a: Value, b: Value): boolean {
  const ka = basicKind(a);
  const kb = basicKind(b);
  if (a instanceof Int && b instanceof Int) return a.value === b.value;
  if (ka !== kb) {
    if (isNothing(a) || isNothing(b)) return false;
    throw new GoError(`incompatible types for comparison: ${goType(a)} and ${goType(b)}`);
  }
  if (ka !== "invalid") return a === b;
  if (!isNothing(a) && !isNothing(b) && goKind(a) !== goKind(b)) {
    throw new GoError(sprintf("non-comparable types %s: %v, %s: %v", [a, goType(a), goType(b), b]));
  }
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  const kind = goKind(b);
  if (kind === "map" || kind === "slice" || kind === "func") {
    throw new GoError(sprintf("non-comparable type %s: %v", [b, goType(b)]));
  }
  return a === b;
}

function isNothing(value: Value): boolean {
  return value === undefined || value === null;
}

function isNil(value: Value): boolean {
  return isNothing(value) || isNilCollection(value);
}

function equal(first: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new GoError("missing argument for comparison");
  return others.some((other) => equalPair(first, other));
}

function less(a: Value, b: Value): boolean {
  const ka = basicKind(a);
  const kb = basicKind(b);
  if (ka === "invalid" || kb === "invalid") throw new GoError("invalid type for comparison");
  if (a instanceof Int && b instanceof Int) return a.value < b.value;
  if (ka !== kb) throw new GoError(`incompatible types for comparison: ${goType(a)} and ${goType(b)}`);
  if (typeof a === "number" && typeof b === "number") return a < b;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b) < 0;
  throw new GoError("invalid type for comparison");
}

function indexNumber(index: Value, capacity: number): number {
  if (isNothing(index)) throw new GoError("cannot index slice/array with nil");
  if (!(index instanceof Int)) throw new GoError(`cannot index slice/array with type ${goType(index)}`);
  if (index.value < 0n || index.value > BigInt(capacity)) throw new GoError(`index out of range: ${index.value}`);
  return Number(index.value);
}

function indexInto(item: Value, index: Value): Value {
  if (isNothing(item)) throw new GoError("index of nil pointer");
  const map = mapEntries(item);
  if (map !== undefined) return indexMap(item, map, index);
  if (typeof item === "string") {
    const bytes = bytesOf(item);
    const at = indexNumber(index, bytes.length);
    if (at === bytes.length) throw new GoError("reflect: string index out of range");
    return new Int("uint8", BigInt(bytes[at] ?? 0));
  }
  const items = listItems(item);
  if (items === undefined) throw new GoError(`can't index item of type ${goType(item)}`);
  const at = indexNumber(index, items.length);
  if (at === items.length) throw new GoError("reflect: slice index out of range");
  return items[at];
}

function indexMap(item: Value, map: ReadonlyMap<string, Value>, index: Value): Value {
  if (isNothing(index)) throw new GoError("value is nil; should be of type string");
  if (typeof index !== "string") throw new GoError(`value has type ${goType(index)}; should be string`);
  const value = map.get(index);
  if (value !== undefined) return value;
  return goType(item) === "map[string]string" ? "" : null;
}

function sliceOf(item: Value, indexes: readonly Value[]): Value {
  if (isNothing(item)) throw new GoError("slice of untyped nil");
  if (indexes.length > 3) throw new GoError(`too many slice indexes: ${indexes.length}`);
  const items = typeof item === "string" ? undefined : listItems(item);
  if (typeof item !== "string" && items === undefined) throw new GoError(`can't slice item of type ${goType(item)}`);
  if (typeof item === "string" && indexes.length === 3) throw new GoError("cannot 3-index slice a string");
  const length = typeof item === "string" ? byteLength(item) : (items?.length ?? 0);
  const [start = 0, end = length, capacity = end] = indexes.map((index) => indexNumber(index, length));
  if (start > end) throw new GoError(`invalid slice index: ${start} > ${end}`);
  if (end > capacity) throw new GoError(`invalid slice index: ${end} > ${capacity}`);
  if (typeof item === "string") return byteSlice(item, start, end);
  if (item instanceof Uint8Array) return item.subarray(start, end);
  return typedList((items ?? []).slice(start, end), goType(item));
}

function lengthOf(item: Value): Value {
  if (item === null) throw new GoError("len of nil pointer");
  if (item === undefined) throw new GoError("reflect: call of reflect.Value.Type on zero Value");
  if (typeof item === "string") return goInt(byteLength(item));
  const size = mapEntries(item)?.size ?? listItems(item)?.length;
  if (size === undefined) throw new GoError(`len of type ${goType(item)}`);
  return goInt(size);
}

/** `call`: calls a function value. @param name how the template writes the function */
export function callValue(name: string, fn: Value, args: readonly Value[], host: unknown): Value {
  if (isNothing(fn)) throw new GoError("call of nil");
  if (!(fn instanceof GoFunction)) throw new GoError(`non-function ${name} of type ${goType(fn)}`);
  if (fn.rest === undefined ? args.length !== fn.params.length : args.length < fn.params.length) {
    throw new GoError(`wrong number of args for ${name}: got ${args.length} want ${fn.params.length}`);
  }
  return fn.call(args, host);
}

const htmlEscapes: Readonly<Record<string, string>> = {
  "\0": "\uFFFD",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

function escapeHtml(text: string): string {
  return text.replace(/[\0"'&<>]/g, (char) => htmlEscapes[char] ?? char);
}

const jsEscapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=\p{C}\p{Z}]/gu, (char) => {
    if (char === " ") return char;
    const known = jsEscapes[char];
    if (known !== undefined) return known;
    return `\\u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  });
}

/** `url.QueryEscape`. */
export function queryEscape(text: string): string {
  return Array.from(bytesOf(text), (byte) => {
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.~]/.test(char)) return char;
    return char === " " ? "+" : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

function variadic(call: (values: readonly Value[]) => Value): GoFunction {
  return new GoFunction([], "interface {}", call);
}

function comparison(call: (a: Value, b: Value) => boolean): GoFunction {
  return new GoFunction(["reflect.Value", "reflect.Value"], undefined, ([a, b]) => call(a, b));
}

/** text/template's own functions but those the evaluator itself runs. */
export const builtins: ReadonlyMap<string, GoFunction> = new Map([
  ["eq", new GoFunction(["reflect.Value"], "reflect.Value", ([first, ...others]) => equal(first, others))],
  ["ne", comparison((a, b) => !equal(a, [b]))],
  ["lt", comparison(less)],
  ["le", comparison((a, b) => less(a, b) || equal(a, [b]))],
  ["gt", comparison((a, b) => !(less(a, b) || equal(a, [b])))],
  ["ge", comparison((a, b) => !less(a, b))],
  ["html", variadic((values) => escapeHtml(sprintAll(values)))],
  ["js", variadic((values) => escapeJs(sprintAll(values)))],
  [
    "index",
    new GoFunction(["reflect.Value"], "reflect.Value", ([item, ...indexes]) => {
      if (isNothing(item)) throw new GoError("index of untyped nil");
      return indexes.reduce<Value>(indexInto, item);
    }),
  ],
  ["len", new GoFunction(["reflect.Value"], undefined, ([item]) => lengthOf(item))],
  ["not", new GoFunction(["reflect.Value"], undefined, ([value]) => !isTrue(value))],
  ["print", variadic(sprintAll)],
  ["printf", new GoFunction(["string"], "interface {}", ([format, ...args]) => sprintf(String(format), args))],
  ["println", variadic(sprintln)],
  ["slice", new GoFunction(["reflect.Value"], "reflect.Value", ([item, ...indexes]) => sliceOf(item, indexes))],
  ["urlquery", variadic((values) => queryEscape(sprintAll(values)))],
]);

/** Names that are functions even without an entry in a table. */
export const lazyBuiltins: readonly string[] = ["and", "or", "call"];

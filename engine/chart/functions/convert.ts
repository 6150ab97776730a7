/** Sprig's conversions: anything to text, integer, float; emptiness. */
import { textOf } from "../go/bytes.ts";
import { parseFloat64, parseInt64, truncateToInt64 } from "../go/floats.ts";
import { sprint } from "../go/format.ts";
import { GoFunction, Int, isList, isTrue, listItems, Named, type Value } from "../go/value.ts";
import { GoError } from "../template/failure.ts";

/** `strval`: text as is, bytes as text, everything else as `%v`. */
export function textValue(value: Value): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return textOf(value);
  return sprint(value);
}

/** `strslice`: the texts of a list without its nils; anything else as a list of one. */
export function textList(value: Value): string[] {
  if (value === undefined || value === null) return [];
  const items = listItems(value);
  if (items === undefined) return [textValue(value)];
  return items.filter((item) => item !== undefined && item !== null).map(textValue);
}

/** `toInt64`: 0 for what is no number. */
export function integerValue(value: Value): bigint {
  if (value instanceof Int) return value.kind === "time.Duration" ? 0n : BigInt.asIntN(64, value.value);
  if (typeof value === "number") return truncateToInt64(value);
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value !== "string") return 0n;
  return parseInt64(withoutZeroDecimals(value), 0) ?? 0n;
}

/** "8.0" counts as 8, "8.5" does not. */
function withoutZeroDecimals(text: string): string {
  return text.replace(/\.0+$/, "");
}

/** `toFloat64`: 0 for what is no number. */
export function floatValue(value: Value): number {
  if (value instanceof Int) return value.kind === "time.Duration" ? 0 : Number(value.value);
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "string") return 0;
  return parseFloat64(value) ?? 0;
}

/** Sprig's `empty`: Go's zero values, and nil. */
export function isEmpty(value: Value): boolean {
  if (value instanceof GoFunction) return false;
  return !isTrue(value);
}

/** The items of a list argument. @throws GoError with sprig's words, `what` being the name it uses */
export function itemsOf(value: Value, what: string, ending = ""): readonly Value[] {
  if (isList(value)) return value;
  const items = listItems(value);
  if (items !== undefined) return items;
  if (value === undefined || value === null) {
    throw new GoError("runtime error: invalid memory address or nil pointer dereference");
  }
  throw new GoError(`${what} ${kindText(value)}${ending}`);
}

function kindText(value: Value): string {
  if (value instanceof Int) return value.kind === "time.Duration" ? "int64" : value.kind;
  if (value instanceof Map) return "map";
  if (value instanceof Named) return value.kind;
  if (typeof value === "number") return "float64";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : "func";
}

/** Go's `reflect.DeepEqual` on template values: same types all the way down, nil and empty slices told apart. */
import { GoFunction, goType, Int, isList, isNilCollection, Named, type Value, type ValueMap } from "./value.ts";

/** Whether two values are deeply equal by Go's rules: an int is never equal to a float64, `[]string` never to `[]interface {}`. */
export function deepEqual(a: Value, b: Value): boolean {
  if ((a ?? null) === null || (b ?? null) === null) return (a ?? null) === (b ?? null);
  if (a === b) return !(a instanceof GoFunction);
  return typeof a === "object" && goType(a) === goType(b) && equalObjects(a, b);
}

function equalObjects(a: Value, b: Value): boolean {
  if (isNilCollection(a) !== isNilCollection(b)) return false;
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, i) => deepEqual(item, b[i]));
  if (a instanceof Map && b instanceof Map) return equalMaps(a, b);
  if (a instanceof Int && b instanceof Int) return a.value === b.value;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a instanceof Named && b instanceof Named && equalNamed(a, b);
}

function equalMaps(a: ValueMap, b: ValueMap): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !deepEqual(value, b.get(key))) return false;
  return true;
}

function equalNamed(a: Named, b: Named): boolean {
  if (!deepEqual(a.underlying, b.underlying)) return false;
  for (const [name, field] of a.fields) if (!deepEqual(field, b.fields.get(name))) return false;
  return true;
}

/** What `range` goes over, value by value. */
import { sprint } from "../go/format.ts";
import { goInt, goType, Int, listItems, mapEntries, sortedKeys, type Value } from "../go/value.ts";

/** The steps of a range. */
export interface RangeSteps {
  /** Index and element of each step. */
  readonly items: Iterable<readonly [Value, Value]>;
  /** Whether Go holds the elements as interfaces, which error messages tell. */
  readonly isInterface: boolean;
}

/** A value `range` cannot go over; the message is Go's. */
export class RangeProblem extends Error {}

/** The steps of a range over a value. @throws RangeProblem */
export function rangeSteps(value: Value, wantsIndex: boolean): RangeSteps {
  if (value === undefined || value === null) return { items: [], isInterface: false };
  if (value instanceof Int) {
    if (wantsIndex) throw new RangeProblem(`can't use ${value.value} to iterate over more than one variable`);
    return { items: counting(value), isInterface: false };
  }
  const map = mapEntries(value);
  if (map !== undefined) {
    return { items: sortedKeys(map).map((key) => [key, map.get(key)] as const), isInterface: holdsInterfaces(value) };
  }
  const list = listItems(value);
  if (list !== undefined) return { items: numbered(list), isInterface: goType(value) === "[]interface {}" };
  if (value instanceof Uint8Array) {
    const items = Array.from(value, (byte, i) => [goInt(i), new Int("uint8", BigInt(byte))] as const);
    return { items, isInterface: false };
  }
  throw new RangeProblem(`range can't iterate over ${sprint(value)}`);
}

/** Whether the elements of a map are of interface type. */
export function holdsInterfaces(map: Value): boolean {
  return /interface \{\}$|Values$/.test(goType(map));
}

function* numbered(list: readonly Value[]): Generator<readonly [Value, Value]> {
  for (let i = 0; i < list.length; i++) yield [goInt(i), list[i]];
}

function* counting(count: Int): Generator<readonly [Value, Value]> {
  for (let i = 0n; i < count.value; i++) yield [undefined, new Int(count.kind, i)];
}

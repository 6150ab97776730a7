/** Sprig's list functions. Lists are never changed in place: each function answers a new one. */
import { deepEqual } from "../go/equal.ts";
import { compareText, goInt, goType, listItems, nilList, stringList, typedList, type Value } from "../go/value.ts";
import { GoError } from "../template/failure.ts";
import type { Meter } from "../template/meter.ts";
import { integerValue, isEmpty, itemsOf, textList, textValue } from "./convert.ts";
import { type FunctionTable, fn, variadic } from "./define.ts";

function chunk(size: number, value: Value): Value {
  const items = itemsOf(value, "Cannot chunk type");
  if (size <= 0) throw new GoError("runtime error: makeslice: len out of range");
  const chunks: Value[] = [];
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
  return typedList(chunks, "[][]interface {}");
}

function includes(items: readonly Value[], wanted: Value): boolean {
  return items.some((item) => deepEqual(wanted, item));
}

function unique(items: readonly Value[], meter: Meter): Value[] {
  const out: Value[] = [];
  const texts = new Set<string>();
  for (const item of items) {
    if (typeof item === "string") {
      if (!texts.has(item)) out.push(item);
      texts.add(item);
      continue;
    }
    meter.spend(out.length);
    if (!includes(out, item)) out.push(item);
  }
  return out;
}

function sliceList(value: Value, indexes: readonly Value[]): Value {
  const items = itemsOf(value, "list should be type of slice or array but");
  if (items.length === 0) return null;
  const start = indexes.length > 0 ? Number(integerValue(indexes[0])) : 0;
  const end = indexes.length > 1 ? Number(integerValue(indexes[1])) : items.length;
  if (start < 0 || end > items.length || start > end)
    throw new GoError("reflect.Value.Slice: slice index out of bounds");
  return typedList(items.slice(start, end), goType(value));
}

function concat(lists: readonly Value[], meter: Meter): Value {
  const out: Value[] = [];
  for (const list of lists) {
    const items = itemsOf(list, "Cannot concat type", " as list");
    meter.room(out.length + items.length);
    for (const item of items) out.push(item);
  }
  return out.length === 0 ? nilList() : out;
}

function sequence(start: number, stop: number, step: number, meter: Meter): number[] {
  const up = stop >= start;
  if (up ? step <= 0 : step >= 0) return [];
  const count = Math.ceil((stop - start) / step);
  meter.room(count);
  meter.spend(count >> 4);
  const out: number[] = [];
  for (let i = start; up ? i < stop : i > stop; i += step) out.push(i);
  return out;
}

function seqText(params: readonly number[], meter: Meter): string {
  const [first = 0, second = 0, third = 0] = params;
  const toward = (from: number, to: number): number => (to < from ? -1 : 1);
  switch (params.length) {
    case 1: {
      const step = toward(1, first);
      return sequence(1, first + step, step, meter).join(" ");
    }
    case 2: {
      const step = toward(first, second);
      return sequence(first, second + step, step, meter).join(" ");
    }
    case 3: {
      const step = toward(first, third);
      if (step < 0 && second > 0) return "";
      return sequence(first, third + step, second, meter).join(" ");
    }
    default:
      return "";
  }
}

const ints = (numbers: readonly number[]): Value =>
  typedList(
    numbers.map((n) => goInt(n)),
    "[]int",
  );

const push = fn(["any", "any"], ([list, item], host) => {
  const items = itemsOf(list, "Cannot push on type");
  host.meter.spend(items.length >> 4);
  return [...items, item ?? null];
});
const prepend = fn(["any", "any"], ([list, item]) => [item ?? null, ...itemsOf(list, "Cannot prepend on type")]);
const first = fn(["any"], ([list]) => itemsOf(list, "Cannot find first on type")[0] ?? null);
const last = fn(["any"], ([list]) => itemsOf(list, "Cannot find last on type").at(-1) ?? null);
const rest = fn(["any"], ([list]) => {
  const items = itemsOf(list, "Cannot find rest on type");
  return items.length === 0 ? nilList() : items.slice(1);
});
const initial = fn(["any"], ([list]) => {
  const items = itemsOf(list, "Cannot find initial on type");
  return items.length === 0 ? nilList() : items.slice(0, -1);
});
const reverse = fn(["any"], ([list]) => itemsOf(list, "Cannot find reverse on type").toReversed());
const uniq = fn(["any"], ([list], host) => unique(itemsOf(list, "Cannot find uniq on type"), host.meter));
const compact = fn(["any"], ([list]) => itemsOf(list, "Cannot compact on type").filter((item) => !isEmpty(item)));
const without = variadic(["any"], "any", ([list], omitted) => {
  return itemsOf(list, "Cannot find without on type").filter((item) => !includes(omitted, item));
});
const has = fn(["any", "any"], ([wanted, list]) => {
  if (list === undefined || list === null) return false;
  return includes(itemsOf(list, "Cannot find has on type"), wanted);
});
const slice = variadic(["any"], "any", ([list], indexes) => sliceList(list, indexes));
const chunks = fn(["int", "any"], ([size, list]) => chunk(size, list));
const list = variadic([], "any", (_, items) => items.map((item) => item ?? null));

export const listFunctions: FunctionTable = {
  list,
  tuple: list,
  append: push,
  push,
  mustAppend: push,
  mustPush: push,
  prepend,
  mustPrepend: prepend,
  first,
  mustFirst: first,
  last,
  mustLast: last,
  rest,
  mustRest: rest,
  initial,
  mustInitial: initial,
  reverse,
  mustReverse: reverse,
  uniq,
  mustUniq: uniq,
  compact,
  mustCompact: compact,
  without,
  mustWithout: without,
  has,
  mustHas: has,
  slice,
  mustSlice: slice,
  chunk: chunks,
  mustChunk: chunks,
  concat: variadic([], "any", (_, lists, host) => concat(lists, host.meter)),
  sortAlpha: fn(["any"], ([value]) => {
    return stringList(listItems(value) === undefined ? [textValue(value)] : textList(value).sort(compareText));
  }),
  until: fn(["int"], ([count], host) => ints(sequence(0, count, count < 0 ? -1 : 1, host.meter))),
  untilStep: fn(["int", "int", "int"], ([start, stop, step], host) => ints(sequence(start, stop, step, host.meter))),
  seq: variadic([], "int", (_, params, host) => seqText(params, host.meter)),
};

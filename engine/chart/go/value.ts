/**
 * The values a chart's templates work on, with the distinctions Go makes and JavaScript does not: int and float64, typed and
 * untyped slices, nil inside an interface and no value at all.
 *
 * Maps are `Map`s, never objects: keys such as `__proto__` are keys like any other.
 */

/** Kinds of Go integers that reach a template. A `time.Duration` is one too, with a text of its own. */
export type IntKind = "int" | "int32" | "int64" | "uint8" | "uint32" | "uint64" | "time.Duration" | "time.Month";

/** A Go integer: its type and its value, wrapped to 64 bits by whoever computes it. */
export class Int {
  readonly kind: IntKind;
  readonly value: bigint;

  constructor(kind: IntKind, value: bigint) {
    this.kind = kind;
    this.value = value;
  }
}

/** A string-keyed Go map. Sorted by key bytes when ranged over or printed. */
export type ValueMap = Map<string, Value>;

/** A Go slice; `sliceType` tells `[]string` from `[]interface {}`. */
export type ValueList = readonly Value[];

/**
 * Anything a template can hold. `undefined` is Go's invalid `reflect.Value` (no value), `null` a nil of interface type:
 * reading a field of the first gives nothing, of the second is an error.
 */
export type Value =
  | undefined
  | null
  | boolean
  | number
  | string
  | Int
  | ValueMap
  | ValueList
  | Uint8Array
  | Named
  | GoFunction;

/** A named Go type: a struct, or a slice or map with methods. */
export class Named {
  /** As `printf "%T"` prints it: `*semver.Version`, `engine.files`. */
  readonly goType: string;
  readonly kind: "struct" | "ptr" | "slice" | "map";
  readonly fields: ReadonlyMap<string, Value>;
  readonly methods: ReadonlyMap<string, GoFunction>;
  /** What a slice or map holds. */
  readonly underlying: ValueMap | ValueList | undefined;
  /** The type's `String()` method, when it has one. */
  readonly text: (() => string) | undefined;
  /** What `{{ value }}` shows where Go finds a `String()` only through the value's address. */
  readonly shownAs: string | undefined;

  constructor(of: {
    readonly goType: string;
    readonly kind: "struct" | "ptr" | "slice" | "map";
    readonly fields?: ReadonlyMap<string, Value>;
    readonly methods?: ReadonlyMap<string, GoFunction>;
    readonly underlying?: ValueMap | ValueList;
    readonly text?: () => string;
    readonly shownAs?: string;
  }) {
    this.goType = of.goType;
    this.kind = of.kind;
    this.fields = of.fields ?? new Map();
    this.methods = of.methods ?? new Map();
    this.underlying = of.underlying;
    this.text = of.text;
    this.shownAs = of.shownAs;
  }
}

/** A function or method a template can call, with the Go types of its parameters. */
export class GoFunction {
  readonly params: readonly string[];
  /** Go type of each further argument of a variadic function. */
  readonly rest: string | undefined;
  readonly call: (args: readonly Value[], host: unknown) => Value;

  constructor(
    params: readonly string[],
    rest: string | undefined,
    call: (args: readonly Value[], host: unknown) => Value,
  ) {
    this.params = params;
    this.rest = rest;
    this.call = call;
  }
}

const sliceTypes = new WeakMap<ValueList, string>();
const nils = new WeakSet<object>();
const mapTypes = new WeakMap<ValueMap, string>();

/** Marks a list as a slice of another type than `[]interface {}`, and returns it. */
export function typedList(items: ValueList, goType: string): ValueList {
  sliceTypes.set(items, goType);
  return items;
}

/** A `[]string`. */
export function stringList(items: readonly string[]): ValueList {
  return typedList(items, "[]string");
}

/** A nil slice of the given type: empty, but `null` in JSON. */
export function nilList(goType = "[]interface {}"): ValueList {
  const list = typedList([], goType);
  nils.add(list);
  return list;
}

/** A nil map: reads as empty, cannot be written to. */
export function nilMap(): ValueMap {
  const map: ValueMap = new Map();
  nils.add(map);
  return map;
}

/** Marks a map as another type than `map[string]interface {}`, and returns it. */
export function typedMap(map: ValueMap, goType: string): ValueMap {
  mapTypes.set(map, goType);
  return map;
}

/** Whether a slice or map is Go's nil of its type. */
export function isNilCollection(value: Value): boolean {
  return typeof value === "object" && value !== null && nils.has(value);
}

const smallInts: readonly Int[] = Array.from({ length: 257 }, (_, n) => new Int("int", BigInt(n)));

/** A Go `int`. */
export function goInt(value: number | bigint): Int {
  const small = value >= 0 && value <= 256 ? smallInts[Number(value)] : undefined;
  return small ?? new Int("int", BigInt.asIntN(64, BigInt(value)));
}

/** A Go `int64`. */
export function goInt64(value: number | bigint): Int {
  return new Int("int64", BigInt.asIntN(64, BigInt(value)));
}

/** Whether the value is a list (and not bytes or a named slice). */
export function isList(value: Value): value is ValueList {
  return Array.isArray(value);
}

/** The items of anything whose Go kind is slice; undefined for the rest. */
export function listItems(value: Value): ValueList | undefined {
  if (isList(value)) return value;
  if (value instanceof Uint8Array) return Array.from(value, (byte) => new Int("uint8", BigInt(byte)));
  if (value instanceof Named && value.kind === "slice" && isList(value.underlying)) return value.underlying;
  return undefined;
}

/** The entries of anything whose Go kind is map; undefined for the rest. */
export function mapEntries(value: Value): ValueMap | undefined {
  if (value instanceof Map) return value;
  if (value instanceof Named && value.kind === "map" && value.underlying instanceof Map) return value.underlying;
  return undefined;
}

/** The Go type of a value as `%T` prints it; `<nil>` for nil. */
export function goType(value: Value): string {
  if (value === undefined || value === null) return "<nil>";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "float64";
  if (value instanceof Int) return value.kind;
  if (value instanceof Map) return mapTypes.get(value) ?? "map[string]interface {}";
  if (isList(value)) return sliceTypes.get(value) ?? "[]interface {}";
  if (value instanceof Uint8Array) return "[]uint8";
  if (value instanceof Named) return value.goType;
  return "func()";
}

/** The Go kind of a value as `kindOf` prints it; `invalid` for nil. */
export function goKind(value: Value): string {
  if (value === undefined || value === null) return "invalid";
  if (value instanceof Int) {
    if (value.kind === "time.Duration") return "int64";
    return value.kind === "time.Month" ? "int" : value.kind;
  }
  if (value instanceof Map) return "map";
  if (isList(value) || value instanceof Uint8Array) return "slice";
  if (value instanceof Named) return value.kind;
  if (value instanceof GoFunction) return "func";
  return goType(value);
}

/** Orders text by its UTF-8 bytes, as Go orders strings. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // UTF-16 order differs from UTF-8 order only where surrogates meet U+E000..U+FFFF.
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** The keys of a map in the order Go ranges over them. */
export function sortedKeys(map: ReadonlyMap<string, unknown>): string[] {
  return [...map.keys()].sort(compareText);
}

/** Go's truth: nil, zero and empty are false. */
export function isTrue(value: Value): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return false;
  if (typeof value === "number") return value !== 0;
  if (value instanceof Int) return value.value !== 0n;
  if (value instanceof Map) return value.size > 0;
  if (isList(value) || value instanceof Uint8Array) return value.length > 0;
  if (value instanceof Named) {
    const inside = value.underlying;
    if (inside === undefined) return true;
    return inside instanceof Map ? inside.size > 0 : inside.length > 0;
  }
  return true;
}

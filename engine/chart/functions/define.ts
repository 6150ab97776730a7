/** How template functions are written down: parameter types by short name, arguments typed to match. */
import type { GoTime } from "../go/time.ts";
import { GoFunction, Int, Named, type Value, type ValueList, type ValueMap } from "../go/value.ts";
import type { Meter } from "../template/meter.ts";

/** What functions may use of the render they run in. */
export interface FunctionHost {
  readonly meter: Meter;
  /** The time `now` answers; fixed for a render. */
  readonly now: GoTime;
  /** Random bytes for keys and passwords; the same seed gives the same bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
  readonly include: (name: string, data: Value) => string;
  readonly tpl: (text: string, data: Value) => string;
}

/** Short name of a parameter type → what the function receives. */
interface Received {
  any: Value;
  string: string;
  bool: boolean;
  /** Go's int, as a number: counts and positions. */
  int: number;
  uint32: number;
  float64: number;
  map: ValueMap;
  list: ValueList;
  time: GoTime;
  certificate: Named;
}

type ParamName = keyof Received;

const goTypes: Readonly<Record<ParamName, string>> = {
  any: "interface {}",
  string: "string",
  bool: "bool",
  int: "int",
  uint32: "uint32",
  float64: "float64",
  map: "map[string]interface {}",
  list: "[]interface {}",
  time: "time.Time",
  certificate: "sprig.certificate",
};

type Tuple<P extends readonly ParamName[]> = { -readonly [I in keyof P]: Received[P[I]] };

function received(value: Value): unknown {
  if (value instanceof Int) return value;
  return value instanceof Named && value.goType === "time.Time" ? (value as unknown) : value;
}

function receive(value: Value, name: ParamName): unknown {
  if ((name === "int" || name === "uint32") && value instanceof Int) return Number(value.value);
  return received(value);
}

/** A function of fixed parameters. The caller of templates has checked and adapted the argument types. */
export function fn<const P extends readonly ParamName[]>(
  params: P,
  call: (args: Tuple<P>, host: FunctionHost) => Value,
): GoFunction {
  return new GoFunction(
    params.map((name) => goTypes[name]),
    undefined,
    (args, host) => {
      const typed = params.map((name, i) => receive(args[i], name)) as Tuple<P>;
      return call(typed, host as FunctionHost);
    },
  );
}

/** A variadic function: fixed parameters, then any number of `rest`. */
export function variadic<const P extends readonly ParamName[], R extends ParamName>(
  params: P,
  rest: R,
  call: (args: Tuple<P>, more: readonly Received[R][], host: FunctionHost) => Value,
): GoFunction {
  return new GoFunction(
    params.map((name) => goTypes[name]),
    goTypes[rest],
    (args, host) => {
      const typed = params.map((name, i) => receive(args[i], name)) as Tuple<P>;
      const more = args.slice(params.length).map((value) => receive(value, rest)) as Received[R][];
      return call(typed, more, host as FunctionHost);
    },
  );
}

/** A table of functions by the name templates call them. */
export type FunctionTable = Readonly<Record<string, GoFunction>>;

/** Sprig's arithmetic: int64 that wraps around, and decimal floats. */
import { formatFloat, parseInt64 } from "../go/floats.ts";
import { sprint } from "../go/format.ts";
import { goInt, goInt64, type Value } from "../go/value.ts";
import { GoError } from "../template/failure.ts";
import { floatValue, integerValue } from "./convert.ts";
import { type FunctionTable, fn, variadic } from "./define.ts";

/** A decimal number: `units` × 10^-`scale`. Sprig's float functions calculate in these, so 0.1 + 0.2 is 0.3. */
interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

function decimal(value: number): Decimal {
  const text = formatFloat(value, "f", -1);
  const [whole = "0", fraction = ""] = text.split(".");
  return { units: BigInt(whole.replace(/^-0*/, "-0") + fraction || "0"), scale: fraction.length };
}

function aligned(a: Decimal, b: Decimal): readonly [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.units * 10n ** BigInt(scale - a.scale), b.units * 10n ** BigInt(scale - b.scale), scale];
}

function numberOf({ units, scale }: Decimal): number {
  return Number(`${units}e${-scale}`);
}

type Operation = (a: Decimal, b: Decimal) => Decimal;

const plus: Operation = (a, b) => {
  const [x, y, scale] = aligned(a, b);
  return { units: x + y, scale };
};
const minus: Operation = (a, b) => plus(a, { units: -b.units, scale: b.scale });
const times: Operation = (a, b) => ({ units: a.units * b.units, scale: a.scale + b.scale });

/** shopspring/decimal keeps 16 places, rounding half away from zero. */
const divide: Operation = (a, b) => {
  if (b.units === 0n) throw new GoError("decimal division by 0");
  const [x, y] = aligned(a, b);
  const scaled = x * 10n ** 16n;
  const quotient = scaled / y;
  const remainder = scaled % y;
  const twice = remainder < 0n ? -remainder * 2n : remainder * 2n;
  const roundsUp = twice >= (y < 0n ? -y : y);
  const away = x < 0n === y < 0n ? 1n : -1n;
  return { units: roundsUp ? quotient + away : quotient, scale: 16 };
};

function fold(start: Value, values: readonly Value[], operation: Operation): number {
  const first = floatValue(start);
  const numbers = values.map(floatValue);
  if (![first, ...numbers].every(Number.isFinite)) throw new GoError("Cannot create a Decimal from NaN or an infinity");
  return numberOf(numbers.map(decimal).reduce(operation, decimal(first)));
}

function quotient(a: Value, b: Value, remainder: boolean): Value {
  const divisor = integerValue(b);
  if (divisor === 0n) throw new GoError("runtime error: integer divide by zero");
  return goInt64(remainder ? integerValue(a) % divisor : integerValue(a) / divisor);
}

function extreme(values: readonly Value[], isBetter: (a: bigint, b: bigint) => boolean): Value {
  return goInt64(values.map(integerValue).reduce((best, value) => (isBetter(value, best) ? value : best)));
}

function round(value: number, places: number, roundOn: number): number {
  const power = 10 ** places;
  const digit = power * value;
  const fraction = digit - Math.trunc(digit);
  return (fraction >= roundOn ? Math.ceil(digit) : Math.floor(digit)) / power;
}

const max = variadic(["any"], "any", ([first], more) => extreme([first, ...more], (a, b) => a > b));

export const mathFunctions: FunctionTable = {
  add: variadic([], "any", (_, values) => goInt64(values.map(integerValue).reduce((sum, value) => sum + value, 0n))),
  add1: fn(["any"], ([value]) => goInt64(integerValue(value) + 1n)),
  sub: fn(["any", "any"], ([a, b]) => goInt64(integerValue(a) - integerValue(b))),
  div: fn(["any", "any"], ([a, b]) => quotient(a, b, false)),
  mod: fn(["any", "any"], ([a, b]) => quotient(a, b, true)),
  mul: variadic(["any"], "any", ([first], more) => {
    return goInt64(
      more.map(integerValue).reduce((product, value) => BigInt.asIntN(64, product * value), integerValue(first)),
    );
  }),
  max,
  biggest: max,
  min: variadic(["any"], "any", ([first], more) => extreme([first, ...more], (a, b) => a < b)),
  maxf: variadic(["any"], "any", ([first], more) => Math.max(floatValue(first), ...more.map(floatValue))),
  minf: variadic(["any"], "any", ([first], more) => Math.min(floatValue(first), ...more.map(floatValue))),
  add1f: fn(["any"], ([value]) => fold(value, [1], plus)),
  addf: variadic([], "any", (_, values) => fold(0, values, plus)),
  subf: variadic(["any"], "any", ([first], more) => fold(first, more, minus)),
  divf: variadic(["any"], "any", ([first], more) => fold(first, more, divide)),
  mulf: variadic(["any"], "any", ([first], more) => fold(first, more, times)),
  ceil: fn(["any"], ([value]) => Math.ceil(floatValue(value))),
  floor: fn(["any"], ([value]) => Math.floor(floatValue(value))),
  round: variadic(["any", "int"], "float64", ([value, places], [roundOn]) =>
    round(floatValue(value), places, roundOn ?? 0.5),
  ),
  int: fn(["any"], ([value]) => goInt(integerValue(value))),
  int64: fn(["any"], ([value]) => goInt64(integerValue(value))),
  float64: fn(["any"], ([value]) => floatValue(value)),
  atoi: fn(["string"], ([text]) => goInt(/^[+-]?\d+$/.test(text) ? (parseInt64(text, 10) ?? 0n) : 0n)),
  toDecimal: fn(["any"], ([value]) => goInt64(parseInt64(sprint(value), 8) ?? 0n)),
  randInt: fn(["int", "int"], ([low, high], host) => {
    if (high <= low) throw new GoError("invalid argument to Intn");
    const [a = 0, b = 0, c = 0, d = 0] = host.randomBytes(4);
    return goInt(low + ((((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % (high - low)));
  }),
};

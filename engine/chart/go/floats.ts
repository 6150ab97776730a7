/** Floating point numbers as Go's strconv prints and reads them. */

interface Decimal {
  readonly negative: boolean;
  /** Significant digits without leading or trailing zeros; empty for zero. */
  readonly digits: string;
  /** The decimal point stands before digit `point`: value = 0.DIGITS × 10^point. */
  readonly point: number;
}

/** The shortest decimal that reads back as the same number. */
function shortest(value: number): Decimal {
  const [mantissa = "0", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "").replace(/0+$/, "");
  return { negative: isNegative(value), digits, point: digits === "" ? 0 : Number(exponent) + 1 };
}

/** The exact decimal value of the number. */
function exact(value: number): Decimal {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  const power = (biased === 0 ? 1 : biased) - 1075;
  const scaled = power >= 0 ? mantissa << BigInt(power) : mantissa * 5n ** BigInt(-power);
  const text = scaled === 0n ? "" : scaled.toString();
  const point = text === "" ? 0 : text.length + Math.min(power, 0);
  return { negative: isNegative(value), digits: text.replace(/0+$/, ""), point };
}

function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0);
}

/** Keeps `count` digits, rounding half to even on the exact value. */
function rounded(decimal: Decimal, count: number): Decimal {
  const { digits, negative } = decimal;
  if (count >= digits.length) return decimal;
  if (count < 0) return { negative, digits: "", point: 0 };
  const kept = digits.slice(0, count);
  const rest = digits.slice(count);
  const half = rest === "5";
  const up = half ? Number(kept.at(-1) ?? "0") % 2 === 1 : rest >= "5";
  if (!up) return trimmed(negative, kept, decimal.point);
  const raised = (BigInt(kept === "" ? "0" : kept) + 1n).toString().padStart(kept.length, "0");
  return trimmed(negative, raised, decimal.point + (raised.length - kept.length));
}

function trimmed(negative: boolean, digits: string, point: number): Decimal {
  const bare = digits.replace(/0+$/, "");
  return { negative, digits: bare, point: bare === "" ? 0 : point };
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : undefined;
}

/**
 * `strconv.FormatFloat(value, format, precision, 64)`: precision -1 is the shortest text that reads back the same.
 * @see https://pkg.go.dev/strconv#FormatFloat
 */
export function formatFloat(value: number, format: "e" | "f" | "g", precision: number): string {
  const unusual = special(value);
  if (unusual !== undefined) return unusual;
  const isShortest = precision < 0;
  const full = isShortest ? shortest(value) : exact(value);
  if (format === "f") return plain(isShortest ? full : rounded(full, full.point + precision), precision);
  if (format === "e") return scientific(isShortest ? full : rounded(full, precision + 1), precision);
  return isShortest ? general(full, 6) : generalOf(full, precision === 0 ? 1 : precision);
}

/** `%g` with a number of significant digits: as many of them show as the value has. */
function generalOf(full: Decimal, count: number): string {
  const decimal = rounded(full, count);
  const shown = decimal.digits.length;
  return general(decimal, count > shown && shown >= decimal.point ? shown : count);
}

/** `%g`: an exponent when the point would stand far away from the digits. */
function general(decimal: Decimal, threshold: number): string {
  const exponent = decimal.point - 1;
  const isFar = decimal.digits !== "" && (exponent < -4 || exponent >= threshold);
  return isFar ? scientific(decimal, -1) : plain(decimal, -1);
}

function plain(decimal: Decimal, precision: number): string {
  const { digits, point } = decimal;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const shown = precision < 0 ? Math.max(digits.length - point, 0) : precision;
  const fraction = point >= 0 ? digits.slice(point) : "0".repeat(Math.min(-point, shown)) + digits;
  const tail = digits === "" ? "0".repeat(precision < 0 ? 0 : shown) : fraction.slice(0, shown).padEnd(shown, "0");
  return `${decimal.negative ? "-" : ""}${whole}${tail === "" ? "" : `.${tail}`}`;
}

function scientific(decimal: Decimal, precision: number): string {
  const digits = decimal.digits === "" ? "0" : decimal.digits;
  const fraction = precision < 0 ? digits.slice(1) : digits.slice(1).padEnd(precision, "0");
  const exponent = decimal.digits === "" ? 0 : decimal.point - 1;
  const sign = exponent < 0 ? "-" : "+";
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${decimal.negative ? "-" : ""}${digits[0]}${fraction === "" ? "" : `.${fraction}`}e${sign}${power}`;
}

const floatText =
  /^[+-]?(?:inf(?:inity)?|nan|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d[\d_]*)?|0x(?:[\da-f_]+\.?[\da-f_]*|\.[\da-f_]+)p[+-]?\d+)$/i;

/** `strconv.ParseFloat(text, 64)`; undefined when the text is no number or out of range. */
export function parseFloat64(text: string): number | undefined {
  if (!floatText.test(text) || /__|_$|^[+-]?_|_[.eEpP]|[.eEpP+-]_/.test(text)) return undefined;
  const bare = text.replaceAll("_", "").toLowerCase();
  const negative = bare.startsWith("-");
  const body = bare.replace(/^[+-]/, "");
  const value = body.startsWith("inf")
    ? Number.POSITIVE_INFINITY
    : body === "nan"
      ? Number.NaN
      : body.startsWith("0x")
        ? hexFloat(body)
        : Number(body);
  if (value === Number.POSITIVE_INFINITY && !body.startsWith("inf")) return undefined;
  return negative ? -value : value;
}

function hexFloat(text: string): number {
  const [mantissa = "", power = "0"] = text.slice(2).split("p");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return Number.parseInt(whole + fraction || "0", 16) * 2 ** (Number(power) - 4 * fraction.length);
}

/**
 * `strconv.ParseInt(text, base, 64)`: base 0 reads the prefixes 0x, 0o, 0b and a leading 0 as octal, with underscores
 * between digits. Undefined when the text is no integer; the value is not range-checked.
 */
export function parseInteger(text: string, base: number): bigint | undefined {
  const sign = text.startsWith("-") ? -1n : 1n;
  const unsigned = text.replace(/^[+-]/, "");
  const { digits, radix } = base === 0 ? prefixed(unsigned) : { digits: unsigned, radix: base };
  if (!/^[\da-z]+$/i.test(digits)) return undefined;
  let value = 0n;
  for (const char of digits) {
    const digit = Number.parseInt(char, 36);
    if (digit >= radix) return undefined;
    value = value * BigInt(radix) + BigInt(digit);
  }
  return sign * value;
}

/** Digits and radix of a literal with a prefix; no digits when its underscores stand where none may. */
function prefixed(text: string): { readonly digits: string; readonly radix: number } {
  if (text.includes("_") && !/^(?:0[xXoObB]_?)?[\da-fA-F]+(?:_[\da-fA-F]+)*$/.test(text))
    return { digits: "", radix: 10 };
  const prefix = /^0[xXoObB]_?/.exec(text)?.[0] ?? "";
  const digits = text.slice(prefix.length).replaceAll("_", "");
  switch (prefix.charAt(1).toLowerCase()) {
    case "x":
      return { digits, radix: 16 };
    case "o":
      return { digits, radix: 8 };
    case "b":
      return { digits, radix: 2 };
    default:
      return { digits, radix: /^0[\d_]/.test(text) ? 8 : 10 };
  }
}

const int64Min = -(1n << 63n);
const int64Max = (1n << 63n) - 1n;

/** `parseInteger`, undefined when it does not fit an int64. */
export function parseInt64(text: string, base: number): bigint | undefined {
  const value = parseInteger(text, base);
  return value !== undefined && value >= int64Min && value <= int64Max ? value : undefined;
}

/** `int64(f)` as amd64 does it: out of range and NaN give the smallest int64. */
export function truncateToInt64(value: number): bigint {
  if (Number.isNaN(value) || value >= 2 ** 63 || value < -(2 ** 63)) return int64Min;
  return BigInt(Math.trunc(value));
}

/**
 * Typing of plain YAML scalars as go-yaml v2 does it: YAML 1.1 words (yes, off, ~), Go's integer prefixes, timestamps that
 * stay text.
 */
import { parseFloat64, parseInteger } from "../go/floats.ts";

/** A plain scalar's type and, for numbers and booleans, its value. */
export type Resolved =
  | { readonly tag: "null" | "str" | "timestamp" }
  | { readonly tag: "bool"; readonly value: boolean }
  | { readonly tag: "int"; readonly value: bigint }
  | { readonly tag: "float"; readonly value: number };

const words = new Map<string, Resolved>([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map(
    (word) => [word, { tag: "bool", value: true }] as const,
  ),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map(
    (word) => [word, { tag: "bool", value: false }] as const,
  ),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, { tag: "null" }] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, { tag: "float", value: Number.NaN }] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map(
    (word) => [word, { tag: "float", value: Number.POSITIVE_INFINITY }] as const,
  ),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, { tag: "float", value: Number.NEGATIVE_INFINITY }] as const),
]);

const text: Resolved = { tag: "str" };
const floatText = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const largestUint = (1n << 64n) - 1n;
const smallestInt = -(1n << 63n);

/** The type a plain scalar has. */
export function resolveScalar(scalar: string): Resolved {
  const first = scalar.charCodeAt(0);
  const isDigit = first >= 48 && first <= 57;
  // Most scalars begin with a letter that begins no special word.
  if (!isDigit && scalar !== "" && !"+-.~yYnNtTfFoO".includes(scalar.charAt(0))) return text;
  const word = words.get(scalar);
  if (word !== undefined) return word;
  if (scalar.startsWith(".")) {
    const value = parseFloat64(scalar);
    return value === undefined ? text : { tag: "float", value };
  }
  return isDigit || scalar.startsWith("+") || scalar.startsWith("-") ? resolveNumber(scalar) : text;
}

function resolveNumber(scalar: string): Resolved {
  if (isTimestamp(scalar)) return { tag: "timestamp" };
  const plain = scalar.replaceAll("_", "");
  const value = parseInteger(plain, 0);
  if (value !== undefined && value >= smallestInt && value <= largestUint) return { tag: "int", value };
  if (floatText.test(plain)) {
    const float = parseFloat64(plain);
    if (float !== undefined) return { tag: "float", value: float };
  }
  return text;
}

const timestamp =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** Whether go-yaml takes a scalar for a timestamp; it then stays text, but is quoted when written. */
function isTimestamp(scalar: string): boolean {
  const found = timestamp.exec(scalar);
  if (found === null) return false;
  const [, year, month, day, separator, hour, minute, second, zone] = found;
  if (separator !== undefined && (separator === " ") !== (zone === undefined)) return false;
  const date = new Date(Date.UTC(2000 + (Number(year) % 400), Number(month) - 1, Number(day)));
  if (Number(month) < 1 || date.getUTCMonth() !== Number(month) - 1 || Number(day) < 1) return false;
  return Number(hour ?? 0) < 24 && Number(minute ?? 0) < 60 && Number(second ?? 0) < 60;
}

const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** Whether a text may stand unquoted and still be read back as the same text. */
export function isPlainText(scalar: string): boolean {
  return resolveScalar(scalar).tag === "str" && !base60.test(scalar);
}

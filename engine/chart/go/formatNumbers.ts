/** Numbers as Go's `fmt` formats them. */
import { byteLength, runesOf, validText } from "./bytes.ts";
import { durationText } from "./duration.ts";
import { formatFloat } from "./floats.ts";
import type { Spec } from "./format.ts";
import { quoteRune } from "./quote.ts";
import { goKind, goType, type Int } from "./value.ts";

/** A float64 by a directive; undefined when the verb is none for floats. */
export function formatNumber(value: number, spec: Spec): string | undefined {
  const text = floatDigits(value, spec);
  if (text === undefined) return undefined;
  return padNumber(withSign(text, spec), { ...spec, zero: spec.zero && Number.isFinite(value) });
}

function floatDigits(value: number, spec: Spec): string | undefined {
  switch (spec.verb) {
    case "v":
      return formatFloat(value, "g", spec.precision ?? -1);
    case "x":
      return hexFloatText(value);
    case "X":
      return hexFloatText(value).toUpperCase();
    case "e":
      return formatFloat(value, "e", spec.precision ?? 6);
    case "E":
      return upperExponent(formatFloat(value, "e", spec.precision ?? 6));
    case "f":
    case "F":
      return formatFloat(value, "f", spec.precision ?? 6);
    case "g":
      return generalDigits(value, spec);
    case "G":
      return upperExponent(generalDigits(value, spec));
    default:
      return undefined;
  }
}

function generalDigits(value: number, spec: Spec): string {
  const text = formatFloat(value, "g", spec.precision ?? -1);
  return spec.sharp ? withAllDigits(text, spec.precision ?? 6) : text;
}

function upperExponent(text: string): string {
  return text.toUpperCase().replace("+INF", "+Inf").replace("NAN", "NaN");
}

/** The sign a directive wants before a number that has none; infinity always has one. */
function withSign(text: string, spec: Spec): string {
  if (/^[+-]/.test(text)) return text;
  if (spec.plus) return `+${text}`;
  return spec.space ? ` ${text}` : text;
}

/** `%#g` keeps trailing zeros, and the point. */
function withAllDigits(text: string, digits: number): string {
  const [mantissa = "", exponent] = text.split("e");
  const point = mantissa.includes(".") ? mantissa : `${mantissa}.`;
  const shown = point.replace(/^-?0*\.?0*/, "").replace(".", "").length;
  const full = point + "0".repeat(Math.max(digits - shown, 0));
  return exponent === undefined ? full : `${full}e${exponent}`;
}

/** `%x` of a float: hexadecimal mantissa, binary exponent. */
function hexFloatText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return value === 0 ? "0x0p+00" : formatFloat(value, "g", -1);
  let exponent = Math.floor(Math.log2(Math.abs(value)));
  let mantissa = Math.abs(value) / 2 ** exponent;
  if (mantissa >= 2) {
    mantissa /= 2;
    exponent++;
  } else if (mantissa < 1) {
    mantissa *= 2;
    exponent--;
  }
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${value < 0 ? "-" : ""}0x${mantissa.toString(16)}p${exponent < 0 ? "-" : "+"}${power}`;
}

/** Verbs that write an integer in some base, with the prefix they put before it, and that of the `#` flag. */
const bases: ReadonlyMap<string, { readonly radix: number; readonly prefix: string; readonly sharp: string }> = new Map(
  [
    ["v", { radix: 10, prefix: "", sharp: "" }],
    ["d", { radix: 10, prefix: "", sharp: "" }],
    ["b", { radix: 2, prefix: "", sharp: "0b" }],
    ["o", { radix: 8, prefix: "", sharp: "0" }],
    ["O", { radix: 8, prefix: "0o", sharp: "0o" }],
    ["x", { radix: 16, prefix: "", sharp: "0x" }],
    ["X", { radix: 16, prefix: "", sharp: "0X" }],
  ],
);

/** An integer by a directive. */
export function formatInteger(value: Int, spec: Spec): string {
  if (value.kind === "time.Duration" && (spec.verb === "v" || spec.verb === "s")) {
    return padText(durationText(value.value), spec);
  }
  const base = bases.get(spec.verb);
  if (base !== undefined) return integerText(value.value, base.radix, spec.sharp ? base.sharp : base.prefix, spec);
  switch (spec.verb) {
    case "c":
      return padText(runeText(value.value), spec);
    case "q":
      return padText(quoteRune(Number(value.value), spec.plus), spec);
    case "U": {
      const code = `U+${value.value.toString(16).toUpperCase().padStart(4, "0")}`;
      return padText(spec.sharp ? `${code} '${runeText(value.value)}'` : code, spec);
    }
    default:
      return `%!${spec.verb}(${goKind(value) === value.kind ? value.kind : goType(value)}=${value.value})`;
  }
}

function runeText(code: bigint): string {
  const valid = code >= 0n && code <= 0x10ffffn && !(code >= 0xd800n && code <= 0xdfffn);
  return valid ? String.fromCodePoint(Number(code)) : "\uFFFD";
}

function integerText(value: bigint, base: number, prefix: string, spec: Spec): string {
  const size = value < 0n ? -value : value;
  let digits = size.toString(base);
  if (spec.verb === "X") digits = digits.toUpperCase();
  if (spec.precision !== undefined) {
    if (spec.precision === 0 && value === 0n) return " ".repeat(spec.width ?? 0);
    digits = digits.padStart(spec.precision, "0");
  }
  const sign = value < 0n ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  if (spec.zero && spec.precision === undefined && spec.width !== undefined) {
    digits = digits.padStart(spec.width - sign.length, "0");
  }
  return padText(sign + prefix + digits, { ...spec, zero: false });
}

function padNumber(text: string, spec: Spec): string {
  if (!spec.zero || spec.width === undefined) return padText(text, { ...spec, zero: false });
  const sign = /^[+\- ]/.test(text) ? text.slice(0, 1) : "";
  return sign + text.slice(sign.length).padStart(spec.width - sign.length, "0");
}

/** Pads text to the width of a directive. */
export function padText(text: string, spec: Spec): string {
  if (spec.width === undefined) return text;
  const length = byteLength(text) === text.length ? text.length : runesOf(validText(text)).length;
  const missing = spec.width - length;
  if (missing <= 0) return text;
  if (spec.minus) return text + " ".repeat(missing);
  return (spec.zero ? "0" : " ").repeat(missing) + text;
}

/** Numbers as Go's `fmt` formats them. */
import { byteLength, runesOf, validText } from "./bytes.ts";
import { durationText } from "./duration.ts";
import { formatFloat } from "./floats.ts";
import type { Spec } from "./format.ts";
import { quoteRune } from "./quote.ts";
import { goKind, goType, type Int } from "./value.ts";

/** A float64 by a directive; undefined when the verb is none for floats. */
export function formatNumber(value: number, spec: Spec): string | undefined {
  const lower = spec.verb.toLowerCase();
  let text: string;
  switch (spec.verb) {
    case "v":
      text = formatFloat(value, "g", spec.precision ?? -1);
      break;
    case "x":
    case "X":
      text = hexFloatText(value);
      if (spec.verb === "X") text = text.toUpperCase();
      break;
    case "e":
    case "E":
    case "f":
    case "F":
      text = formatFloat(value, lower === "e" ? "e" : "f", spec.precision ?? 6);
      break;
    case "g":
    case "G":
      text = formatFloat(value, "g", spec.precision ?? -1);
      if (spec.sharp) text = withAllDigits(text, spec.precision ?? 6);
      break;
    default:
      return undefined;
  }
  if (spec.verb === "E" || spec.verb === "G") text = text.toUpperCase().replace("+INF", "+Inf").replace("NAN", "NaN");
  const finite = Number.isFinite(value);
  const bare = text.replace(/^\+/, "");
  const signed = bare.startsWith("-")
    ? bare
    : spec.plus || text.startsWith("+")
      ? `+${bare}`
      : spec.space
        ? ` ${bare}`
        : bare;
  const shown = signed === "+Inf" && !spec.plus && spec.verb !== "v" ? "+Inf" : signed;
  return padNumber(shown, { ...spec, zero: spec.zero && finite });
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

/** An integer by a directive. */
export function formatInteger(value: Int, spec: Spec): string {
  if (value.kind === "time.Duration" && (spec.verb === "v" || spec.verb === "s")) {
    return padText(durationText(value.value), spec);
  }
  switch (spec.verb) {
    case "v":
    case "d":
      return integerText(value.value, 10, "", spec);
    case "b":
      return integerText(value.value, 2, spec.sharp ? "0b" : "", spec);
    case "o":
      return integerText(value.value, 8, spec.sharp ? "0" : "", spec);
    case "O":
      return integerText(value.value, 8, "0o", spec);
    case "x":
      return integerText(value.value, 16, spec.sharp ? "0x" : "", spec);
    case "X":
      return integerText(value.value, 16, spec.sharp ? "0X" : "", spec);
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

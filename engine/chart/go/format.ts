/**
 * Go's `fmt`: `%v` of any value, and `printf` with its verbs, flags and error texts.
 * @see https://pkg.go.dev/fmt
 */
import { byteLength, bytesOf, runesOf, textOf, validText } from "./bytes.ts";
import { durationText } from "./duration.ts";
import { formatFloat } from "./floats.ts";
import { quote, quoteRune } from "./quote.ts";
import {
  GoFunction,
  goKind,
  goType,
  Int,
  isList,
  isNilCollection,
  mapEntries,
  Named,
  sortedKeys,
  type Value,
  type ValueMap,
} from "./value.ts";

interface Spec {
  readonly verb: string;
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  /** `%+v`: structs with the names of their fields. */
  readonly plusV: boolean;
}

const plainV: Spec = {
  verb: "v",
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
  plusV: false,
};

/** `fmt.Sprint(value)`, which is `%v`: what `{{ value }}` prints. */
export function sprint(value: Value): string {
  return typeof value === "string" ? value : formatValue(value, plainV, 0);
}

/** `fmt.Sprint(a, b, …)`: a space between operands when neither is a string. */
export function sprintAll(values: readonly Value[]): string {
  let out = "";
  values.forEach((value, i) => {
    if (i > 0 && typeof value !== "string" && typeof values[i - 1] !== "string") out += " ";
    out += sprint(value);
  });
  return out;
}

/** `fmt.Sprintln(a, b, …)`. */
export function sprintln(values: readonly Value[]): string {
  return `${values.map(sprint).join(" ")}\n`;
}

/** Widths and precisions beyond this are refused by Go too. */
const largestNumber = 1_000_000;

/** `fmt.Sprintf(format, …args)`, with Go's texts for wrong verbs and missing or extra arguments. */
export function sprintf(format: string, args: readonly Value[]): string {
  return new Printer(format, args).run();
}

/** The state of one `Sprintf`: where it stands in the format and which argument is next. */
class Printer {
  readonly #format: string;
  readonly #args: readonly Value[];
  #at = 0;
  #next = 0;
  #reordered = false;

  constructor(format: string, args: readonly Value[]) {
    this.#format = format;
    this.#args = args;
  }

  run(): string {
    let out = "";
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf("%", this.#at);
      if (percent < 0) {
        out += this.#format.slice(this.#at);
        break;
      }
      out += this.#format.slice(this.#at, percent);
      this.#at = percent + 1;
      out += this.#directive();
    }
    if (!this.#reordered && this.#next < this.#args.length) out += this.#extra();
    return out;
  }

  #extra(): string {
    const rest = this.#args.slice(this.#next).map((arg) => {
      return arg === undefined || arg === null ? "<nil>" : `${goType(arg)}=${formatValue(arg, plainV, 0)}`;
    });
    return `%!(EXTRA ${rest.join(", ")})`;
  }

  #directive(): string {
    const flags = this.#flags();
    let badIndex = this.#argNumber();
    let width: number | undefined;
    let fromArgument = false;
    let minus = flags.minus;
    let prefix = "";
    if (this.#format[this.#at] === "*") {
      this.#at++;
      fromArgument = true;
      width = this.#intArgument();
      if (width === undefined) prefix += "%!(BADWIDTH)";
      else if (width < 0) {
        width = -width;
        minus = true;
      }
    } else {
      width = this.#number();
    }
    let precision: number | undefined;
    if (this.#format[this.#at] === ".") {
      this.#at++;
      badIndex = this.#argNumber() || badIndex;
      if (this.#format[this.#at] === "*") {
        this.#at++;
        fromArgument = true;
        precision = this.#intArgument();
        if (precision === undefined || precision < 0) {
          if (precision === undefined) prefix += "%!(BADPREC)";
          precision = undefined;
        }
      } else {
        precision = this.#number() ?? 0;
      }
    }
    if (fromArgument || width === undefined || precision !== undefined) badIndex = this.#argNumber() || badIndex;
    if (this.#at >= this.#format.length) return `${prefix}%!(NOVERB)`;
    const verb = String.fromCodePoint(this.#format.codePointAt(this.#at) ?? 0);
    this.#at += verb.length;
    if (verb === "%") return `${prefix}%`;
    if (badIndex) return `${prefix}%!${verb}(BADINDEX)`;
    if (this.#next >= this.#args.length) return `${prefix}%!${verb}(MISSING)`;
    const arg = this.#args[this.#next++];
    if (verb === "v" && flags.plus)
      return (
        prefix + formatValue(arg, { ...plainV, minus, zero: flags.zero && !minus, width, precision, plusV: true }, 0)
      );
    return (
      prefix +
      formatValue(arg, { ...flags, minus, zero: flags.zero && !minus, verb, width, precision, plusV: false }, 0)
    );
  }

  #flags(): Pick<Spec, "plus" | "minus" | "sharp" | "space" | "zero"> {
    const found = /^[+\-# 0]*/.exec(this.#format.slice(this.#at, this.#at + 16))?.[0] ?? "";
    this.#at += found.length;
    const has = (flag: string): boolean => found.includes(flag);
    return { plus: has("+"), minus: has("-"), sharp: has("#"), space: has(" "), zero: has("0") };
  }

  #number(): number | undefined {
    const digits = /^\d{1,9}/.exec(this.#format.slice(this.#at, this.#at + 9))?.[0];
    if (digits === undefined) return undefined;
    this.#at += digits.length;
    const number = Number(digits);
    return number > largestNumber ? undefined : number;
  }

  #intArgument(): number | undefined {
    const arg = this.#args[this.#next];
    if (this.#next < this.#args.length) this.#next++;
    if (!(arg instanceof Int)) return undefined;
    const number = Number(arg.value);
    return Math.abs(number) > largestNumber ? undefined : number;
  }

  /** Reads `[n]`; true when it is malformed or out of range. */
  #argNumber(): boolean {
    if (this.#format[this.#at] !== "[") return false;
    this.#reordered = true;
    const found = /^\[(\d+)\]/.exec(this.#format.slice(this.#at, this.#at + 12));
    if (found === null) {
      const close = this.#format.indexOf("]", this.#at);
      this.#at = close < 0 ? this.#at + 1 : close + 1;
      return true;
    }
    this.#at += found[0].length;
    const index = Number(found[1]);
    if (index < 1 || index > this.#args.length) return true;
    this.#next = index - 1;
    return false;
  }
}

const textVerbs = new Set(["v", "s", "x", "X", "q"]);

function formatValue(value: Value, spec: Spec, depth: number): string {
  if (spec.verb === "T") return padText(goType(value), spec);
  if (value === undefined || value === null) {
    if (spec.verb === "v") return padText("<nil>", spec);
    return depth > 0 ? "<nil>" : `%!${spec.verb}(<nil>)`;
  }
  if (spec.verb === "p") return `%!p(${goType(value)}=${formatValue(value, plainV, 0)})`;
  if (typeof value === "boolean") return formatBool(value, spec);
  if (typeof value === "string") return formatText(value, spec);
  if (typeof value === "number") return formatNumber(value, spec);
  if (value instanceof Int) return formatInteger(value, spec);
  if (value instanceof Uint8Array) return formatBytes(value, spec, depth);
  if (value instanceof GoFunction) return `%!${spec.verb}(func())`;
  if (value instanceof Named && value.text !== undefined && textVerbs.has(spec.verb) && !spec.sharp) {
    return formatText(value.text(), spec);
  }
  return formatComposite(value, spec, depth);
}

/** Deeper than any real value; a map that contains itself ends here. */
const deepest = 1000;

function formatComposite(value: Value, spec: Spec, depth: number): string {
  if (depth > deepest) return "...";
  const map = mapEntries(value);
  if (map !== undefined) return formatMap(value, map, spec, depth);
  const items = isList(value)
    ? value
    : value instanceof Named && isList(value.underlying)
      ? value.underlying
      : undefined;
  if (items !== undefined) {
    if (spec.sharp && spec.verb === "v") return goSyntaxList(value, items, spec, depth);
    return `[${items.map((item) => formatValue(item, spec, depth + 1)).join(" ")}]`;
  }
  if (!(value instanceof Named)) return "";
  // Go shows where a pointer inside something else points to; the address means nothing.
  if (value.kind === "ptr" && depth > 0) return "0xc000000000";
  const fields = [...value.fields].map(([name, field]) => {
    const text = formatValue(field, spec, depth + 1);
    return spec.plusV || spec.sharp ? `${name}:${text}` : text;
  });
  const prefix = value.kind === "ptr" && depth === 0 ? "&" : "";
  const name = spec.sharp && spec.verb === "v" ? value.goType.replace(/^\*/, "") : "";
  return `${prefix}${name}{${fields.join(spec.sharp ? ", " : " ")}}`;
}

function formatMap(value: Value, map: ValueMap, spec: Spec, depth: number): string {
  const goSyntax = spec.sharp && spec.verb === "v";
  if (goSyntax && isNilCollection(value)) return `${goType(value)}(nil)`;
  const entries = sortedKeys(map).map((key) => {
    return `${formatValue(key, spec, depth + 1)}:${formatValue(map.get(key), spec, depth + 1)}`;
  });
  return goSyntax ? `${goType(value)}{${entries.join(", ")}}` : `map[${entries.join(" ")}]`;
}

function goSyntaxList(value: Value, items: readonly Value[], spec: Spec, depth: number): string {
  if (isNilCollection(value)) return `${goType(value)}(nil)`;
  return `${goType(value)}{${items.map((item) => formatValue(item, spec, depth + 1)).join(", ")}}`;
}

function wrongVerb(value: Value, spec: Spec): string {
  return `%!${spec.verb}(${goType(value)}=${formatValue(value, plainV, 0)})`;
}

function formatBool(value: boolean, spec: Spec): string {
  return spec.verb === "v" || spec.verb === "t" ? padText(String(value), spec) : wrongVerb(value, spec);
}

function formatText(value: string, spec: Spec): string {
  switch (spec.verb) {
    case "v":
      return spec.sharp ? padText(quoted(value, spec), spec) : padText(truncated(value, spec), spec);
    case "s":
      return padText(truncated(value, spec), spec);
    case "q":
      return padText(quoted(truncated(value, spec), spec), spec);
    case "x":
    case "X":
      return padText(hexText(bytesOf(value), spec), spec);
    default:
      return wrongVerb(value, spec);
  }
}

function quoted(text: string, spec: Spec): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters cannot stand between backquotes
  const canBackquote = spec.sharp && spec.verb === "q" && !/[`\x00-\x08\x0a-\x1f\x7f\ufeff]/.test(text);
  return canBackquote ? `\`${text}\`` : quote(text, spec.plus);
}

function truncated(text: string, spec: Spec): string {
  if (spec.precision === undefined) return text;
  return runesOf(text).length <= spec.precision ? text : Array.from(text).slice(0, spec.precision).join("");
}

function hexText(bytes: Uint8Array, spec: Spec): string {
  const shown = spec.precision === undefined ? bytes : bytes.subarray(0, spec.precision);
  const pairs = Array.from(shown, (byte) => byte.toString(16).padStart(2, "0"));
  const prefix = spec.sharp ? "0x" : "";
  const text = spec.space
    ? pairs.map((pair) => prefix + pair).join(" ")
    : pairs.length > 0
      ? prefix + pairs.join("")
      : "";
  return spec.verb === "X" ? text.toUpperCase() : text;
}

function formatBytes(value: Uint8Array, spec: Spec, depth: number): string {
  if (spec.verb === "s" || spec.verb === "q" || spec.verb === "x" || spec.verb === "X") {
    return formatText(textOf(value), spec);
  }
  return `[${Array.from(value, (byte) => formatValue(new Int("uint8", BigInt(byte)), spec, depth + 1)).join(" ")}]`;
}

function formatNumber(value: number, spec: Spec): string {
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
      return wrongVerb(value, spec);
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

function formatInteger(value: Int, spec: Spec): string {
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

function padText(text: string, spec: Spec): string {
  if (spec.width === undefined) return text;
  const length = byteLength(text) === text.length ? text.length : runesOf(validText(text)).length;
  const missing = spec.width - length;
  if (missing <= 0) return text;
  if (spec.minus) return text + " ".repeat(missing);
  return (spec.zero ? "0" : " ").repeat(missing) + text;
}

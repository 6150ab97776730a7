/**
 * Go's `fmt`: `%v` of any value, and `printf` with its verbs, flags and error texts.
 * @see https://pkg.go.dev/fmt
 */
import { bytesOf, runesOf, textOf } from "./bytes.ts";
import { formatInteger, formatNumber, padText } from "./formatNumbers.ts";
import { quote } from "./quote.ts";
import {
  GoFunction,
  goType,
  Int,
  isNilCollection,
  listItems,
  mapEntries,
  Named,
  sortedKeys,
  type Value,
  type ValueMap,
} from "./value.ts";

/** A directive after its arguments are known. */
export interface Spec {
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

/** `%v` without flags. */
export const plainV: Spec = {
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

const textVerbs = new Set(["v", "s", "x", "X", "q"]);

/** Formats a value by a directive; `depth` counts the collections around it. */
export function formatValue(value: Value, spec: Spec, depth: number): string {
  if (spec.verb === "T") return padText(goType(value), spec);
  if (value === undefined || value === null) return formatNothing(spec, depth);
  if (spec.verb === "p") return `%!p(${goType(value)}=${formatValue(value, plainV, 0)})`;
  if (typeof value === "boolean") return formatBool(value, spec);
  if (typeof value === "string") return formatText(value, spec);
  if (typeof value === "number") return formatNumber(value, spec) ?? wrongVerb(value, spec);
  if (value instanceof Int) return formatInteger(value, spec);
  if (value instanceof Uint8Array) return formatBytes(value, spec, depth);
  if (value instanceof GoFunction) return `%!${spec.verb}(func())`;
  if (value instanceof Named && value.text !== undefined && textVerbs.has(spec.verb) && !spec.sharp) {
    return formatText(value.text(), spec);
  }
  return formatComposite(value, spec, depth);
}

function formatNothing(spec: Spec, depth: number): string {
  if (spec.verb === "v") return padText("<nil>", spec);
  return depth > 0 ? "<nil>" : `%!${spec.verb}(<nil>)`;
}

/** Deeper than any real value; a map that contains itself ends here. */
const deepest = 1000;

function formatComposite(value: Value, spec: Spec, depth: number): string {
  if (depth > deepest) return "...";
  const map = mapEntries(value);
  if (map !== undefined) return formatMap(value, map, spec, depth);
  const items = listItems(value);
  if (items !== undefined) return formatList(value, items, spec, depth);
  return value instanceof Named ? formatStruct(value, spec, depth) : "";
}

function formatStruct(value: Named, spec: Spec, depth: number): string {
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

function formatList(value: Value, items: readonly Value[], spec: Spec, depth: number): string {
  const goSyntax = spec.sharp && spec.verb === "v";
  if (goSyntax && isNilCollection(value)) return `${goType(value)}(nil)`;
  const parts = items.map((item) => formatValue(item, spec, depth + 1));
  return goSyntax ? `${goType(value)}{${parts.join(", ")}}` : `[${parts.join(" ")}]`;
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

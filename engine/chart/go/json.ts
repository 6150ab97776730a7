/** Go's `encoding/json` on template values: sorted keys, HTML escapes, numbers as float64. */
import { validText } from "./bytes.ts";
import { formatFloat } from "./floats.ts";
import { jsonProblem } from "./jsonProblem.ts";
import { GoFunction, Int, isNilCollection, listItems, mapEntries, Named, sortedKeys, type Value } from "./value.ts";

/** Thrown where Go's encoder returns an error. */
export class JsonError extends Error {}

/**
 * `json.Marshal`, with `indent` as `MarshalIndent` does it.
 * @throws JsonError for NaN, infinities and functions
 */
export function toJson(value: Value, options: { readonly escapeHtml: boolean; readonly indent?: string }): string {
  return write(value, options.escapeHtml, options.indent, "");
}

function write(value: Value, escapeHtml: boolean, indent: string | undefined, at: string): string {
  if (at.length > 4000) throw new JsonError("json: the value is nested too deeply");
  const simple = simpleText(value, escapeHtml);
  if (simple !== undefined) return simple;
  const inner = at + (indent ?? " ");
  const items = listItems(value);
  if (items !== undefined) {
    const parts = items.map((item) => write(item, escapeHtml, indent, inner));
    return wrap("[", "]", parts, indent, at, inner);
  }
  const map = mapEntries(value) ?? (value instanceof Named ? value.fields : new Map<string, Value>());
  const keys = value instanceof Named && value.underlying === undefined ? [...map.keys()] : sortedKeys(map);
  const colon = indent === undefined ? ":" : ": ";
  const parts = keys.map((key) => jsonText(key, escapeHtml) + colon + write(map.get(key), escapeHtml, indent, inner));
  return wrap("{", "}", parts, indent, at, inner);
}

/** A value without parts; undefined for lists and objects. */
function simpleText(value: Value, escapeHtml: boolean): string | undefined {
  if (value === undefined || value === null || isNilCollection(value)) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return jsonText(value, escapeHtml);
  if (typeof value === "number") return jsonNumber(value);
  if (value instanceof Int) return value.value.toString();
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString("base64")}"`;
  if (value instanceof GoFunction) throw new JsonError("json: unsupported type: func()");
  const isText = value instanceof Named && value.underlying === undefined;
  return isText && value.text !== undefined ? jsonText(value.text(), escapeHtml) : undefined;
}

function wrap(
  open: string,
  close: string,
  parts: readonly string[],
  indent: string | undefined,
  at: string,
  inner: string,
): string {
  if (parts.length === 0) return open + close;
  if (indent === undefined) return open + parts.join(",") + close;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${at}${close}`;
}

/** A float64 as Go's encoder writes it: plain up to 1e21, then with an exponent of at least one digit. */
export function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) throw new JsonError(`json: unsupported value: ${formatFloat(value, "g", -1)}`);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) {
    return formatFloat(value, "e", -1).replace(/e-0(\d)$/, "e-$1");
  }
  return formatFloat(value, "f", -1);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what JSON escapes
const needsEscape = /[\x00-\x1f"\\<>&\u007f\u2028\u2029\ud800-\udfff]/;

function jsonText(text: string, escapeHtml: boolean): string {
  if (!needsEscape.test(text)) return `"${text}"`;
  const quoted = JSON.stringify(validText(text)).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  if (!escapeHtml) return quoted;
  return quoted.replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026");
}

/**
 * `json.Unmarshal` into an interface: objects become maps, every number a float64.
 * @throws JsonError with the parser's words
 */
export function fromJson(text: string): Value {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text, (_, value: unknown) => toValue(value));
  } catch (error) {
    throw new JsonError(jsonProblem(text), { cause: error });
  }
  return parsed as Value;
}

/** JSON.parse hands over finished children, so only one level has to be turned. */
function toValue(value: unknown): Value {
  if (Array.isArray(value)) return value as Value[];
  if (value instanceof Map) return value as Map<string, Value>;
  if (typeof value === "object" && value !== null) return new Map(Object.entries(value)) as Map<string, Value>;
  return value as Value;
}

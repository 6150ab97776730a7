/** Base64, base32, JSON, YAML and TOML, in and out. */
import { Buffer } from "node:buffer";
import { bytesOf, textOf } from "../go/bytes.ts";
import { fromJson, JsonError, toJson } from "../go/json.ts";
import { isList, type Value } from "../go/value.ts";
import { GoError } from "../template/failure.ts";
import { readYaml, YamlError } from "../yaml/read.ts";
import { writeYaml, writeYamlPretty } from "../yaml/write.ts";
import { type FunctionTable, fn } from "./define.ts";
import { readToml, TomlError, writeToml } from "./toml.ts";

const base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function base32Encode(bytes: Uint8Array): string {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  let out = "";
  for (let i = 0; i < bits.length; i += 5) {
    out += base32Alphabet[Number.parseInt(bits.slice(i, i + 5).padEnd(5, "0"), 2)];
  }
  return out.padEnd(Math.ceil(out.length / 8) * 8, "=");
}

function base32Decode(text: string): string {
  const clean = text.replace(/[\r\n]/g, "");
  const bare = clean.replace(/=+$/, "");
  const bad = /[^A-Z2-7]/.exec(bare);
  const widths = new Set([0, 2, 4, 5, 7]);
  if (bad !== null || clean.length % 8 !== 0 || !widths.has(bare.length % 8)) {
    return `illegal base32 data at input byte ${bad?.index ?? Math.floor(bare.length / 8) * 8}`;
  }
  let bits = "";
  for (const char of bare) bits += base32Alphabet.indexOf(char).toString(2).padStart(5, "0");
  const bytes = bits.match(/.{8}/g) ?? [];
  return textOf(Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2)));
}

/** `base64.StdEncoding.DecodeString`; a number is the offset of the first illegal byte. */
export function decodeBase64(text: string): Uint8Array | number {
  const clean = text.replace(/[\r\n]/g, "");
  const valid = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.exec(clean);
  return valid === null ? illegalOffset(text) : Buffer.from(clean, "base64");
}

/** Where Go's decoder says the text went wrong. */
function illegalOffset(text: string): number {
  const bytes = Array.from(bytesOf(text), (byte) => String.fromCharCode(byte));
  let inQuantum = 0;
  for (let i = 0; i < bytes.length; i++) {
    const char = bytes[i] ?? "";
    if (char === "\r" || char === "\n") continue;
    if (char === "=") return paddingOffset(bytes, i, inQuantum);
    if (!/[A-Za-z0-9+/]/.test(char)) return i;
    inQuantum = (inQuantum + 1) % 4;
  }
  return bytes.length - inQuantum;
}

function paddingOffset(bytes: readonly string[], at: number, inQuantum: number): number {
  if (inQuantum < 2) return at;
  const rest = bytes.slice(at + 1).filter((char) => char !== "\r" && char !== "\n");
  if (inQuantum === 3) return rest.length > 0 ? at + 1 : at;
  if (rest.length === 0) return bytes.length;
  return rest[0] === "=" ? at + 2 : at + 1;
}

function base64Decode(text: string): string {
  const decoded = decodeBase64(text);
  return typeof decoded === "number" ? `illegal base64 data at input byte ${decoded}` : textOf(decoded);
}

function jsonOrNothing(value: Value, escapeHtml: boolean, indent?: string): string {
  try {
    return toJson(value, indent === undefined ? { escapeHtml } : { escapeHtml, indent });
  } catch (error) {
    if (error instanceof JsonError) return "";
    throw error;
  }
}

function jsonOrError(value: Value, escapeHtml: boolean, indent?: string): string {
  try {
    return toJson(value, indent === undefined ? { escapeHtml } : { escapeHtml, indent });
  } catch (error) {
    throw error instanceof JsonError ? new GoError(error.message) : error;
  }
}

/** Words a failed read leaves in the result, as Helm's from… functions do. */
function problemWords(error: unknown): string {
  if (error instanceof JsonError || error instanceof YamlError || error instanceof TomlError) return error.message;
  throw error;
}

function goTypeOfJson(value: Value): string {
  if (isList(value)) return "array";
  if (typeof value === "string") return "string";
  return typeof value === "boolean" ? "bool" : "number";
}

function asMap(read: () => Value, prefix: string): Value {
  try {
    const value = read();
    if (value instanceof Map) return value;
    if (value === null || value === undefined) return new Map();
    const found = goTypeOfJson(value);
    return new Map([
      ["Error", `${prefix}json: cannot unmarshal ${found} into Go value of type map[string]interface {}`],
    ]);
  } catch (error) {
    return new Map([["Error", problemWords(error)]]);
  }
}

function asList(read: () => Value, prefix: string): Value {
  try {
    const value = read();
    if (isList(value)) return value;
    if (value === null || value === undefined) return [];
    const found = value instanceof Map ? "object" : goTypeOfJson(value);
    return [`${prefix}json: cannot unmarshal ${found} into Go value of type []interface {}`];
  } catch (error) {
    return [problemWords(error)];
  }
}

const yamlPrefix = "error unmarshaling JSON: while decoding JSON: ";

export const encodingFunctions: FunctionTable = {
  b64enc: fn(["string"], ([text]) => Buffer.from(bytesOf(text)).toString("base64")),
  b64dec: fn(["string"], ([text]) => base64Decode(text)),
  b32enc: fn(["string"], ([text]) => base32Encode(bytesOf(text))),
  b32dec: fn(["string"], ([text]) => base32Decode(text)),
  toJson: fn(["any"], ([value]) => jsonOrNothing(value, true)),
  mustToJson: fn(["any"], ([value]) => jsonOrError(value, true)),
  toPrettyJson: fn(["any"], ([value]) => jsonOrNothing(value, true, "  ")),
  mustToPrettyJson: fn(["any"], ([value]) => jsonOrError(value, true, "  ")),
  toRawJson: fn(["any"], ([value]) => jsonOrError(value, false)),
  mustToRawJson: fn(["any"], ([value]) => jsonOrError(value, false)),
  fromJson: fn(["string"], ([text]) => asMap(() => fromJson(text), "")),
  fromJsonArray: fn(["string"], ([text]) => asList(() => fromJson(text), "")),
  mustFromJson: fn(["string"], ([text]) => {
    try {
      return fromJson(text);
    } catch (error) {
      throw error instanceof JsonError ? new GoError(error.message) : error;
    }
  }),
  toYaml: fn(["any"], ([value], host) => trimNewline(yamlOrNothing(value, host.meter.room.bind(host.meter)))),
  mustToYaml: fn(["any"], ([value], host) => {
    try {
      return trimNewline(writeYaml(value, host.meter.room.bind(host.meter)));
    } catch (error) {
      throw error instanceof JsonError ? new GoError(`error marshaling into JSON: ${error.message}`) : error;
    }
  }),
  toYamlPretty: fn(["any"], ([value], host) => trimNewline(writeYamlPretty(value, host.meter.room.bind(host.meter)))),
  fromYaml: fn(["string"], ([text]) => asMap(() => readYaml(text), yamlPrefix)),
  fromYamlArray: fn(["string"], ([text]) => asList(() => readYaml(text), yamlPrefix)),
  toToml: fn(["any"], ([value]) => {
    try {
      return writeToml(value);
    } catch (error) {
      return problemWords(error);
    }
  }),
  fromToml: fn(["string"], ([text]) => {
    try {
      return readToml(text);
    } catch (error) {
      return new Map([["Error", problemWords(error)]]);
    }
  }),
};

function yamlOrNothing(value: Value, room: (length: number) => void): string {
  try {
    return writeYaml(value, room);
  } catch (error) {
    if (error instanceof JsonError) return "";
    throw error;
  }
}

function trimNewline(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

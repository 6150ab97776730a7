/**
 * YAML as Helm reads it: the `yaml` library for the syntax, go-yaml v2 and JSON for the types. Every number is a float64,
 * every key a text, and merges (`<<`) are applied.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  Scalar,
  type YAMLMap,
} from "yaml";
import { textOf } from "../go/bytes.ts";
import { formatFloat, truncateToInt64 } from "../go/floats.ts";
import { sprintf } from "../go/printf.ts";
import type { Value, ValueMap } from "../go/value.ts";
import { resolveScalar } from "./resolve.ts";
import { NotSimple, readSimpleYaml } from "./simple.ts";

/** A text that is no YAML, or YAML that JSON cannot hold. The message is in the style of Go's library. */
export class YamlError extends Error {
  /** 1-based line of the mistake, when it is known. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}

/** Aliases make a document larger than its text; more nodes than this are refused. */
const mostNodes = 4_000_000;

/**
 * Reads one document.
 * @throws YamlError
 */
export function readYaml(text: string): Value {
  try {
    return readSimpleYaml(text, readAnyYaml);
  } catch (error) {
    // A mistake in a part is told with its place in the whole.
    if (error instanceof NotSimple || error instanceof YamlError) return readAnyYaml(text);
    throw error;
  }
}

/** Reads one document with the complete reader, whatever it is. @throws YamlError */
export function readAnyYaml(text: string): Value {
  const document = syntaxOf(text);
  return new Reader(document).value(document.contents);
}

/** Checks the syntax and gives the library's tree, for callers who need places. @throws YamlError */
export function syntaxOf(text: string): Document.Parsed {
  const document = parseDocument(text, {
    version: "1.1",
    schema: "failsafe",
    uniqueKeys: false,
    merge: false,
    prettyErrors: true,
    strict: true,
    logLevel: "silent",
    stringKeys: false,
    keepSourceTokens: false,
    resolveKnownTags: false,
  });
  const problem = document.errors[0];
  if (problem !== undefined) {
    const line = problem.linePos?.[0].line;
    const words = problem.message.split(" at line ")[0] ?? problem.message;
    const place = line === undefined ? "" : `line ${line}: `;
    throw new YamlError(`error converting YAML to JSON: yaml: ${place}${knownWords[words] ?? lowerFirst(words)}`, line);
  }
  return document;
}

/** Mistakes go-yaml has words of its own for. */
const knownWords: Readonly<Record<string, string>> = {
  "Nested mappings are not allowed in compact mappings": "mapping values are not allowed in this context",
  "Implicit keys need to be on a single line": "mapping values are not allowed in this context",
  "Implicit map keys need to be followed by map values": "could not find expected ':'",
  "Tabs are not allowed as indentation": "found character that cannot start any token",
  "All mapping items must start at the same column": "did not find expected key",
  "All sequence items must start at the same column": "did not find expected '-' indicator",
};

function lowerFirst(words: string): string {
  return words.slice(0, 1).toLowerCase() + words.slice(1);
}

class Reader {
  readonly #document: Document.Parsed;
  readonly #open = new Set<Node>();
  #nodes = 0;

  constructor(document: Document.Parsed) {
    this.#document = document;
  }

  value(node: unknown): Value {
    if (++this.#nodes > mostNodes) throw new YamlError("yaml: document contains excessive aliasing");
    if (node === null || node === undefined) return null;
    if (isScalar(node)) return this.#scalar(node);
    if (isAlias(node)) return this.#alias(node);
    if (isSeq(node)) return node.items.map((item) => this.value(item));
    return isMap(node) ? this.#map(node) : null;
  }

  #alias(alias: Alias): Value {
    const target = alias.resolve(this.#document);
    if (target === undefined) throw new YamlError(`yaml: unknown anchor '${alias.source}' referenced`);
    if (this.#open.has(target)) throw new YamlError(`yaml: anchor '${alias.source}' value contains itself`);
    this.#open.add(target);
    const value = this.value(target);
    this.#open.delete(target);
    return value;
  }

  #map(map: YAMLMap): ValueMap {
    const out: ValueMap = new Map();
    for (const pair of map.items) {
      if (!isPair(pair)) continue;
      const { key, value } = pair;
      if (isScalar(key) && isPlain(key) && key.value === "<<") this.#merge(out, value);
      else {
        const inner = this.value(value);
        out.set(this.#key(key, inner), inner);
      }
    }
    return out;
  }

  /** Merged keys never replace those the map has; later explicit keys replace them by being set. */
  #merge(into: ValueMap, node: unknown): void {
    const target = isAlias(node) ? node.resolve(this.#document) : node;
    if (isSeq(target)) {
      for (const item of target.items.toReversed()) this.#merge(into, item);
      return;
    }
    if (!isMap(target)) throw new YamlError("yaml: map merge requires map or sequence of maps as the value");
    const merged = this.value(target);
    if (!(merged instanceof Map)) return;
    for (const [key, value] of merged) into.set(key, value);
  }

  #key(node: unknown, of: Value): string {
    const target = isAlias(node) ? node.resolve(this.#document) : node;
    if (target === null || target === undefined) throw unsupportedKey(of);
    if (!isScalar(target)) throw new YamlError("yaml: invalid map key");
    const value = this.#scalar(target);
    if (typeof value === "string") return value;
    if (typeof value === "boolean") return String(value);
    if (typeof value === "number") return numberKey(value);
    throw unsupportedKey(of);
  }

  #scalar(scalar: Scalar): Value {
    const text = scalarText(scalar);
    const tag = shortTag(scalar.tag);
    if (tag === "str") return text;
    if (tag === "binary") return textOf(Buffer.from(text, "base64"));
    if (tag === undefined && !isPlain(scalar)) return text;
    return typed(text, tag);
  }
}

/** A null as a key; Go's message shows what it would have held. */
function unsupportedKey(of: Value): YamlError {
  const shown = sprintf("%#v", [of]);
  return new YamlError(
    `error converting YAML to JSON: unsupported map key of type: %!s(<nil>), key: <nil>, value: ${shown}`,
  );
}

function isPlain(scalar: Scalar): boolean {
  return scalar.type === undefined || scalar.type === Scalar.PLAIN;
}

function scalarText(scalar: Scalar): string {
  return typeof scalar.value === "string" ? scalar.value : scalar.value === null ? "" : String(scalar.value);
}

function shortTag(tag: string | undefined): string | undefined {
  if (tag === undefined || tag === "!") return tag === undefined ? undefined : "str";
  return tag.replace(/^tag:yaml\.org,2002:/, "");
}

function typed(text: string, tag: string | undefined): Value {
  const resolved = resolveScalar(text);
  switch (resolved.tag) {
    case "null":
      return null;
    case "bool":
      return resolved.value;
    case "int":
      return Number(resolved.value);
    case "float":
      if (!Number.isFinite(resolved.value)) {
        throw new YamlError(
          `error converting YAML to JSON: json: unsupported value: ${formatFloat(resolved.value, "g", -1)}`,
        );
      }
      return resolved.value;
    default:
      if (tag === "int" || tag === "float" || tag === "bool" || tag === "null") {
        throw new YamlError(`error converting YAML to JSON: yaml: cannot decode !!str \`${text}\` as a !!${tag}`);
      }
      return text;
  }
}

/** A number as a key: integers plainly, floats with the precision of a float32, as sigs.k8s.io/yaml has it. */
function numberKey(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return truncateToInt64(value).toString();
  return formatFloat(Number(Math.fround(value).toPrecision(8)), "g", -1);
}

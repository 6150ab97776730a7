/** What `$ref` may name inside a schema: ids, anchors and JSON pointers. */
import { isList, type Value } from "../go/value.ts";
import { quoted } from "./problems.ts";
import { deepestSchemas, SchemaError } from "./validation.ts";

/** The places of one schema that references can name. */
export class References {
  readonly #root: Value;
  readonly #anchors = new Map<string, Value>();

  /** @throws SchemaError when the schema is nested too deeply */
  constructor(root: Value) {
    this.#root = root;
    this.#collectAnchors(root, 0);
  }

  #collectAnchors(schema: Value, depth: number): void {
    if (depth > deepestSchemas) throw new SchemaError("the schema is nested too deeply");
    if (isList(schema)) for (const item of schema) this.#collectAnchors(item, depth + 1);
    if (!(schema instanceof Map)) return;
    for (const key of ["$id", "id"]) {
      const id = schema.get(key);
      if (typeof id === "string") this.#anchors.set(id, schema);
    }
    for (const key of ["$anchor", "$dynamicAnchor"]) {
      const anchor = schema.get(key);
      if (typeof anchor === "string") this.#anchors.set(`#${anchor}`, schema);
    }
    for (const inner of schema.values()) this.#collectAnchors(inner, depth + 1);
  }

  /** The schema a reference names; undefined when it lies outside this one. @throws SchemaError */
  resolve(reference: string): Value {
    if (reference === "#") return this.#root;
    const anchored = this.#anchors.get(reference);
    if (anchored !== undefined) return anchored;
    const hash = reference.indexOf("#");
    const base = hash < 0 ? reference : reference.slice(0, hash);
    const fragment = hash < 0 ? "" : reference.slice(hash + 1);
    const start = base === "" ? this.#root : this.#anchors.get(base);
    return start === undefined ? undefined : followPointer(start, fragment, reference);
  }
}

function followPointer(start: Value, pointer: string, reference: string): Value {
  let schema: Value = start;
  for (const raw of pointer.split("/").slice(1)) {
    const part = decodeURIComponent(raw).replaceAll("~1", "/").replaceAll("~0", "~");
    if (schema instanceof Map) schema = schema.get(part);
    else schema = isList(schema) ? schema[Number(part)] : undefined;
    if (schema === undefined) throw new SchemaError(`jsonschema: ${quoted(reference)} not found`);
  }
  return schema;
}

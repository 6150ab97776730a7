import { EngineError } from "../errors.ts";

/** The largest manifest, index or configuration we read, in bytes. Registries refuse manifests above 4 MiB. */
export const maxManifestBytes: number = 4 * 1024 * 1024;

/**
 * A value that came from outside, with the way to it, so that whoever finds it wrong can say where.
 * Every read of an unknown document goes through one of these, once; what comes out is trusted by type.
 */
export interface Checked {
  readonly value: unknown;
  /** What the document is, for the message: `manifest sha256:…`, `index.json of a.tar`. */
  readonly document: string;
  /** The way from the document's root, `layers[2].digest`; empty for the root. */
  readonly path: string;
}

/** Decodes UTF-8 JSON; throws `DOCUMENT_INVALID`. */
export function decodeJson(bytes: Uint8Array, document: string): Checked {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return { value: JSON.parse(text), document, path: "" };
  } catch (cause) {
    const problem = cause instanceof SyntaxError ? "it is not JSON" : "it is not UTF-8 text";
    throw new EngineError("DOCUMENT_INVALID", { document, path: "", problem }, { cause });
  }
}

/** Throws `DOCUMENT_INVALID` at this place. */
export function refuse(at: Checked, problem: string): never {
  throw new EngineError("DOCUMENT_INVALID", { document: at.document, path: at.path, problem });
}

/** The member of an object, or undefined when it is absent or null (Go writes null for an empty list or map). */
export function member(at: Checked, name: string): Checked | undefined {
  const value = Object.getOwnPropertyDescriptor(asRecord(at), name)?.value as unknown;
  if (value === undefined || value === null) return undefined;
  return { value, document: at.document, path: at.path === "" ? name : `${at.path}.${name}` };
}

/** The member that must be there. */
export function required(at: Checked, name: string): Checked {
  return member(at, name) ?? refuse(at, `"${name}" is missing`);
}

/** The value as an object. */
export function asRecord(at: Checked): Readonly<Record<string, unknown>> {
  const { value } = at;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(at, "an object was expected");
  return value as Readonly<Record<string, unknown>>;
}

/** The items of a list. */
export function asList(at: Checked): readonly Checked[] {
  if (!Array.isArray(at.value)) return refuse(at, "a list was expected");
  return at.value.map((value: unknown, i) => ({ value, document: at.document, path: `${at.path}[${i}]` }));
}

/** The value as text. */
export function asText(at: Checked): string {
  return typeof at.value === "string" ? at.value : refuse(at, "text was expected");
}

/** The value as true or false. */
export function asBoolean(at: Checked): boolean {
  return typeof at.value === "boolean" ? at.value : refuse(at, "true or false was expected");
}

/** The value as a whole number from 0 that a double holds exactly: sizes in bytes and the like. */
export function asCount(at: Checked): number {
  const { value } = at;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(at, "a whole number from 0 was expected");
}

/** The value as a list of texts. */
export function asTexts(at: Checked): readonly string[] {
  return asList(at).map(asText);
}

/** The value as a map of texts. Own members only; `__proto__` is a name like any other. */
export function asTextMap(at: Checked): Readonly<Record<string, string>> {
  const entries = Object.keys(asRecord(at)).map((key): [string, string] => {
    const item = member(at, key);
    return [key, item === undefined ? "" : asText(item)];
  });
  return Object.fromEntries(entries);
}

/** `{ [name]: read(member) }` when the member is there, else nothing to spread. */
export function optional<Name extends string, T>(
  at: Checked,
  name: Name,
  read: (at: Checked) => T,
): { readonly [K in Name]?: T } {
  const found = member(at, name);
  return found === undefined ? {} : ({ [name]: read(found) } as { readonly [K in Name]?: T });
}

/** What JSON can hold; `undefined` members of objects are left out. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * Writes JSON in the one form we give it: no spaces, members sorted by the bytes of their UTF-8 names, so the same value always
 * has the same digest. Numbers must be finite; anything else is a mistake of the caller and throws `TypeError`.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no form in JSON`);
    return JSON.stringify(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (isList(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  const members = Object.entries(value)
    .filter((member): member is [string, Json] => member[1] !== undefined)
    .sort(([a], [b]) => compareBytewise(a, b))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
  return `{${members.join(",")}}`;
}

/** `canonicalJson` as UTF-8 bytes, ready to be stored as a blob. */
export function canonicalJsonBytes(value: Json): Uint8Array {
  return Buffer.from(canonicalJson(value), "utf8");
}

/** Orders two texts by their UTF-8 bytes, which is also the order of their code points. */
export function compareBytewise(a: string, b: string): number {
  // UTF-16 order differs from code point order only where surrogates meet the range above them.
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xSurrogate = x >= 0xd800 && x <= 0xdfff;
    const ySurrogate = y >= 0xd800 && y <= 0xdfff;
    if (xSurrogate === ySurrogate) return x - y;
    return xSurrogate ? 1 : -1;
  }
  return a.length - b.length;
}

function isList(value: readonly Json[] | { readonly [key: string]: Json | undefined }): value is readonly Json[] {
  return Array.isArray(value);
}

/** DER, as far as keys and certificates need it: writing values, and reading them back into a tree. */

/** One tag-length-value. */
export interface DerNode {
  readonly tag: number;
  readonly content: Uint8Array;
  /** The whole encoding, header included. */
  readonly bytes: Uint8Array;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** Encodes a value. */
export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concat(content);
  return concat([Uint8Array.of(tag), lengthBytes(body.length), body]);
}

function lengthBytes(length: number): Uint8Array {
  if (length < 128) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.of(128 | bytes.length, ...bytes);
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, ...parts);
export const octets = (bytes: Uint8Array): Uint8Array => der(0x04, bytes);
export const bits = (bytes: Uint8Array): Uint8Array => der(0x03, Uint8Array.of(0), bytes);
export const nothing: Uint8Array = der(0x05);
/** Text in the form Go chooses: printable ASCII by its own tag, the rest as UTF-8. */
export function text(value: string): Uint8Array {
  return der(/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value) ? 0x13 : 0x0c, new TextEncoder().encode(value));
}
/** An explicitly tagged value: `[n] …`. */
export const tagged = (n: number, ...parts: readonly Uint8Array[]): Uint8Array => der(0xa0 | n, ...parts);

/** A non-negative integer. */
export function integer(value: bigint): Uint8Array {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const bytes = Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, "hex");
  return der(0x02, bytes);
}

/** An object identifier from its dotted text. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 127];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return der(0x06, Uint8Array.from(bytes));
}

/** A time in the form certificates use: two-digit years until 2049. */
export function time(milliseconds: number): Uint8Array {
  const digits = new Date(milliseconds).toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "");
  const year = Number(digits.slice(0, 4));
  const isShort = year >= 1950 && year < 2050;
  return der(isShort ? 0x17 : 0x18, new TextEncoder().encode(isShort ? digits.slice(2) : digits));
}

/** Reads the values that stand one after the other; undefined when the bytes are no DER. */
export function readDer(bytes: Uint8Array): DerNode[] | undefined {
  const nodes: DerNode[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    const tag = bytes[at++] ?? 0;
    let length = bytes[at++] ?? 0;
    if (length > 127) {
      const count = length & 127;
      if (count > 4) return undefined;
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[at++] ?? 0);
    }
    if (at + length > bytes.length) return undefined;
    nodes.push({ tag, content: bytes.subarray(at, at + length), bytes: bytes.subarray(start, at + length) });
    at += length;
  }
  return nodes;
}

/** The PEM block of a type around DER bytes. */
export function pem(type: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${type}-----\n${lines.join("\n")}\n-----END ${type}-----\n`;
}

/** The first PEM block in a text. */
export function readPem(source: string): { readonly type: string; readonly bytes: Uint8Array } | undefined {
  const begin = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n/.exec(source);
  if (begin === null) return undefined;
  const from = begin.index + begin[0].length;
  const end = source.indexOf(`-----END ${begin[1]}-----`, from);
  if (end < 0) return undefined;
  const body = source.slice(from, end).replace(/\s/g, "");
  return /^[A-Za-z0-9+/]*={0,2}$/.test(body) ? { type: begin[1] ?? "", bytes: Buffer.from(body, "base64") } : undefined;
}

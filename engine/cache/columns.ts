/**
 * Tables as bytes: a JSON head, then columns one after the other, each aligned to 8 bytes so that it is read in place.
 * Byte order is the machine's; the head says which, and a table of another machine reads as none: tables are only memories.
 */
export type Column =
  | { readonly name: string; readonly kind: "texts"; readonly values: readonly string[] }
  | { readonly name: string; readonly kind: "numbers"; readonly values: Float64Array }
  | { readonly name: string; readonly kind: "integers"; readonly values: BigInt64Array }
  | { readonly name: string; readonly kind: "bytes"; readonly values: Uint8Array };

interface Head {
  readonly version: number;
  readonly littleEndian: boolean;
  readonly facts: unknown;
  readonly columns: readonly { readonly name: string; readonly length: number }[];
}

const headLengthSize = 8;
const littleEndian: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Encodes a table. Texts hold bytes (U+0000–U+00FF) and no NUL. `facts` is anything JSON can hold. */
export function encodeColumns(version: number, facts: unknown, columns: readonly Column[]): Buffer {
  const encoded = columns.map((column) => ({ name: column.name, bytes: bytesOf(column) }));
  const shape = encoded.map(({ name, bytes }) => ({ name, length: bytes.length }));
  const head = Buffer.from(JSON.stringify({ version, littleEndian, facts, columns: shape } satisfies Head));
  const start = aligned(headLengthSize + head.length);
  const total = encoded.reduce((at, { bytes }) => at + aligned(bytes.length), start);
  const table = Buffer.alloc(total);
  table.writeUInt32LE(head.length, 0);
  table.set(head, headLengthSize);
  let at = start;
  for (const { bytes } of encoded) {
    table.set(bytes, at);
    at += aligned(bytes.length);
  }
  return table;
}

/** A table that was read. Columns that are not there read as empty. */
export interface Columns {
  readonly facts: unknown;
  texts(name: string): readonly string[];
  numbers(name: string): Float64Array;
  integers(name: string): BigInt64Array;
  bytes(name: string): Uint8Array;
}

/** Reads a table, or undefined when it has another version, another byte order, or no sense. */
export function decodeColumns(version: number, payload: Uint8Array): Columns | undefined {
  const head = readHead(payload);
  if (head === undefined || head.version !== version || head.littleEndian !== littleEndian) return undefined;
  // A typed array can only look at aligned memory; a copy always is.
  const aligns = payload.byteOffset % 8 === 0;
  const table = aligns ? payload : new Uint8Array(payload);
  const places = new Map<string, { readonly at: number; readonly length: number }>();
  let at = aligned(headLengthSize + headLength(table));
  for (const { name, length } of head.columns) {
    places.set(name, { at, length });
    at += aligned(length);
  }
  if (at > table.length) return undefined;
  const bytes = (name: string): Uint8Array => {
    const place = places.get(name);
    return place === undefined ? new Uint8Array(0) : table.subarray(place.at, place.at + place.length);
  };
  return {
    facts: head.facts,
    bytes,
    texts(name) {
      const column = bytes(name);
      const text = Buffer.from(column.buffer, column.byteOffset, column.byteLength).toString("latin1");
      return text === "" ? [] : text.slice(0, -1).split("\0");
    },
    numbers(name) {
      const column = bytes(name);
      return new Float64Array(column.buffer, column.byteOffset, column.byteLength / 8);
    },
    integers(name) {
      const column = bytes(name);
      return new BigInt64Array(column.buffer, column.byteOffset, column.byteLength / 8);
    },
  };
}

function headLength(table: Uint8Array): number {
  return table.length < headLengthSize ? 0 : Buffer.from(table.buffer, table.byteOffset, 4).readUInt32LE(0);
}

function readHead(payload: Uint8Array): Head | undefined {
  const length = headLength(payload);
  if (length === 0 || headLengthSize + length > payload.length) return undefined;
  try {
    const text = Buffer.from(payload.buffer, payload.byteOffset + headLengthSize, length).toString("utf8");
    return JSON.parse(text) as Head;
  } catch {
    return undefined;
  }
}

function bytesOf(column: Column): Uint8Array {
  switch (column.kind) {
    case "texts":
      return Buffer.from(column.values.map((text) => `${text}\0`).join(""), "latin1");
    case "bytes":
      return column.values;
    case "numbers":
    case "integers":
      return new Uint8Array(column.values.buffer, column.values.byteOffset, column.values.byteLength);
    default:
      return column satisfies never;
  }
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}

import { type ByteString, byteString } from "../byteString.ts";
import { EngineError } from "../errors.ts";

/** Records of a pax extended header, in the order they stand. Values are bytes: attribute values may hold anything. */
export type PaxRecords = ReadonlyMap<ByteString, Uint8Array>;

const newline = 0x0a;
const space = 0x20;

/**
 * Writes `<length> <key>=<value>\n` for each record; the length counts itself.
 * @see POSIX.1-2017, pax, "pax Extended Header"
 */
export function encodePax(records: PaxRecords): Buffer {
  const parts: Buffer[] = [];
  for (const [key, value] of records) {
    const body = key.length + value.length + 3;
    let length = body + String(body).length;
    // Counting its own digits may add a digit once.
    if (String(length).length !== String(body).length) length = body + String(length).length;
    parts.push(Buffer.from(`${length} ${key}=`, "latin1"), Buffer.from(value), Buffer.of(newline));
  }
  return Buffer.concat(parts);
}

/** Reads what `encodePax` and every other pax writer produce. Throws `TAR_INVALID`; `offset` is the header's place, for the message. */
export function decodePax(data: Buffer, offset: number): PaxRecords {
  const records = new Map<ByteString, Uint8Array>();
  let at = 0;
  while (at < data.length) {
    const digitsEnd = data.indexOf(space, at);
    const length = digitsEnd > at && digitsEnd - at < 11 ? Number(data.toString("latin1", at, digitsEnd)) : Number.NaN;
    const end = at + length;
    const keyEnd = data.indexOf("=", digitsEnd + 1, "latin1");
    const wellFormed =
      Number.isSafeInteger(length) && end <= data.length && data[end - 1] === newline && keyEnd > 0 && keyEnd < end;
    if (!wellFormed) throw new EngineError("TAR_INVALID", { offset, reason: "a malformed pax record" });
    put(records, byteString(data.subarray(digitsEnd + 1, keyEnd)), data.subarray(keyEnd + 1, end - 1));
    at = end;
  }
  return records;
}

/** A later record replaces an earlier one, but for the two that GNU tar repeats by design: their values are joined by commas. */
function put(records: Map<ByteString, Uint8Array>, key: ByteString, value: Uint8Array): void {
  const before = key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes" ? records.get(key) : undefined;
  records.set(key, before === undefined ? value : Buffer.concat([before, Buffer.of(0x2c), value]));
}

/**
 * What a `Range` header asks of a body: all of it, a part (`end` exclusive), or nothing that exists.
 *
 * Only one range is served; several, or another unit, are answered with the whole body as RFC 9110 allows.
 *
 * @see RFC 9110, 14.2 Range and 14.1.2 Byte Ranges
 */
export type RequestedRange =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly start: number; readonly end: number }
  | { readonly kind: "unsatisfiable" };

/** Reads a `Range` header for a body of `sizeBytes`. */
export function parseRange(header: string | undefined, sizeBytes: number): RequestedRange {
  const parsed = header === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (parsed === null) return { kind: "whole" };
  const [, first = "", last = ""] = parsed;
  if (first === "" && last === "") return { kind: "whole" };
  if (first === "") return suffix(Number(last), sizeBytes);
  const start = Number(first);
  const end = last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== "" && Number(last) < start) return { kind: "unsatisfiable" };
  return start >= sizeBytes ? { kind: "unsatisfiable" } : { kind: "part", start, end };
}

function suffix(length: number, sizeBytes: number): RequestedRange {
  if (length === 0 || sizeBytes === 0) return { kind: "unsatisfiable" };
  return { kind: "part", start: Math.max(0, sizeBytes - length), end: sizeBytes };
}

/** Reads the `Content-Range` of a chunk, `first-last`, with or without the unit; `undefined` when it is no range. */
export function parseContentRange(header: string): { readonly start: number; readonly end: number } | undefined {
  const parsed = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(header.trim());
  if (parsed === null) return undefined;
  const [start, last] = [Number(parsed[1]), Number(parsed[2])];
  return last < start ? undefined : { start, end: last + 1 };
}

/**
 * Go strings are bytes. Here they are JavaScript strings in which a byte that is not part of valid UTF-8 stands as a lone
 * surrogate U+DC80–U+DCFF, so binary files pass through `.Files.Get … | b64enc` unharmed.
 */
import { Buffer, isUtf8 } from "node:buffer";

const escapeBase = 0xdc00;

/** Text of bytes; what is not UTF-8 stays recoverable. */
export function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString("utf8");
  let text = "";
  let from = 0;
  for (let i = 0; i < buffer.length; ) {
    const width = sequenceWidth(buffer, i);
    if (width > 0) {
      i += width;
      continue;
    }
    text += buffer.toString("utf8", from, i) + String.fromCharCode(escapeBase + (buffer[i] ?? 0));
    from = ++i;
  }
  return text + buffer.toString("utf8", from);
}

/** Length of the valid UTF-8 sequence at `i`, or 0. */
function sequenceWidth(bytes: Uint8Array, i: number): number {
  const lead = bytes[i] ?? 0;
  if (lead < 0x80) return 1;
  const width = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return lead >= 0xc2 && lead <= 0xf4 && i + width <= bytes.length && isUtf8(bytes.subarray(i, i + width)) ? width : 0;
}

/** Bytes of text; the inverse of `textOf`. */
export function bytesOf(text: string): Uint8Array {
  if (text.isWellFormed()) return Buffer.from(text, "utf8");
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (!isEscapedByte(text, i)) continue;
    parts.push(Buffer.from(text.slice(from, i), "utf8"), Uint8Array.of(text.charCodeAt(i) - escapeBase));
    from = i + 1;
  }
  parts.push(Buffer.from(text.slice(from), "utf8"));
  return Buffer.concat(parts);
}

function isEscapedByte(text: string, i: number): boolean {
  const unit = text.charCodeAt(i);
  if (unit < 0xdc80 || unit > 0xdcff) return false;
  const before = i > 0 ? text.charCodeAt(i - 1) : 0;
  return !(before >= 0xd800 && before <= 0xdbff);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is meant
const ascii = /^[\x00-\x7f]*$/;

/** `len(s)`: the number of bytes. */
export function byteLength(text: string): number {
  if (ascii.test(text)) return text.length;
  return text.isWellFormed() ? Buffer.byteLength(text) : bytesOf(text).length;
}

/** `s[start:end]` in bytes. The caller has checked the bounds. */
export function byteSlice(text: string, start: number, end?: number): string {
  if (ascii.test(text)) return text.slice(start, end);
  return textOf(bytesOf(text).subarray(start, end));
}

/** The code points of text, as Go's `[]rune(s)`; a broken byte is U+FFFD. */
export function runesOf(text: string): string[] {
  return Array.from(text, (char) => (char.isWellFormed() ? char : "\uFFFD"));
}

/** Text with every broken byte replaced by U+FFFD. */
export function validText(text: string): string {
  return text.toWellFormed();
}

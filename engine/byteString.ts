/**
 * A name as the file system and tar know it: bytes, not text. Each UTF-16 unit of a `ByteString` is one byte (0–255), so a name that is
 * not valid UTF-8 survives, `<` compares bytewise, and maps and sets work. Node's `latin1` encoding turns it into bytes and back.
 */
export type ByteString = string & { readonly __brand: "ByteString" };

const nonAscii = /[^\0-\x7f]/;

/** The UTF-8 bytes of a text. */
export function bytesOfText(text: string): ByteString {
  return (nonAscii.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text) as ByteString;
}

/** The text of UTF-8 bytes; bytes that are not UTF-8 become U+FFFD, so this is for people, not for opening files. */
export function textOfBytes(bytes: ByteString): string {
  return nonAscii.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

/** Bytes read from somewhere as a `ByteString`. */
export function byteString(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1") as ByteString;
}

/** What `node:fs` takes as a path: the string itself where that is safe, else its bytes. */
export function fsPath(path: ByteString): string | Buffer {
  return nonAscii.test(path) ? Buffer.from(path, "latin1") : path;
}

/** Order of bytes; the one order of this project. */
export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Character tests on UTF-16 code units, for scanners that read a text once. */

export const tab = 0x09;
export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
export const blank = 0x20;
export const doubleQuote = 0x22;
export const hash = 0x23;
export const dollar = 0x24;
export const singleQuote = 0x27;
export const dash = 0x2d;
export const equals = 0x3d;
export const byteOrderMark = 0xfeff;

/** Separates words on a logical line: tab, VT, FF, CR and space. @see moby/buildkit `reWhitespace` */
export function isBlank(code: number): boolean {
  return code === blank || code === tab || (code >= 0x0b && code <= carriageReturn);
}

/** White space of Unicode, which may stand in front of an instruction. @see Go `unicode.IsSpace` */
export function isSpace(code: number): boolean {
  if (code < 0x80) return code === blank || (code >= tab && code <= carriageReturn);
  if (code === 0x85 || code === 0xa0 || code === 0x1680) return true;
  if (code < 0x2000 || code > 0x3000) return false;
  return code <= 0x200a || code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

export function isNameStart(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
}

/** Part of a variable's name behind its first letter. */
export function isNamePart(code: number): boolean {
  return isNameStart(code) || isDigit(code);
}

/** The order go-yaml writes keys in: letters after everything else, digits by their number. */

const isLetter = (char: string): boolean => /^\p{L}$/u.test(char);
const isDigit = (char: string | undefined): boolean => char !== undefined && /^\p{Nd}$/u.test(char);
const simple = /^[A-Za-z]*$/;

/** Compares two keys: negative when `a` comes first. */
export function compareKeys(a: string, b: string): number {
  if (simple.test(a) && simple.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  const as = Array.from(a);
  const bs = Array.from(b);
  for (let i = 0; i < as.length && i < bs.length; i++) {
    const x = as[i] ?? "";
    const y = bs[i] ?? "";
    if (x !== y) return compareAt(as, bs, i, x, y);
  }
  return as.length - bs.length;
}

function compareAt(as: readonly string[], bs: readonly string[], i: number, x: string, y: string): number {
  const codeOrder = (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);
  const xIsLetter = isLetter(x);
  const yIsLetter = isLetter(y);
  if (xIsLetter && yIsLetter) return codeOrder;
  if (xIsLetter || yIsLetter) return yIsLetter ? -1 : 1;
  // A leading zero counts only inside a number that has begun.
  const start = (x === "0" || y === "0") && hasBegunNumber(as, i) ? 1n : 0n;
  const [an, ai] = numberAt(as, i, start);
  const [bn, bi] = numberAt(bs, i, start);
  if (an !== bn) return an < bn ? -1 : 1;
  return ai === bi ? codeOrder : ai - bi;
}

/** Whether a digit other than zero stands among those right before `end`. */
function hasBegunNumber(chars: readonly string[], end: number): boolean {
  const from = chars.slice(0, end).findLastIndex((char) => !isDigit(char)) + 1;
  return chars.slice(from, end).some((char) => char !== "0");
}

function numberAt(chars: readonly string[], from: number, start: bigint): readonly [bigint, number] {
  let value = start;
  let at = from;
  for (; isDigit(chars[at]); at++) {
    value = BigInt.asIntN(64, value * 10n + BigInt((chars[at]?.codePointAt(0) ?? 48) - 48));
  }
  return [value, at];
}

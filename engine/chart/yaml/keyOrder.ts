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
  let start = 0n;
  if (x === "0" || y === "0") {
    for (let j = i - 1; j >= 0 && isDigit(as[j]); j--) {
      if (as[j] !== "0") {
        start = 1n;
        break;
      }
    }
  }
  const [an, ai] = numberAt(as, i, start);
  const [bn, bi] = numberAt(bs, i, start);
  if (an !== bn) return an < bn ? -1 : 1;
  return ai === bi ? codeOrder : ai - bi;
}

function numberAt(chars: readonly string[], from: number, start: bigint): readonly [bigint, number] {
  let value = start;
  let at = from;
  for (; isDigit(chars[at]); at++) {
    value = BigInt.asIntN(64, value * 10n + BigInt((chars[at]?.codePointAt(0) ?? 48) - 48));
  }
  return [value, at];
}

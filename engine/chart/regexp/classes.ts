/** Sets of characters: ranges, their algebra, and the named classes of Go's patterns. */

/** Ranges of code points, both ends included, sorted and apart. */
export type Ranges = readonly (readonly [number, number])[];

/** The highest code point. */
export const lastRune = 0x10ffff;

/** Sorts ranges and joins those that touch. */
export function normalise(ranges: Ranges): Ranges {
  const out: [number, number][] = [];
  for (const [low, high] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = out.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else out.push([low, high]);
  }
  return out;
}

/** Every code point outside the ranges. */
export function negate(ranges: Ranges): Ranges {
  const out: [number, number][] = [];
  let next = 0;
  for (const [low, high] of normalise(ranges)) {
    if (low > next) out.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= lastRune) out.push([next, lastRune]);
  return out;
}

/** Adds the other cases of every letter. Ranges too large to walk hold them all already. */
export function foldRanges(ranges: Ranges): Ranges {
  const out: (readonly [number, number])[] = [...ranges];
  for (const [low, high] of ranges) {
    for (let code = low; code <= Math.min(high, 0x1e943); code++) {
      const char = String.fromCodePoint(code);
      for (const other of [char.toLowerCase(), char.toUpperCase(), foldCase(char)]) {
        const otherCode = other.codePointAt(0) ?? code;
        if (String.fromCodePoint(otherCode) === other && otherCode !== code) out.push([otherCode, otherCode]);
      }
    }
  }
  return normalise(out);
}

/** The letters whose simple folding leaves their own alphabet. */
function foldCase(char: string): string {
  const orbit: Readonly<Record<string, string>> = {
    k: "\u212a",
    K: "\u212a",
    s: "\u017f",
    S: "\u017f",
    å: "\u212b",
    Å: "\u212b",
  };
  return orbit[char] ?? char;
}

const digits: Ranges = [[48, 57]];
const wordChars: Ranges = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
/** `\d`, `\s`, `\w`. */
export const perlClasses: Readonly<Record<string, Ranges>> = {
  d: digits,
  s: [
    [9, 10],
    [12, 13],
    [32, 32],
  ],
  w: wordChars,
};

/** `[[:alpha:]]` and its like. */
export const posixClasses: Readonly<Record<string, Ranges>> = {
  alnum: [
    [48, 57],
    [65, 90],
    [97, 122],
  ],
  alpha: [
    [65, 90],
    [97, 122],
  ],
  ascii: [[0, 127]],
  blank: [
    [9, 9],
    [32, 32],
  ],
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: digits,
  graph: [[33, 126]],
  lower: [[97, 122]],
  print: [[32, 126]],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  space: [
    [9, 13],
    [32, 32],
  ],
  upper: [[65, 90]],
  word: wordChars,
  xdigit: [
    [48, 57],
    [65, 70],
    [97, 102],
  ],
};

const tables = new Map<string, Ranges | undefined>();

/** Ranges of a Unicode category or script, computed once from what JavaScript knows. */
export function unicodeTable(name: string): Ranges | undefined {
  if (tables.has(name)) return tables.get(name);
  const table = name === "Any" ? [[0, lastRune] as const] : computeTable(name);
  tables.set(name, table);
  return table;
}

function computeTable(name: string): Ranges | undefined {
  let test: RegExp;
  try {
    test = new RegExp(/^[A-Z][a-z]?$/.test(name) ? `^\\p{${name}}$` : `^\\p{Script=${name}}$`, "u");
  } catch {
    return undefined;
  }
  const out: [number, number][] = [];
  for (let code = 0; code <= lastRune; code++) {
    if (!test.test(String.fromCodePoint(code))) continue;
    const last = out.at(-1);
    if (last !== undefined && last[1] === code - 1) last[1] = code;
    else out.push([code, code]);
  }
  return out;
}

/**
 * Parses Go's (RE2's) regular expression syntax into a tree.
 * @see https://pkg.go.dev/regexp/syntax
 */

import {
  foldRanges,
  lastRune,
  negate,
  normalise,
  perlClasses,
  posixClasses,
  type Ranges,
  unicodeTable,
} from "./classes.ts";

export type Regex =
  | { readonly kind: "empty" | "lineStart" | "lineEnd" | "textStart" | "textEnd" | "word" | "notWord" }
  | { readonly kind: "chars"; readonly ranges: Ranges }
  | { readonly kind: "sequence" | "either"; readonly parts: readonly Regex[] }
  | { readonly kind: "group"; readonly index: number; readonly name: string | undefined; readonly inner: Regex }
  | {
      readonly kind: "repeat";
      readonly inner: Regex;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
    };

/** A pattern Go refuses; the message is Go's. */
export class RegexSyntaxError extends Error {
  constructor(reason: string, part: string) {
    super(`error parsing regexp: ${reason}: \`${part}\``);
  }
}

interface Flags {
  readonly fold: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
  readonly swapGreed: boolean;
}

/** RE2's own limits. */
const mostRepeats = 1000;
const deepestNesting = 250;

/** A parsed pattern and how many groups it has. */
export interface ParsedRegex {
  readonly root: Regex;
  readonly groups: readonly (string | undefined)[];
}

/** Parses a pattern. @throws RegexSyntaxError */
export function parseRegex(pattern: string): ParsedRegex {
  return new RegexParser(pattern).run();
}

class RegexParser {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;
  readonly #groups: (string | undefined)[] = [undefined];

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  run(): ParsedRegex {
    const flags = { fold: false, multiLine: false, dotAll: false, swapGreed: false };
    const root = this.#either({ flags });
    if (this.#at < this.#pattern.length) throw new RegexSyntaxError("unexpected )", this.#pattern);
    return { root, groups: this.#groups };
  }

  #fail(reason: string, from: number, to?: number): never {
    throw new RegexSyntaxError(reason, this.#pattern.slice(from, to));
  }

  #peek(): string {
    const code = this.#pattern.codePointAt(this.#at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  /** `scope.flags` changes when `(?i)` stands in the middle of a group. */
  #either(scope: { flags: Flags }): Regex {
    if (++this.#depth > deepestNesting) throw new RegexSyntaxError("expression nests too deeply", this.#pattern);
    const alternatives: Regex[] = [];
    let sequence: Regex[] = [];
    for (let char = this.#peek(); char !== "" && char !== ")"; char = this.#peek()) {
      if (char === "|") {
        this.#at++;
        alternatives.push(join(sequence));
        sequence = [];
      } else {
        sequence.push(this.#repeated(scope, sequence));
      }
    }
    this.#depth--;
    alternatives.push(join(sequence));
    const [only] = alternatives;
    return alternatives.length === 1 && only !== undefined ? only : { kind: "either", parts: alternatives };
  }

  #repeated(scope: { flags: Flags }, before: readonly Regex[]): Regex {
    const start = this.#at;
    const atom = this.#atom(scope, before);
    let inner = atom;
    let repeats = 0;
    for (;;) {
      const opStart = this.#at;
      const bounds = this.#bounds();
      if (bounds === undefined) return inner;
      if (atom.kind === "empty" && start !== opStart && this.#pattern.slice(start, opStart).startsWith("(?")) {
        if (!this.#pattern.slice(start, opStart).includes(":"))
          this.#fail("missing argument to repetition operator", opStart, this.#at);
      }
      if (repeats++ > 0) this.#fail("invalid nested repetition operator", this.#lastOp, this.#at);
      this.#lastOp = opStart;
      let greedy = !scope.flags.swapGreed;
      if (this.#peek() === "?") {
        this.#at++;
        greedy = !greedy;
      }
      inner = { kind: "repeat", inner, ...bounds, greedy };
    }
  }

  #lastOp = 0;

  #bounds(): { readonly min: number; readonly max: number } | undefined {
    const char = this.#peek();
    if (char === "*" || char === "+" || char === "?") {
      this.#at++;
      return { min: char === "+" ? 1 : 0, max: char === "?" ? 1 : Number.POSITIVE_INFINITY };
    }
    const found = /^\{(\d{1,6})(,(\d{0,6}))?\}/.exec(this.#pattern.slice(this.#at, this.#at + 20));
    if (found === null) return undefined;
    const from = this.#at;
    this.#at += found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === "" ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (min > mostRepeats || (max !== Number.POSITIVE_INFINITY && (max > mostRepeats || min > max))) {
      this.#fail("invalid repeat count", from, this.#at);
    }
    return { min, max };
  }

  #atom(scope: { flags: Flags }, before: readonly Regex[]): Regex {
    const { flags } = scope;
    const start = this.#at;
    const char = this.#peek();
    switch (char) {
      case "(":
        return this.#group(scope);
      case "[":
        return this.#class(flags);
      case ".":
        this.#at++;
        return { kind: "chars", ranges: flags.dotAll ? [[0, lastRune]] : negate([[10, 10]]) };
      case "^":
        this.#at++;
        return { kind: flags.multiLine ? "lineStart" : "textStart" };
      case "$":
        this.#at++;
        return { kind: flags.multiLine ? "lineEnd" : "textEnd" };
      case "\\":
        return this.#escape(flags);
      case "*":
      case "+":
      case "?":
        void before;
        this.#at++;
        return this.#fail("missing argument to repetition operator", start, this.#at);
      default:
        this.#at += char.length;
        return literal(char, flags.fold);
    }
  }

  #group(scope: { flags: Flags }): Regex {
    const start = this.#at;
    if (!this.#pattern.startsWith("(?", start)) {
      this.#at++;
      return this.#capture(undefined, scope.flags, start);
    }
    const named = /^\(\?P?<([A-Za-z_]\w*)>/.exec(this.#pattern.slice(start, start + 200));
    if (named !== null) {
      if (this.#groups.includes(named[1]))
        this.#fail("duplicate capture group name", start + 3, start + named[0].length);
      this.#at += named[0].length;
      return this.#capture(named[1], scope.flags, start);
    }
    const flagged = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(this.#pattern.slice(start, start + 20));
    if (flagged === null || flagged[0] === "(?)") {
      const end = this.#pattern.slice(start, start + 4).search(/[=!<#'>]/);
      return this.#fail(
        "invalid or unsupported Perl syntax",
        start,
        end < 0 ? start + 3 : start + Math.max(end + 1, 3),
      );
    }
    this.#at += flagged[0].length;
    const flags = applyFlags(scope.flags, flagged[1] ?? "", flagged[2] ?? "");
    if (flagged[3] === ")") {
      scope.flags = flags;
      return { kind: "empty" };
    }
    const inner = this.#either({ flags });
    this.#close(start);
    return { kind: "sequence", parts: [inner] };
  }

  #capture(name: string | undefined, flags: Flags, start: number): Regex {
    const index = this.#groups.push(name) - 1;
    const inner = this.#either({ flags });
    this.#close(start);
    return { kind: "group", index, name, inner };
  }

  #close(start: number): void {
    if (this.#peek() !== ")") throw new RegexSyntaxError("missing closing )", this.#pattern);
    void start;
    this.#at++;
  }

  #escape(flags: Flags): Regex {
    const start = this.#at;
    const code = this.#pattern[start + 1];
    if (code === undefined) this.#fail("trailing backslash at end of expression", this.#pattern.length);
    const simple = { A: "textStart", z: "textEnd", b: "word", B: "notWord" } as const;
    if (code === "A" || code === "z" || code === "b" || code === "B") {
      this.#at += 2;
      return { kind: simple[code] };
    }
    if (code === "Q") {
      const end = this.#pattern.indexOf("\\E", start + 2);
      const text = this.#pattern.slice(start + 2, end < 0 ? undefined : end);
      this.#at = end < 0 ? this.#pattern.length : end + 2;
      return { kind: "sequence", parts: Array.from(text, (char) => literal(char, flags.fold)) };
    }
    if (code === "C") this.#fail("invalid escape sequence", start, start + 2);
    const ranges = this.#classEscape(flags.fold);
    if (ranges !== undefined) return { kind: "chars", ranges };
    return literal(String.fromCodePoint(this.#charEscape()), flags.fold);
  }

  /** `\d`, `\pL` and their like; undefined when something else stands here. */
  #classEscape(fold: boolean): Ranges | undefined {
    const start = this.#at;
    const code = this.#pattern[start + 1] ?? "";
    const perl = perlClasses[code.toLowerCase()];
    if (perl !== undefined && /[dswDSW]/.test(code)) {
      this.#at += 2;
      return code === code.toLowerCase() ? perl : negate(perl);
    }
    if (code !== "p" && code !== "P") return undefined;
    const found = /^\\[pP](?:\{(\^?)(\w+)\}|(\p{L}))/u.exec(this.#pattern.slice(start, start + 60));
    const name = found?.[2] ?? found?.[3] ?? "";
    const table = unicodeTable(name);
    if (found === null || table === undefined) {
      const end = this.#pattern.indexOf("}", start);
      return this.#fail("invalid character class range", start, end < 0 ? start + 3 : end + 1);
    }
    this.#at += found[0].length;
    const isNegated = (code === "P") !== (found[1] === "^");
    const folded = fold ? foldRanges(table) : table;
    return isNegated ? negate(folded) : folded;
  }

  #charEscape(): number {
    const start = this.#at;
    const rest = this.#pattern.slice(start + 1, start + 12);
    const simple = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }[rest[0] ?? ""];
    const hex = /^x(?:([\da-fA-F]{2})|\{([\da-fA-F]{1,8})\})/.exec(rest);
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    if (hex !== null || octal !== null) {
      const [text = ""] = hex ?? octal ?? [];
      const value = hex === null ? Number.parseInt(text, 8) : Number.parseInt(hex[1] ?? hex[2] ?? "", 16);
      if (value > lastRune) this.#fail("invalid escape sequence", start, start + 1 + text.length);
      this.#at += 1 + text.length;
      return value;
    }
    const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    if (/^[A-Za-z0-9]$/.test(char) || (char.codePointAt(0) ?? 0) >= 0x80) {
      this.#fail("invalid escape sequence", start, start + 1 + char.length);
    }
    this.#at += 1 + char.length;
    return char.codePointAt(0) ?? 0;
  }

  #class(flags: Flags): Regex {
    const start = this.#at++;
    const isNegated = this.#peek() === "^";
    if (isNegated) this.#at++;
    const ranges: (readonly [number, number])[] = [];
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (this.#peek() === "") this.#fail("missing closing ]", start);
      ranges.push(...(this.#classSet(flags.fold) ?? this.#classRange(start, flags.fold)));
    }
    this.#at++;
    const merged = normalise(ranges);
    return { kind: "chars", ranges: isNegated ? negate(merged) : merged };
  }

  /** One character of a class, or two with a dash between them. */
  #classRange(start: number, fold: boolean): Ranges {
    const from = this.#at;
    const low = this.#classChar(start);
    let high = low;
    if (this.#peek() === "-" && this.#pattern[this.#at + 1] !== "]") {
      this.#at++;
      if (this.#peek() === "") this.#fail("missing closing ]", start);
      high = this.#classChar(start);
      if (high < low) this.#fail("invalid character class range", from, this.#at);
    }
    return fold ? foldRanges([[low, high]]) : [[low, high]];
  }

  #classSet(fold: boolean): Ranges | undefined {
    if (this.#peek() === "\\") return this.#classEscape(fold);
    const found = /^\[:(\^?)(\w+):\]/.exec(this.#pattern.slice(this.#at, this.#at + 20));
    if (found === null) return undefined;
    const table = posixClasses[found[2] ?? ""];
    if (table === undefined) this.#fail("invalid character class range", this.#at, this.#at + found[0].length);
    this.#at += found[0].length;
    return found[1] === "^" ? negate(table) : table;
  }

  #classChar(start: number): number {
    const char = this.#peek();
    if (char === "") this.#fail("missing closing ]", start);
    if (char === "\\") {
      if (this.#at + 1 >= this.#pattern.length)
        this.#fail("trailing backslash at end of expression", this.#pattern.length);
      return this.#charEscape();
    }
    this.#at += char.length;
    return char.codePointAt(0) ?? 0;
  }
}

function applyFlags(flags: Flags, on: string, off: string): Flags {
  const has = (letter: string, known: boolean): boolean => (known || on.includes(letter)) && !off.includes(letter);
  return {
    fold: has("i", flags.fold),
    multiLine: has("m", flags.multiLine),
    dotAll: has("s", flags.dotAll),
    swapGreed: has("U", flags.swapGreed),
  };
}

function join(parts: readonly Regex[]): Regex {
  const [only] = parts;
  if (only === undefined) return { kind: "empty" };
  return parts.length === 1 ? only : { kind: "sequence", parts };
}

function literal(char: string, fold: boolean): Regex {
  const code = char.codePointAt(0) ?? 0;
  const ranges: Ranges = [[code, code]];
  return { kind: "chars", ranges: fold ? foldRanges(ranges) : ranges };
}

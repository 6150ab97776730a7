/** `.helmignore`: which files of a chart's folder are no part of the chart. */

interface Rule {
  readonly negated: boolean;
  readonly onlyFolders: boolean;
  readonly matches: (path: string) => boolean;
}

/** A rule Helm refuses. */
export class IgnoreRuleError extends Error {}

/** Rules read from `.helmignore`; Helm's own rule is always among them. */
export class IgnoreRules {
  readonly #rules: readonly Rule[];

  /** @throws IgnoreRuleError */
  constructor(text: string) {
    const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
    this.#rules = [...lines, "templates/.?*"].flatMap(parseRule);
  }

  /** Whether a path, with `/` between its parts and relative to the chart, is left out. */
  ignores(path: string, isFolder: boolean): boolean {
    for (const rule of this.#rules) {
      if (rule.negated) {
        // As Helm has it: whatever a negated rule does not match is ignored.
        if ((rule.onlyFolders && !isFolder) || !rule.matches(path)) return true;
      } else if (!(rule.onlyFolders && !isFolder) && rule.matches(path)) return true;
    }
    return false;
  }

  /** Whether a file is left out by itself or with a folder above it. */
  ignoresFile(path: string): boolean {
    const parts = path.split("/");
    const folders = parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join("/"));
    return folders.some((folder) => this.ignores(folder, true)) || this.ignores(path, false);
  }
}

function parseRule(line: string): Rule[] {
  let rule = line.trim();
  if (rule === "" || rule.startsWith("#")) return [];
  if (rule.includes("**")) throw new IgnoreRuleError("double-star (**) syntax is not supported");
  const negated = rule.startsWith("!");
  if (negated) rule = rule.slice(1);
  const onlyFolders = rule.endsWith("/");
  if (onlyFolders) rule = rule.slice(0, -1);
  const isRooted = rule.startsWith("/");
  const match = compileGlob(isRooted ? rule.slice(1) : rule);
  const wholePath = isRooted || rule.includes("/");
  return [{ negated, onlyFolders, matches: (path) => match(wholePath ? path : path.slice(path.lastIndexOf("/") + 1)) }];
}

type Piece = { readonly star: true } | { readonly star: false; readonly fits: (char: string) => boolean };

/** `filepath.Match`: `*` and `?` never match a slash. @throws IgnoreRuleError */
function compileGlob(pattern: string): (name: string) => boolean {
  const pieces: Piece[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? "";
    if (char === "*") pieces.push({ star: true });
    else if (char === "?") pieces.push({ star: false, fits: (c) => c !== "/" });
    else if (char === "[") {
      const end = readClass(chars, i, pieces);
      i = end;
    } else {
      const literal = char === "\\" ? chars[++i] : char;
      if (literal === undefined) throw new IgnoreRuleError("syntax error in pattern");
      pieces.push({ star: false, fits: (c) => c === literal });
    }
  }
  return (name) => matchPieces(pieces, Array.from(name));
}

/** Reads `[a-z]` or `[^a-z]` beginning at `from`; answers the index of its `]`. */
function readClass(chars: readonly string[], from: number, pieces: Piece[]): number {
  let i = from + 1;
  const negated = chars[i] === "^";
  if (negated) i++;
  const ranges: (readonly [string, string])[] = [];
  const one = (): string => {
    const char = chars[i] === "\\" ? chars[++i] : chars[i];
    if (char === undefined) throw new IgnoreRuleError("syntax error in pattern");
    i++;
    return char;
  };
  while (ranges.length === 0 || chars[i] !== "]") {
    if (chars[i] === undefined || chars[i] === "-" || (chars[i] === "]" && ranges.length === 0)) {
      throw new IgnoreRuleError("syntax error in pattern");
    }
    const low = one();
    let high = low;
    if (chars[i] === "-") {
      i++;
      high = one();
    }
    ranges.push([low, high]);
  }
  const inside = (c: string): boolean => ranges.some(([low, high]) => c >= low && c <= high);
  pieces.push({ star: false, fits: (c) => c !== "/" && inside(c) !== negated });
  return i;
}

/** Follows all ways through the pattern at once, so that no pattern is slow. */
function matchPieces(pieces: readonly Piece[], name: readonly string[]): boolean {
  let states = withSkippedStars(pieces, new Set([0]));
  for (const char of name) {
    const next = new Set<number>();
    for (const state of states) {
      const to = stateAfter(pieces[state], state, char);
      if (to !== undefined) next.add(to);
    }
    states = withSkippedStars(pieces, next);
    if (states.size === 0) return false;
  }
  return states.has(pieces.length);
}

/** Where a character leads from a place in the pattern; undefined when it does not fit. */
function stateAfter(piece: Piece | undefined, state: number, char: string): number | undefined {
  if (piece === undefined) return undefined;
  if (piece.star) return char === "/" ? undefined : state;
  return piece.fits(char) ? state + 1 : undefined;
}

/** A star may stand for nothing. */
function withSkippedStars(pieces: readonly Piece[], from: ReadonlySet<number>): ReadonlySet<number> {
  const out = new Set(from);
  for (const state of out) if (pieces[state]?.star === true) out.add(state + 1);
  return out;
}

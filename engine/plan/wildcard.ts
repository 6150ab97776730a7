/** Whether a path holds a wildcard of Go's `filepath.Match`: `*`, `?`, `[` or an escape. */
export function hasWildcard(path: string): boolean {
  return /[*?[\\]/.test(path);
}

/**
 * Whether one part of a path matches one part of a pattern: `*` any run, `?` one character, `[a-z]` and `[^a-z]` classes, `\` escapes.
 * A malformed pattern matches nothing.
 * @see Go's path/filepath, Match
 */
export function matchSegment(pattern: string, name: string): boolean {
  const expression = segmentExpression(pattern);
  return expression?.test(name) ?? false;
}

const compiled = new Map<string, RegExp | undefined>();

function segmentExpression(pattern: string): RegExp | undefined {
  if (!compiled.has(pattern)) {
    if (compiled.size > 1000) compiled.clear();
    compiled.set(pattern, compile(pattern));
  }
  return compiled.get(pattern);
}

function compile(pattern: string): RegExp | undefined {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? "";
    if (character === "*") source += "[^/]*";
    else if (character === "?") source += "[^/]";
    else if (character === "\\") {
      at++;
      if (at >= pattern.length) return undefined;
      source += quote(pattern[at] ?? "");
    } else if (character === "[") {
      const end = classEnd(pattern, at);
      if (end < 0) return undefined;
      source += classSource(pattern.slice(at + 1, end));
      at = end;
    } else source += quote(character);
  }
  try {
    return new RegExp(`^${source}$`, "s");
  } catch {
    return undefined;
  }
}

function classEnd(pattern: string, open: number): number {
  for (let at = pattern[open + 1] === "^" ? open + 3 : open + 2; at < pattern.length; at++) {
    if (pattern[at] === "]") return at;
    if (pattern[at] === "\\") at++;
  }
  return -1;
}

function classSource(inner: string): string {
  const negated = inner.startsWith("^");
  const members = (negated ? inner.slice(1) : inner).replace(/\\(.)/gs, "$1").replace(/[\\\]^[]/g, "\\$&");
  return `[${negated ? "^/" : ""}${members}]`;
}

function quote(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

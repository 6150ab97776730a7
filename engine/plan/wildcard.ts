import { type ByteString, textOfBytes } from "../byteString.ts";

/** Whether a path holds a wildcard of Go's `filepath.Match`: `*`, `?`, `[` or an escape. */
export function hasWildcard(path: string): boolean {
  return /[*?[\\]/.test(path);
}

/**
 * Whether one part of a path matches one part of a pattern: `*` any run, `?` one character, `[a-z]` and `[^a-z]` classes, `\` escapes.
 * Both are bytes, as names are; a character is what they mean as UTF-8. A malformed pattern matches nothing.
 * @see Go's path/filepath, Match
 */
export function matchSegment(pattern: string, name: string): boolean {
  const expression = segmentExpression(textOfBytes(pattern as ByteString));
  return expression?.test(textOfBytes(name as ByteString)) ?? false;
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
  for (let at = 0; at < pattern.length; ) {
    const piece = compileAt(pattern, at);
    if (piece === undefined) return undefined;
    source += piece.source;
    at = piece.next;
  }
  try {
    return new RegExp(`^${source}$`, "su");
  } catch {
    return undefined;
  }
}

/** One piece of the pattern as an expression, and where the next begins; undefined when it is malformed. */
function compileAt(pattern: string, at: number): { readonly source: string; readonly next: number } | undefined {
  const character = pattern[at] ?? "";
  switch (character) {
    case "*":
      return { source: "[^/]*", next: at + 1 };
    case "?":
      return { source: "[^/]", next: at + 1 };
    case "\\":
      return at + 1 < pattern.length ? { source: quote(pattern[at + 1] ?? ""), next: at + 2 } : undefined;
    case "[": {
      const end = classEnd(pattern, at);
      return end < 0 ? undefined : { source: classSource(pattern.slice(at + 1, end)), next: end + 1 };
    }
    default:
      return { source: quote(character), next: at + 1 };
  }
}

function classEnd(pattern: string, open: number): number {
  const first = pattern[open + 1] === "^" ? open + 2 : open + 1;
  for (let at = first; at < pattern.length; at++) {
    if (pattern[at] === "]") return at === first ? -1 : at;
    if (pattern[at] === "\\") at++;
  }
  return -1;
}

/** Members keep their escapes, which mean the same in a regular expression once every other character is safe in it. */
function classSource(inner: string): string {
  const negated = inner.startsWith("^");
  const members = (negated ? inner.slice(1) : inner).replace(/\\(.)|[[\]^]/gsu, (found, escaped: string | undefined) =>
    escaped === undefined ? `\\${found}` : escaped === "-" ? "\\-" : quote(escaped),
  );
  return `[${negated ? "^/" : ""}${members}]`;
}

function quote(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

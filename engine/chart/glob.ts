/** Glob patterns of `.Files.Glob`, turned into regular expressions of linear time. */

/**
 * The pattern as a Go regular expression: `*` and `?` stop at slashes, `**` does not, `[a-z]`, `[!a]`, `{a,b}`.
 * @returns undefined when the pattern is malformed
 * @see https://github.com/gobwas/glob
 */
export function globPattern(pattern: string): string | undefined {
  let out = "";
  let braces = 0;
  for (const [token] of pattern.matchAll(tokens)) {
    if (token === "[") return undefined;
    out += regexOf(token, braces > 0);
    if (token === "{") braces++;
    else if (token === "}") braces = Math.max(braces - 1, 0);
  }
  return braces > 0 ? undefined : `(?s)^(?:${out})$`;
}

/** Stars, a class, an escaped character, or any other character. */
const tokens = /\*+|\[.[^\]]*\]|\\.|./gsu;

function regexOf(token: string, inBraces: boolean): string {
  switch (token.charAt(0)) {
    case "*":
      return token.length > 1 ? ".*" : "[^/]*";
    case "?":
      return "[^/]";
    case "[":
      return classPattern(token.slice(1, -1));
    case "{":
      return "(?:";
    case "}":
      return inBraces ? ")" : "\\}";
    case ",":
      return inBraces ? "|" : ",";
    case "\\":
      return escaped(token.slice(1) || "\\");
    default:
      return escaped(token);
  }
}

function classPattern(body: string): string {
  const negated = body.startsWith("!") || body.startsWith("^");
  const members = (negated ? body.slice(1) : body).replace(/[\\\][^]/g, "\\$&");
  return `[${negated ? "^" : ""}${members}]`;
}

function escaped(char: string): string {
  return char.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

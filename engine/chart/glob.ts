/** Glob patterns of `.Files.Glob`, turned into regular expressions of linear time. */

/**
 * The pattern as a Go regular expression: `*` and `?` stop at slashes, `**` does not, `[a-z]`, `[!a]`, `{a,b}`.
 * @returns undefined when the pattern is malformed
 * @see https://github.com/gobwas/glob
 */
export function globPattern(pattern: string): string | undefined {
  const chars = Array.from(pattern);
  let out = "";
  let braces = 0;
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? "";
    switch (char) {
      case "*": {
        const isDeep = chars[i + 1] === "*";
        while (chars[i + 1] === "*") i++;
        out += isDeep ? ".*" : "[^/]*";
        break;
      }
      case "?":
        out += "[^/]";
        break;
      case "[": {
        const close = chars.indexOf("]", i + 2);
        if (close < 0) return undefined;
        out += classPattern(chars.slice(i + 1, close).join(""));
        i = close;
        break;
      }
      case "{":
        braces++;
        out += "(?:";
        break;
      case "}":
        out += braces > 0 ? ")" : "\\}";
        braces = Math.max(braces - 1, 0);
        break;
      case ",":
        out += braces > 0 ? "|" : ",";
        break;
      case "\\":
        i++;
        out += escaped(chars[i] ?? "\\");
        break;
      default:
        out += escaped(char);
    }
  }
  return braces > 0 ? undefined : `(?s)^(?:${out})$`;
}

function classPattern(body: string): string {
  const negated = body.startsWith("!") || body.startsWith("^");
  const members = (negated ? body.slice(1) : body).replace(/[\\\][^]/g, "\\$&");
  return `[${negated ? "^" : ""}${members}]`;
}

function escaped(char: string): string {
  return char.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

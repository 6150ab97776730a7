/** One line of an ignore file. */
export interface IgnoreRule {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** As written, without blanks around it. */
  readonly pattern: string;
  /** `!pattern`: takes back what a line above ignores. */
  readonly negated: boolean;
  readonly matches: (path: string) => boolean;
}

export interface IgnoreRules {
  readonly file: string;
  readonly rules: readonly IgnoreRule[];
  /** Lines that are no pattern; a builder refuses the file because of them. */
  readonly invalid: readonly { readonly line: number; readonly pattern: string }[];
  /** Some rule is negated: below an ignored folder there may be files that are not. */
  readonly negations: boolean;
}

/** Whether a path is ignored, and the rule that decided it; no rule when none speaks of the path. */
export interface IgnoreMatch {
  readonly ignored: boolean;
  readonly rule: IgnoreRule | undefined;
}

/**
 * Reads a `.kubefileignore`, `.containerignore` or `.dockerignore`. `file` is its name, to be shown to the user.
 * @see moby/patternmatcher `ignorefile.ReadAll` and `patternmatcher.New`
 */
export function parseIgnore(text: string, file: string): IgnoreRules {
  const rules: IgnoreRule[] = [];
  const invalid: { line: number; pattern: string }[] = [];
  const lines = (text.startsWith("\ufeff") ? text.slice(1) : text).split("\n");
  for (const [index, content] of lines.entries()) {
    const pattern = content.trim();
    if (content.startsWith("#") || pattern === "") continue;
    const negated = pattern.startsWith("!");
    const cleaned = cleanPattern(negated ? pattern.slice(1).trim() : pattern);
    const matches = cleaned === "" ? undefined : compile(cleaned);
    if (matches === undefined) invalid.push({ line: index + 1, pattern });
    else rules.push({ file, line: index + 1, pattern, negated, matches });
  }
  return { file, rules, invalid, negations: rules.some((rule) => rule.negated) };
}

/**
 * Says whether `path` is left out of the build context. The path is relative to the context, with slashes, without `.` and
 * `..`. A rule that matches a folder matches all below it; the last rule that matches decides.
 * @see moby/patternmatcher `MatchesOrParentMatches`
 */
export function matchIgnore(rules: IgnoreRules, path: string): IgnoreMatch {
  const candidates = withParents(path);
  let ignored = false;
  let rule: IgnoreRule | undefined;
  for (const candidate of rules.rules) {
    if (candidate.negated !== ignored) continue;
    if (!candidates.some((name) => candidate.matches(name))) continue;
    ignored = !candidate.negated;
    rule = candidate;
  }
  return { ignored, rule };
}

/** `a/b/c` → `a/b/c`, `a`, `a/b`. */
function withParents(path: string): string[] {
  const names = [path];
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) names.push(path.slice(0, at));
  return names.filter((name) => name !== "");
}

/** Go's `filepath.Clean`, and no slash in front. */
function cleanPattern(pattern: string): string {
  if (pattern === "") return "";
  const rooted = pattern.startsWith("/");
  const kept: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!rooted) kept.push(part);
  }
  const joined = kept.join("/");
  if (joined === "") return rooted ? "/" : ".";
  return joined;
}

/** One character of a file name, also one outside of the basic plane. */
const oneCharacter = "(?:[\\ud800-\\udbff][\\udc00-\\udfff]|[^/])";

interface Compiled {
  kind: "exact" | "prefix" | "suffix" | "expression";
  source: string;
}

/** The test of one pattern, or `undefined` when it is malformed. @see moby/patternmatcher `Pattern.compile` */
function compile(pattern: string): ((path: string) => boolean) | undefined {
  if (!isWellFormed(pattern)) return undefined;
  const compiled: Compiled = { kind: "exact", source: "^" };
  for (let at = 0; at < pattern.length; ) at = compileAt(pattern, at, compiled);
  switch (compiled.kind) {
    case "exact":
      return (path) => path === pattern;
    case "prefix": {
      const prefix = pattern.slice(0, -2);
      return (path) => path.startsWith(prefix);
    }
    case "suffix": {
      const suffix = pattern.slice(2);
      return (path) => path.endsWith(suffix) || (suffix.startsWith("/") && path === suffix.slice(1));
    }
    case "expression":
      return expression(`${compiled.source}$`);
    default:
      return compiled.kind satisfies never;
  }
}

function expression(source: string): ((path: string) => boolean) | undefined {
  try {
    const compiled = new RegExp(source);
    return (path) => compiled.test(path);
  } catch {
    return undefined;
  }
}

/** Adds the piece of the pattern at `at`; gives where the next one begins. */
function compileAt(pattern: string, at: number, compiled: Compiled): number {
  const character = pattern[at] ?? "";
  if (character === "*" && pattern[at + 1] === "*") return compileDoubleStar(pattern, at, compiled);
  if (character === "*") {
    compiled.source += "[^/]*";
    compiled.kind = "expression";
  } else if (character === "?") {
    compiled.source += oneCharacter;
    compiled.kind = "expression";
  } else if (".+()|{}$".includes(character)) {
    compiled.source += `\\${character}`;
  } else if (character === "\\") {
    compiled.source += `\\${pattern[at + 1] ?? ""}`;
    compiled.kind = "expression";
    return at + 2;
  } else {
    compiled.source += character;
    if (character === "[" || character === "]") compiled.kind = "expression";
  }
  return at + 1;
}

function compileDoubleStar(pattern: string, at: number, compiled: Compiled): number {
  const next = pattern[at + 2] === "/" ? at + 3 : at + 2;
  if (next < pattern.length) {
    compiled.source += "(.*/)?";
    compiled.kind = "expression";
  } else if (compiled.kind === "exact") {
    compiled.kind = "prefix";
  } else {
    compiled.source += ".*";
    compiled.kind = "expression";
  }
  if (at === 0) compiled.kind = "suffix";
  return next;
}

/** Go's `filepath.Match` accepts the pattern: brackets are closed and hold ranges, and no backslash stands at the end. */
function isWellFormed(pattern: string): boolean {
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === "\\") {
      at++;
      if (at >= pattern.length) return false;
    } else if (pattern[at] === "[") {
      at = bracketEnd(pattern, at);
      if (at < 0) return false;
    }
  }
  return true;
}

/** Where the `]` stands that closes the class at `from`, or -1. */
function bracketEnd(pattern: string, from: number): number {
  let at = from + 1;
  if (pattern[at] === "^") at++;
  for (let members = 0; at < pattern.length; members++) {
    if (pattern[at] === "]" && members > 0) return at;
    at = memberEnd(pattern, at);
    if (at >= 0 && pattern[at] === "-") at = memberEnd(pattern, at + 1);
    if (at < 0) return -1;
  }
  return -1;
}

function memberEnd(pattern: string, at: number): number {
  const character = pattern[at];
  if (character === undefined || character === "-" || character === "]" || character === "/") return -1;
  const end = character === "\\" ? at + 2 : at + 1;
  return end < pattern.length ? end : -1;
}

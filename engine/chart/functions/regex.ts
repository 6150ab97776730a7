/** Sprig's regex functions: Go's syntax, linear time. */

import { nilList, stringList, type Value } from "../go/value.ts";
import { GoRegex, type Spend } from "../regexp/match.ts";
import { RegexSyntaxError } from "../regexp/syntax.ts";
import { GoError } from "../template/failure.ts";
import { type FunctionHost, type FunctionTable, fn } from "./define.ts";

/** Patterns of a chart repeat; a few compiled ones are kept. */
const compiled = new Map<string, GoRegex>();
const mostCompiled = 200;

/** A compiled pattern. @throws RegexSyntaxError */
export function goRegex(pattern: string): GoRegex {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const regex = new GoRegex(pattern);
  if (compiled.size >= mostCompiled) compiled.clear();
  compiled.set(pattern, regex);
  return regex;
}

function compile(pattern: string, panics: boolean): GoRegex {
  try {
    return goRegex(pattern);
  } catch (error) {
    if (!(error instanceof RegexSyntaxError)) throw error;
    throw new GoError(panics ? `regexp: Compile(${goQuote(pattern)}): ${error.message}` : error.message);
  }
}

function goQuote(pattern: string): string {
  return pattern.includes("`") ? JSON.stringify(pattern) : `\`${pattern}\``;
}

function spendOf(host: FunctionHost): Spend {
  return (steps) => host.meter.spend(steps);
}

function matches(pattern: string, text: string, host: FunctionHost): boolean {
  return compile(pattern, false).find(text, 0, spendOf(host)) !== undefined;
}

function findAll(regex: GoRegex, text: string, count: number, host: FunctionHost): Value {
  const found = regex.findAll(text, count, spendOf(host));
  return found.length === 0 ? nilList("[]string") : stringList(found.map(([start, end]) => text.slice(start, end)));
}

function findFirst(regex: GoRegex, text: string, host: FunctionHost): string {
  const found = regex.find(text, 0, spendOf(host));
  return found === undefined ? "" : text.slice(found[0], found[1]);
}

/** `Regexp.Split`: a limit keeps the rest in the last part. */
function split(regex: GoRegex, pattern: string, text: string, count: number, host: FunctionHost): Value {
  if (count === 0) return nilList("[]string");
  if (pattern !== "" && text === "") return stringList([""]);
  const parts: string[] = [];
  let from = 0;
  let end = 0;
  for (const [start = 0, stop = 0] of regex.findAll(text, count, spendOf(host))) {
    if (count > 0 && parts.length === count - 1) break;
    end = start;
    if (stop !== 0) parts.push(text.slice(from, end));
    from = stop;
  }
  if (end !== text.length) parts.push(text.slice(from));
  return stringList(parts);
}

function replaceAll(
  regex: GoRegex,
  text: string,
  host: FunctionHost,
  replacement: (captures: readonly number[]) => string,
): string {
  let out = "";
  let from = 0;
  for (const captures of regex.findAll(text, -1, spendOf(host))) {
    const [start = 0, end = 0] = captures;
    out += text.slice(from, start) + replacement(captures);
    host.meter.room(out.length);
    from = end;
  }
  return out + text.slice(from);
}

/** `Regexp.Expand`: `$1`, `${name}`, `$$`. */
function expand(template: string, text: string, captures: readonly number[], regex: GoRegex): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|([\p{L}\p{Nd}_]+))/gu, (whole, braced?: string, bare?: string) => {
    if (whole === "$$") return "$";
    const name = braced ?? bare ?? "";
    const index = /^(?:0|[1-9]\d*)$/.test(name) ? Number(name) : regex.groupNames.indexOf(name);
    const start = captures[index * 2];
    const end = captures[index * 2 + 1];
    return index < 0 || start === undefined || start < 0 ? "" : text.slice(start, end);
  });
}

const find = (panics: boolean): ReturnType<typeof fn> => {
  return fn(["string", "string"], ([pattern, text], host) => findFirst(compile(pattern, panics), text, host));
};
const all = (panics: boolean): ReturnType<typeof fn> => {
  return fn(["string", "string", "int"], ([pattern, text, count], host) => {
    return findAll(compile(pattern, panics), text, count, host);
  });
};
const splits = (panics: boolean): ReturnType<typeof fn> => {
  return fn(["string", "string", "int"], ([pattern, text, count], host) => {
    return split(compile(pattern, panics), pattern, text, count, host);
  });
};
const replace = (panics: boolean): ReturnType<typeof fn> => {
  return fn(["string", "string", "string"], ([pattern, text, template], host) => {
    const regex = compile(pattern, panics);
    return replaceAll(regex, text, host, (captures) => expand(template, text, captures, regex));
  });
};
const literal = (panics: boolean): ReturnType<typeof fn> => {
  return fn(["string", "string", "string"], ([pattern, text, replacement], host) => {
    return replaceAll(compile(pattern, panics), text, host, () => replacement);
  });
};

export const regexFunctions: FunctionTable = {
  regexMatch: fn(["string", "string"], ([pattern, text], host) => {
    try {
      return matches(pattern, text, host);
    } catch (error) {
      if (error instanceof GoError) return false;
      throw error;
    }
  }),
  mustRegexMatch: fn(["string", "string"], ([pattern, text], host) => matches(pattern, text, host)),
  regexFind: find(true),
  mustRegexFind: find(false),
  regexFindAll: all(true),
  mustRegexFindAll: all(false),
  regexSplit: splits(true),
  mustRegexSplit: splits(false),
  regexReplaceAll: replace(true),
  mustRegexReplaceAll: replace(false),
  regexReplaceAllLiteral: literal(true),
  mustRegexReplaceAllLiteral: literal(false),
  regexQuoteMeta: fn(["string"], ([text]) => text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&")),
};

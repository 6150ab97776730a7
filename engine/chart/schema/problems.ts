/** What a JSON Schema validation found, in the words of the library Helm uses. */

import { formatFloat } from "../go/floats.ts";
import { sprint } from "../go/format.ts";
import { quote } from "../go/quote.ts";
import { isList, type Value } from "../go/value.ts";

/** One violation; those below it say why. A `group` has no words of its own. */
export interface SchemaProblem {
  readonly kind: "problem" | "group" | "reference";
  readonly at: readonly string[];
  readonly words: string;
  readonly causes: readonly SchemaProblem[];
}

export function problem(at: readonly string[], words: string, causes: readonly SchemaProblem[] = []): SchemaProblem {
  return { kind: "problem", at, words, causes };
}

/** Text in single quotes. */
export function quoted(text: string): string {
  return `'${quote(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** A value as messages show it. */
export function shown(value: Value): string {
  if (typeof value === "string") return quoted(value);
  return value instanceof Map || isList(value) ? "value" : sprint(value);
}

/** A number as the library's printer shows it: grouped, or with a power of ten when it is long. */
export function decimal(value: number): string {
  const [mantissa = "", exponent] = formatFloat(value, "g", -1).split("e");
  if (exponent === undefined) return grouped(value);
  const power = exponent.replace(/[+]/, "").replace("-", "\u207b");
  return `${mantissa}\u00d710${power.replace(/\d/g, (digit) => superscripts[Number(digit)] ?? "")}`;
}

const superscripts = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

/** A number with the thousands separators the library's printer adds. */
export function grouped(value: number): string {
  const text = formatFloat(value, Math.abs(value) >= 1e21 ? "g" : "f", -1);
  const [whole = "", fraction] = text.split(".");
  const separated = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? separated : `${separated}.${fraction}`;
}

/** All problems as an indented list, one per line. */
export function printProblems(problems: readonly SchemaProblem[]): string {
  const lines: string[] = [];
  const print = (item: SchemaProblem, indent: number): void => {
    const isSkipped = item.kind === "reference" && item.causes.length === 1;
    if (!isSkipped) {
      const pointer = item.at.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
      lines.push(`${"  ".repeat(indent)}- at ${quoted(pointer)}: ${item.words}`);
    }
    for (const cause of item.causes) print(cause, isSkipped ? indent : indent + 1);
  };
  for (const item of problems) print(item, 0);
  return lines.join("\n");
}

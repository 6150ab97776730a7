import { type IgnoreMatch, type IgnoreRules, matchIgnore, parseIgnore } from "../kubefile/ignore.ts";
import type { IgnoreText } from "./buildContext.ts";

let latest: { readonly text: string; readonly rules: IgnoreRules } | undefined;

/** The rules of an ignore file, parsed once for each text. */
export function ignoreRules(file: IgnoreText): IgnoreRules {
  if (latest?.text !== file.text || latest.rules.file !== file.name)
    latest = { text: file.text, rules: parseIgnore(file.text, file.name) };
  return latest.rules;
}

/**
 * Whether the ignore file keeps a path out of the build. A folder only counts as kept out when no rule takes back anything
 * below it.
 */
export function keptOut(file: IgnoreText | undefined, path: string, folder: boolean): IgnoreMatch | undefined {
  if (file === undefined) return undefined;
  const rules = ignoreRules(file);
  const match = matchIgnore(rules, path);
  return match.ignored && !(folder && takesBackBelow(rules, path)) ? match : undefined;
}

/** Some rule may take back what lies below a folder. */
function takesBackBelow({ rules }: IgnoreRules, folder: string): boolean {
  return rules.some((rule) => {
    if (!rule.negated) return false;
    const pattern = rule.pattern.slice(1).trim().replace(/^\/+/u, "");
    const plain = /^[^*?[\\]*/u.exec(pattern)?.[0] ?? "";
    const below = `${folder}/`;
    return plain.startsWith(below) || (plain.length < pattern.length && below.startsWith(plain));
  });
}

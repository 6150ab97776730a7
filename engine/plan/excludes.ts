import { matchIgnore, parseIgnore } from "../../kubefile/ignore.ts";
import { type ByteString, textOfBytes } from "../byteString.ts";

/** `COPY --exclude`: which paths below a source are left out. */
export interface ExcludeRules {
  excludes(path: ByteString): boolean;
}

export const noExcludes: ExcludeRules = { excludes: () => false };

/** Rules from the values of `--exclude`, which follow the grammar of ignore files. */
export function excludeRules(patterns: readonly string[]): ExcludeRules {
  if (patterns.length === 0) return noExcludes;
  const rules = parseIgnore(patterns.join("\n"), "--exclude");
  return { excludes: (path) => matchIgnore(rules, textOfBytes(path)).ignored };
}

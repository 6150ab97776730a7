import type { CheckContext } from "../../kubefile/check/context.ts";
import { matchIgnore, parseIgnore } from "../../kubefile/ignore.ts";

/** A build context that exists only as a list of paths. */
export interface PretendContext {
  readonly files?: readonly string[];
  readonly ignore?: string;
  readonly baseApps?: Readonly<Record<string, readonly string[]>>;
  readonly platforms?: readonly string[];
  readonly targetPlatform?: string;
}

/** A stand-in for the facts that server and command line collect from disk. */
export function pretend(facts: PretendContext): CheckContext {
  const files = facts.files ?? [];
  const rules = parseIgnore(facts.ignore ?? "", ".dockerignore");
  const below = (path: string): string[] =>
    files.filter((file) => file.startsWith(`${path}/`)).map((file) => file.slice(path.length + 1));
  const kindOf = (path: string): "file" | "directory" | undefined =>
    files.includes(path) ? "file" : below(path).length > 0 ? "directory" : undefined;
  return {
    kindOf,
    glob(pattern) {
      if (!/[*?[]/.test(pattern)) return kindOf(pattern) === undefined ? [] : [pattern];
      const source = pattern
        .replace(/[.+^${}()|\\]/g, "\\$&")
        .replace(/\*/g, "[^/]*")
        .replace(/\?/g, "[^/]");
      return files.filter((file) => new RegExp(`^${source}$`).test(file));
    },
    ignoredBy(path) {
      const match = matchIgnore(rules, path);
      return match.ignored && match.rule !== undefined ? match.rule : undefined;
    },
    files: below,
    children: (path) => [...new Set(below(path).map((file) => file.split("/")[0] ?? ""))],
    baseApps: (image) => facts.baseApps?.[image],
    platforms: () => facts.platforms,
    ...(facts.targetPlatform === undefined ? {} : { targetPlatform: facts.targetPlatform }),
  };
}

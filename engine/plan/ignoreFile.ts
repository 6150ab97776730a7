import { readFileSync } from "node:fs";
import path from "node:path";
import { matchIgnore, parseIgnore } from "../../kubefile/ignore.ts";
import { type ByteString, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";

/** Whether a path of the context is hidden from the Kubefile, and by which line. */
export interface IgnoreVerdict {
  readonly hidden: boolean;
  /** For a hidden directory: a later rule could show something inside. */
  readonly mayShowBelow: boolean;
  readonly rule: { readonly file: string; readonly line: number; readonly text: string } | undefined;
}

/** The rules of one ignore file, or of none. */
export interface IgnoreRules {
  /** Name of the file the rules come from; undefined when there is none. */
  readonly file: string | undefined;
  /** True when no path can be hidden. */
  readonly hidesNothing: boolean;
  verdict(path: ByteString): IgnoreVerdict;
}

/** Looked for in this order at the root of the context; the first that exists counts, alone. */
export const ignoreFileNames: readonly string[] = [".kubefileignore", ".containerignore", ".dockerignore"];

const shown: IgnoreVerdict = { hidden: false, mayShowBelow: false, rule: undefined };

export const noIgnoreRules: IgnoreRules = { file: undefined, hidesNothing: true, verdict: () => shown };

/** Rules from the text of an ignore file; `file` is its name. Throws `IGNORE_FILE_INVALID` for a line that is no pattern. */
export function ignoreRules(text: string, file: string): IgnoreRules {
  const rules = parseIgnore(text, file);
  const [invalid] = rules.invalid;
  if (invalid !== undefined) {
    throw new EngineError("IGNORE_FILE_INVALID", { file, line: invalid.line, pattern: invalid.pattern });
  }
  if (rules.rules.length === 0) return { ...noIgnoreRules, file };
  return {
    file,
    hidesNothing: false,
    verdict(at) {
      if (at === "") return shown;
      const match = matchIgnore(rules, textOfBytes(at));
      if (!match.ignored) return shown;
      const rule = match.rule;
      return {
        hidden: true,
        mayShowBelow: rules.negations,
        rule: rule === undefined ? undefined : { file: rule.file, line: rule.line, text: rule.pattern },
      };
    },
  };
}

/** The rules that hold in a context: those of the first ignore file that exists at its root. */
export function readIgnoreRules(root: string): IgnoreRules {
  for (const name of ignoreFileNames) {
    const text = readIfThere(path.join(root, name), name);
    if (text !== undefined) return ignoreRules(text, name);
  }
  return noIgnoreRules;
}

function readIfThere(file: string, name: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new EngineError("CONTEXT_UNREADABLE", { path: name, reason: code }, { cause: error });
  }
}

import { EngineError } from "../errors.ts";
import type { CustomRule } from "./customResources.ts";
import { child, itemsOf, parseDocuments, type Tree, textOf } from "./tree.ts";

/**
 * Reads a user's rules for custom resources:
 *
 *     rules:
 *       - group: example.com
 *         kind: Database            # or "*"
 *         path: spec.nodes.*        # keys; * is any key or any item
 *         image: image              # the key whose value is a whole reference
 *       - group: example.com
 *         kind: Cache
 *         path: spec
 *         repository: repo          # or a name put together from keys beside each other
 *         tag: version
 *         registry: hub
 *
 * Throws `DISCOVERY_RULES_INVALID` with the line.
 */
export function parseRules(text: string, file: string): readonly CustomRule[] {
  const [document] = parseDocuments(text);
  const problem = document?.problems[0];
  if (problem !== undefined) throw invalid(file, problem.line, problem.message);
  const rules = child(document?.tree, "rules");
  if (rules?.kind !== "seq") throw invalid(file, document?.tree?.line ?? 1, "it needs a list under the key rules");
  return itemsOf(rules).map((item) => readRule(item, file));
}

function readRule(item: Tree, file: string): CustomRule {
  const needed = (key: string): string => {
    const value = textOf(child(item, key));
    if (value === undefined) throw invalid(file, item.line, `the rule has no ${key}`);
    return value;
  };
  const base = { group: needed("group"), kind: needed("kind"), path: needed("path") };
  const image = textOf(child(item, "image"));
  if (image !== undefined) return { ...base, take: { image } };
  const registry = textOf(child(item, "registry"));
  const tagIn = textOf(child(item, "tagIn"));
  return {
    ...base,
    take: {
      repository: needed("repository"),
      tag: needed("tag"),
      ...(registry === undefined ? {} : { registry }),
      ...(tagIn === undefined ? {} : { tagIn }),
    },
  };
}

function invalid(file: string, line: number, reason: string): EngineError {
  return new EngineError("DISCOVERY_RULES_INVALID", { path: file, line, reason });
}

import type { Kubefile } from "../../kubefile/syntax.ts";
import { platformArgs, proxyArgs, scopeAt } from "../../kubefile/variables.ts";
import type { VariableCursor } from "../cursor.ts";
import { type Suggestion, suggestionKinds } from "./suggestion.ts";

/** Variables that the instruction may read, with their values, then those the builder knows. */
export function variables(kubefile: Kubefile, cursor: VariableCursor): Suggestion[] {
  const scope = scopeAt(kubefile, cursor.span.start);
  const close = cursor.close ? "}" : "";
  const items: Suggestion[] = [...scope.values()].reverse().map((binding) => ({
    label: binding.name,
    kind: suggestionKinds.variable,
    text: `${binding.name}${close}`,
    detail: binding.value === undefined ? binding.origin : `${binding.origin}: ${binding.value}`,
    group: 1,
  }));
  const builders = builderNames(cursor).filter((name) => !scope.has(name));
  for (const name of builders)
    items.push({
      label: name,
      kind: suggestionKinds.variable,
      text: `${name}${close}`,
      detail: "set by the builder",
      group: 3,
    });
  return items;
}

/** sealer sets ARCH in the source of COPY; platforms are known to FROM; proxies everywhere. */
function builderNames(cursor: VariableCursor): readonly string[] {
  switch (cursor.instruction.kind) {
    case "FROM":
      return platformArgs;
    case "COPY":
      return ["ARCH", ...proxyArgs];
    default:
      return proxyArgs;
  }
}

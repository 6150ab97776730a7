import type { Instruction, Kubefile } from "../../kubefile/syntax.ts";
import { placedInstructions, shifted } from "../locate.ts";
import { definitionsOf, type Named, namesOf } from "../names.ts";
import type { World } from "../world.ts";
import { type Suggestion, suggestionKinds } from "./suggestion.ts";

/** Stages above an instruction, the nearest first; those without a name by their number. */
export function stageSuggestions(kubefile: Kubefile, before: Instruction): Suggestion[] {
  const found: Suggestion[] = [];
  let number = 0;
  let own: number | undefined;
  for (const { node, shift } of placedInstructions(kubefile)) {
    if (node.kind !== "FROM") continue;
    if (shifted(node.span, shift).start >= before.span.start) break;
    const name = node.stageName?.value;
    own = number;
    found.unshift({
      label: name ?? String(number),
      kind: suggestionKinds.stage,
      detail: `stage ${number}: FROM ${node.image?.value ?? ""}`,
      group: 1,
    });
    number++;
  }
  // COPY --from=<its own stage> is a cycle; FROM stands outside of every stage above.
  if (before.kind !== "FROM" && own !== undefined) found.shift();
  return found;
}

/** Applications declared in the file, in order, then those of base images that are known. */
export function appSuggestions(kubefile: Kubefile, world: World, exclude: ReadonlySet<string>): Suggestion[] {
  const declared = namesOf(kubefile).all.filter((named) => named.kind === "app" && definitionsOf(named).length > 0);
  const names = new Set(declared.map((named) => named.name));
  const items: Suggestion[] = declared.map((named) => ({
    label: named.name,
    kind: suggestionKinds.app,
    detail: declaredBy(kubefile, named),
    group: 1,
  }));
  for (const { node } of placedInstructions(kubefile)) {
    const image = node.kind === "FROM" ? node.image?.value : undefined;
    if (image === undefined) continue;
    for (const app of world.images.knownFacts(image)?.apps ?? []) {
      if (names.has(app.name)) continue;
      names.add(app.name);
      items.push({ label: app.name, kind: suggestionKinds.app, detail: `from ${image}`, group: 2 });
    }
  }
  return items.filter((item) => !exclude.has(item.label));
}

function declaredBy(kubefile: Kubefile, named: Named): string {
  const definition = definitionsOf(named).at(-1);
  const item = definition === undefined ? undefined : kubefile.items[definition.item];
  return item?.kind === "instruction" ? (item.node.rest?.text ?? "") : "";
}

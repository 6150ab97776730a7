import type { CodeLens, Command } from "vscode-languageserver";
import type { OpenKubefile } from "../documents.ts";
import type { Placed } from "../locate.ts";
import { placedInstructions, shifted } from "../locate.ts";
import { definitionsOf, namesOf } from "../names.ts";
import { rangeOf } from "../ranges.ts";

/** Commands of the client that lenses may run, in the order they are shown on FROM. */
const onFrom: readonly { readonly command: string; readonly title: string }[] = [
  { command: "kubefile.buildImage", title: "Build" },
  { command: "kubefile.runImage", title: "Run" },
  { command: "kubefile.saveImage", title: "Save" },
];

/** Shows references, where the client has a command for it; else the lens only informs. */
const showReferences = "kubefile.showReferences";

/**
 * Build, Run and Save on the FROM of the last stage, the one an image is made of; the number of uses on each application.
 * Only commands in `commands` are offered.
 */
export function codeLenses(document: OpenKubefile, commands: readonly string[]): CodeLens[] {
  const { tree, lines } = document;
  const placed = placedInstructions(tree);
  const last = placed.findLast(({ node }) => node.kind === "FROM");
  const lenses: CodeLens[] = [];
  if (last !== undefined) {
    const range = rangeOf(lines, shifted(last.node.keyword.span, last.shift));
    for (const { command, title } of onFrom) {
      if (commands.includes(command)) lenses.push({ range, command: { title, command, arguments: [document.uri] } });
    }
  }
  return [...lenses, ...appLenses(document, placed, commands)];
}

function appLenses(document: OpenKubefile, placed: readonly Placed[], commands: readonly string[]): CodeLens[] {
  const byItem = new Map(placed.map((instruction) => [instruction.index, instruction]));
  const lenses: CodeLens[] = [];
  for (const named of namesOf(document.tree).all) {
    if (named.kind !== "app") continue;
    const uses = named.occurrences.filter((occurrence) => occurrence.role === "use");
    const launched = uses.some((use) => byItem.get(use.item)?.node.kind === "LAUNCH");
    for (const definition of definitionsOf(named)) {
      const range = rangeOf(document.lines, definition.span);
      const title = `${launched ? "launched" : "not launched"} · ${countOf(uses.length, "use")}`;
      const command: Command = commands.includes(showReferences)
        ? {
            title,
            command: showReferences,
            arguments: [
              document.uri,
              range.start,
              uses.map((use) => ({ uri: document.uri, range: rangeOf(document.lines, use.span) })),
            ],
          }
        : { title, command: "" };
      lenses.push({ range, command });
    }
  }
  return lenses;
}

/** `1 use`, `2 uses`. */
function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

import type { CompletionItem } from "vscode-languageserver";
import { directives, instructionInfo } from "../../kubefile/instructions.ts";
import { contentOf, directiveHelp, flagHelp, type HoverOptions, instructionHelp } from "../hover/hoverText.ts";
import { imageMarkdown } from "../hover/image.ts";
import type { World } from "../world.ts";

const patienceMs = 1000;

/** Fills in the documentation of one completion item, when the editor shows it. */
export async function resolveCompletion(
  item: CompletionItem,
  world: World,
  options: HoverOptions,
): Promise<CompletionItem> {
  const markdown = typeof item.data === "string" ? await helpFor(item.data, world) : undefined;
  return markdown === undefined ? item : { ...item, documentation: contentOf(markdown, options) };
}

/** `kind:name`, as suggestions carry it in `help`. */
async function helpFor(key: string, world: World): Promise<string | undefined> {
  const colon = key.indexOf(":");
  const name = key.slice(colon + 1);
  switch (key.slice(0, colon)) {
    case "instruction": {
      const info = instructionInfo(name);
      return info === undefined ? undefined : instructionHelp(info);
    }
    case "flag": {
      const [instruction = "", flag = ""] = name.split(":");
      const info = instructionInfo(instruction);
      const row = info?.flags.find((candidate) => candidate.name === flag);
      return info === undefined || row === undefined ? undefined : flagHelp(info, row);
    }
    case "directive": {
      const row = directives.find((candidate) => candidate.name === name);
      return row === undefined ? undefined : directiveHelp(row);
    }
    case "image": {
      const facts = await world.images.facts(name, patienceMs);
      return facts === undefined ? undefined : imageMarkdown(facts);
    }
    default:
      return undefined;
  }
}

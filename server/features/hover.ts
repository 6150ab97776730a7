import type { Hover } from "vscode-languageserver";
import { directives, type InstructionInfo, instructionInfo } from "../../kubefile/instructions.ts";
import type { Instruction } from "../../kubefile/syntax.ts";
import type { OpenKubefile } from "../documents.ts";
import { appHover } from "../hover/app.ts";
import {
  contentOf,
  directiveHelp,
  flagHelp,
  type HoverOptions,
  type HoverText,
  instructionHelp,
} from "../hover/hoverText.ts";
import { imageHover } from "../hover/image.ts";
import { variableHover } from "../hover/variable.ts";
import { innermost, instructionUnder } from "../locate.ts";
import { namesOf } from "../names.ts";
import { rangeOf, touches } from "../ranges.ts";
import type { World } from "../world.ts";

/** What is known of the thing at `offset`. Facts that are not known within a moment are left out. */
export async function hover(
  document: OpenKubefile,
  offset: number,
  world: World,
  options: HoverOptions,
  signal: AbortSignal,
): Promise<Hover | null> {
  const text = documentationAt(document, offset) ?? (await factsAt(document, offset, world, signal));
  if (text === undefined) return null;
  return { range: rangeOf(document.lines, text.span), contents: contentOf(text.markdown, options) };
}

/** Hovers that the text alone gives. */
function documentationAt(document: OpenKubefile, offset: number): HoverText | undefined {
  const { tree } = document;
  const outer = instructionUnder(tree, offset);
  if (outer === undefined) return directiveHover(document, offset);
  const instruction = innermost(outer, offset);
  const info = instructionInfo(instruction.keyword.text);
  if (info !== undefined && touches(instruction.keyword.span, offset))
    return { span: instruction.keyword.span, markdown: instructionHelp(info) };
  return variableHover(tree, outer, offset) ?? flagHover(instruction, info, offset);
}

async function factsAt(
  document: OpenKubefile,
  offset: number,
  world: World,
  signal: AbortSignal,
): Promise<HoverText | undefined> {
  const outer = instructionUnder(document.tree, offset);
  if (outer === undefined) return undefined;
  const found = namesOf(document.tree).at(offset);
  if (found?.named.kind === "app") return appHover(document, found.named, found.occurrence.span, world, signal);
  return imageHover(document, innermost(outer, offset), offset, world);
}

function flagHover(instruction: Instruction, info: InstructionInfo | undefined, offset: number): HoverText | undefined {
  const flag = instruction.flags.find((candidate) => touches(candidate.span, offset));
  const known = info?.flags.find((candidate) => candidate.name === flag?.name.value);
  if (info === undefined || flag === undefined || known === undefined) return undefined;
  // The value of --from is a stage or an image, which has a hover of its own.
  if (known.name === "from" && flag.value !== undefined && touches(flag.value.span, offset)) return undefined;
  return { span: flag.span, markdown: flagHelp(info, known) };
}

function directiveHover(document: OpenKubefile, offset: number): HoverText | undefined {
  const directive = document.tree.directives.find((candidate) => touches(candidate.span, offset));
  const info = directives.find((candidate) => candidate.name === directive?.name.value);
  return directive === undefined || info === undefined
    ? undefined
    : { span: directive.span, markdown: directiveHelp(info) };
}

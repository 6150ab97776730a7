import { type InlayHint, InlayHintKind } from "vscode-languageserver";
import { instructionInfo } from "../../kubefile/instructions.ts";
import { instructionOf } from "../../kubefile/parse.ts";
import type { Span } from "../../kubefile/span.ts";
import type { Instruction, Word } from "../../kubefile/syntax.ts";
import { ScopeWalk } from "../../kubefile/variables.ts";
import type { OpenKubefile } from "../documents.ts";
import { rangeOf } from "../ranges.ts";
import type { World } from "../world.ts";

export interface InlayHintOptions {
  readonly variables: boolean;
  readonly images: boolean;
  /** Milliseconds since 1970, to tell how old an image is. */
  readonly today: number;
}

const longestValue = 60;

/**
 * What a reader cannot see in the text: the value of words with variables, and the digest and age of images as far as they
 * are known already. Images that are not known are asked for; the hints come again when the answer is in.
 */
export function inlayHints(document: OpenKubefile, span: Span, world: World, options: InlayHintOptions): InlayHint[] {
  const { tree } = document;
  const hints: InlayHint[] = [];
  const walk = new ScopeWalk(tree.escape);
  for (let index = 0; index < tree.items.length && (tree.starts[index] ?? 0) <= span.end; index++) {
    const item = tree.items[index];
    const shown = (tree.starts[index] ?? 0) + (item?.length ?? 0) >= span.start;
    if (item?.kind !== "instruction" || !(shown || sets(item.node))) continue;
    const instruction = instructionOf(tree, index);
    if (instruction === undefined) continue;
    if (shown) hints.push(...hintsOf(document, instruction, walk, world, options));
    walk.pass(instruction);
  }
  return hints;
}

function hintsOf(
  document: OpenKubefile,
  instruction: Instruction,
  walk: ScopeWalk,
  world: World,
  options: InlayHintOptions,
): InlayHint[] {
  const hints = options.variables ? valueHints(document, instruction, walk) : [];
  if (options.images && instruction.kind === "FROM")
    hints.push(...imageHints(document, instruction.image, world, options));
  return hints;
}

/** The instruction changes what later ones read. */
function sets({ kind }: Instruction): boolean {
  return kind === "FROM" || kind === "ARG" || kind === "ENV";
}

function valueHints(document: OpenKubefile, instruction: Instruction, walk: ScopeWalk): InlayHint[] {
  if (instructionInfo(instruction.keyword.text)?.expands !== true || instruction.variables.length === 0) return [];
  const hints: InlayHint[] = [];
  for (const word of wordsOf(instruction)) {
    if (!word.text.includes("$")) continue;
    const { value, unset, error } = walk.expand(word, instruction.kind === "FROM");
    // A value with holes would mislead.
    if (unset.length > 0 || error !== undefined || value === word.value) continue;
    hints.push({
      position: document.lines.positionAt(word.span.end),
      label: `= ${value.length > longestValue ? `${value.slice(0, longestValue - 1)}…` : value || '""'}`,
      kind: InlayHintKind.Type,
      paddingLeft: true,
      ...(value.length > longestValue ? { tooltip: value } : {}),
    });
  }
  return hints;
}

function wordsOf(instruction: Instruction): readonly Word[] {
  if ("pairs" in instruction) return instruction.pairs.flatMap((pair) => pair.value ?? []);
  const flags = instruction.flags.flatMap((flag) => flag.value ?? []);
  // WORKDIR, USER and STOPSIGNAL take the rest of the line as one word.
  const rest = instruction.words.length > 0 || instruction.rest === undefined ? [] : [instruction.rest];
  return [...flags, ...instruction.words, ...rest];
}

function imageHints(
  document: OpenKubefile,
  image: Word | undefined,
  world: World,
  options: InlayHintOptions,
): InlayHint[] {
  if (image === undefined || image.value === "scratch" || image.value.includes("$")) return [];
  const facts = world.images.knownFacts(image.value);
  if (facts === undefined) {
    // Asked without waiting: hints never hold up the editor.
    void world.images.facts(image.value, 0);
    return [];
  }
  if (facts === null) return [];
  const pinned = image.value.includes("@");
  const age = facts.createdAt === undefined ? undefined : ageOf(options.today - Date.parse(facts.createdAt));
  const label = [pinned ? undefined : facts.digest.slice(0, "sha256:".length + 12), age]
    .filter((part) => part !== undefined)
    .join(" · ");
  if (label === "") return [];
  return [{ position: rangeOf(document.lines, image.span).end, label, paddingLeft: true, tooltip: facts.digest }];
}

const day = 86_400_000;
const units: readonly (readonly [number, string])[] = [
  [365 * day, "year"],
  [30 * day, "month"],
  [7 * day, "week"],
  [day, "day"],
];

/** `3 months old`; undefined for what is not a sensible age. */
function ageOf(ms: number): string | undefined {
  if (!Number.isFinite(ms) || ms < 0) return undefined;
  for (const [length, name] of units) {
    const count = Math.floor(ms / length);
    if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"} old`;
  }
  return "built today";
}

import { instructionOf, itemIndexAt } from "../kubefile/parse.ts";
import type { Span } from "../kubefile/span.ts";
import type { Instruction, Kubefile } from "../kubefile/syntax.ts";

/**
 * An instruction where it stood when it was parsed. `shift` added to any span inside `node` gives its place in the text as
 * it is now; so a feature that walks the whole file re-parses nothing after an edit.
 */
export interface Placed {
  readonly node: Instruction;
  readonly shift: number;
  /** Index in `kubefile.items`. */
  readonly index: number;
}

const placedByTree = new WeakMap<Kubefile, readonly Placed[]>();

/** Every instruction of a file, in order. */
export function placedInstructions(kubefile: Kubefile): readonly Placed[] {
  const known = placedByTree.get(kubefile);
  if (known !== undefined) return known;
  const placed: Placed[] = [];
  for (let index = 0; index < kubefile.items.length; index++) {
    const item = kubefile.items[index];
    if (item?.kind !== "instruction") continue;
    placed.push({ node: item.node, shift: (kubefile.starts[index] ?? 0) - item.base, index });
  }
  placedByTree.set(kubefile, placed);
  return placed;
}

/** A span of a placed instruction in the text as it is now. */
export function shifted(span: Span, shift: number): Span {
  return shift === 0 ? span : { start: span.start + shift, end: span.end + shift };
}

/**
 * The instruction a cursor at `offset` belongs to: also behind its last word, as long as the cursor stands on one of its
 * lines. A cursor at the start of the line behind it belongs to the next item.
 */
export function instructionUnder(kubefile: Kubefile, offset: number): Instruction | undefined {
  const index = itemIndexAt(kubefile, offset);
  const item = kubefile.items[index];
  if (item?.kind !== "instruction") return undefined;
  const { text } = kubefile;
  // At the end of the text the last item answers, though a line end before the cursor ends its lines.
  const behind = offset === text.length && text.endsWith("\n") && offset > 0;
  if (behind && !text.trimEnd().endsWith(kubefile.escape)) return undefined;
  return instructionOf(kubefile, index);
}

/** The innermost instruction: what ONBUILD triggers counts as an instruction of its own. */
export function innermost(instruction: Instruction, offset: number): Instruction {
  if (instruction.kind === "ONBUILD" && instruction.trigger !== undefined && offset >= instruction.trigger.span.start)
    return innermost(instruction.trigger, offset);
  return instruction;
}

/** Compiles a parsed pattern to instructions for the matcher. */
import type { Ranges } from "./classes.ts";
import type { Regex } from "./syntax.ts";
import { RegexSyntaxError } from "./syntax.ts";

export type Instruction =
  | { readonly op: "chars"; readonly ranges: Ranges; readonly next: number }
  /** Tries `next` first, then `other`. */
  | { readonly op: "split"; next: number; other: number }
  | { readonly op: "jump"; next: number }
  | { readonly op: "save"; readonly slot: number; readonly next: number }
  | { readonly op: "assert"; readonly what: Assertion; readonly next: number }
  | { readonly op: "match" };

export type Assertion = "lineStart" | "lineEnd" | "textStart" | "textEnd" | "word" | "notWord";

/** Larger programs come only from repeats of repeats. */
const mostInstructions = 20_000;

/** Turns a tree into a program; the whole match is group 0. @throws RegexSyntaxError when it is too large */
export function compile(root: Regex, pattern: string): readonly Instruction[] {
  const program: Instruction[] = [];
  const add = (instruction: Instruction): number => {
    if (program.length >= mostInstructions) throw new RegexSyntaxError("expression too large", pattern);
    return program.push(instruction) - 1;
  };

  function emit(node: Regex): void {
    switch (node.kind) {
      case "empty":
        return;
      case "chars":
        add({ op: "chars", ranges: node.ranges, next: program.length + 1 });
        return;
      case "sequence":
        for (const part of node.parts) emit(part);
        return;
      case "either":
        emitEither(node.parts);
        return;
      case "group":
        add({ op: "save", slot: node.index * 2, next: program.length + 1 });
        emit(node.inner);
        add({ op: "save", slot: node.index * 2 + 1, next: program.length + 1 });
        return;
      case "repeat":
        emitRepeat(node.inner, node.min, node.max, node.greedy);
        return;
      default:
        add({ op: "assert", what: node.kind, next: program.length + 1 });
    }
  }

  function emitEither(parts: readonly Regex[]): void {
    const jumps: Extract<Instruction, { op: "jump" }>[] = [];
    parts.forEach((part, i) => {
      if (i === parts.length - 1) {
        emit(part);
        return;
      }
      const split: Extract<Instruction, { op: "split" }> = { op: "split", next: program.length + 1, other: 0 };
      add(split);
      emit(part);
      const jump: Extract<Instruction, { op: "jump" }> = { op: "jump", next: 0 };
      add(jump);
      jumps.push(jump);
      split.other = program.length;
    });
    for (const jump of jumps) jump.next = program.length;
  }

  function emitRepeat(inner: Regex, min: number, max: number, greedy: boolean): void {
    for (let i = 0; i < min; i++) emit(inner);
    const aim = (split: Extract<Instruction, { op: "split" }>, into: number, past: number): void => {
      split.next = greedy ? into : past;
      split.other = greedy ? past : into;
    };
    if (max === Number.POSITIVE_INFINITY) {
      const split: Extract<Instruction, { op: "split" }> = { op: "split", next: 0, other: 0 };
      const at = add(split);
      emit(inner);
      add({ op: "jump", next: at });
      aim(split, at + 1, program.length);
      return;
    }
    const splits: { readonly split: Extract<Instruction, { op: "split" }>; readonly at: number }[] = [];
    for (let i = min; i < max; i++) {
      const split: Extract<Instruction, { op: "split" }> = { op: "split", next: 0, other: 0 };
      splits.push({ split, at: add(split) });
      emit(inner);
    }
    for (const { split, at } of splits) aim(split, at + 1, program.length);
  }

  emit({ kind: "group", index: 0, name: undefined, inner: root });
  add({ op: "match" });
  return program;
}

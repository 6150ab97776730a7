import type { Instruction } from "../../kubefile/syntax.ts";
import type { Place } from "./steps.ts";

/** Turns instructions into places. */
export interface Places {
  of(instruction: Instruction): Place;
}

const longest = 200;

/** Lines of a text, found once. */
export function placesIn(text: string): Places {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  const lineOf = (offset: number): number => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
  return {
    of(instruction) {
      const { start, end } = instruction.span;
      const oneLine = instruction.logical.text.replace(/\s+/g, " ").trim();
      return {
        keyword: instruction.keyword.value.toUpperCase(),
        text: oneLine.length > longest ? `${oneLine.slice(0, longest - 1)}…` : oneLine,
        line: lineOf(start),
        endLine: lineOf(Math.max(start, end - 1)),
        start,
        end,
      };
    },
  };
}

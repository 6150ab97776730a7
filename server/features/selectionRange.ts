import type { Position, SelectionRange } from "vscode-languageserver";
import { itemIndexAt } from "../../kubefile/parse.ts";
import type { Span } from "../../kubefile/span.ts";
import type { Instruction, Kubefile, Word } from "../../kubefile/syntax.ts";
import type { OpenKubefile } from "../documents.ts";
import { innermost, instructionUnder } from "../locate.ts";
import { bareSpan } from "../names.ts";
import { rangeOf, touches } from "../ranges.ts";

/** For each cursor what it stands in, from the smallest piece to the whole file. */
export function selectionRanges(document: OpenKubefile, positions: readonly Position[]): SelectionRange[] {
  return positions.map((position) => {
    const offset = document.lines.offsetAt(position);
    let range: SelectionRange = { range: rangeOf(document.lines, { start: offset, end: offset }) };
    let inner: Span = { start: offset, end: offset };
    const chain: Span[] = [];
    for (const span of enclosing(document.tree, offset)) {
      const grows =
        span.start <= inner.start && span.end >= inner.end && span.end - span.start > inner.end - inner.start;
      if (grows) {
        chain.push(span);
        inner = span;
      }
    }
    const outer = chain.reduceRight<SelectionRange | undefined>(
      (parent, span) => ({ range: rangeOf(document.lines, span), ...(parent === undefined ? {} : { parent }) }),
      undefined,
    );
    if (outer !== undefined) range = outer;
    return range;
  });
}

/** Everything around the cursor, smallest first; spans that do not fit around the one before are passed over. */
function enclosing(tree: Kubefile, offset: number): Span[] {
  const spans: Span[] = [];
  const instruction = instructionUnder(tree, offset);
  if (instruction !== undefined) {
    spans.push(...partsAround(innermost(instruction, offset), offset), instruction.span);
    const stage = tree.stages.find((candidate) => touches(candidate.span, offset));
    if (stage !== undefined) spans.push(stage.span);
  } else {
    spans.push(...commentsAround(tree, offset));
  }
  return [...spans, { start: 0, end: tree.text.length }];
}

function partsAround(instruction: Instruction, offset: number): Span[] {
  const parts: Span[] = [];
  const add = (span: Span | undefined): void => {
    if (span !== undefined && touches(span, offset)) parts.push(span);
  };
  for (const variable of instruction.variables) {
    add(variable.nameSpan);
    add(variable.modifier?.wordSpan);
    add(variable.span);
  }
  const words: readonly (Word | undefined)[] = [
    instruction.keyword,
    ...instruction.words,
    ...instruction.flags.flatMap((flag) => [flag.name, flag.value]),
    ...("pairs" in instruction ? instruction.pairs.flatMap((pair) => [pair.name, pair.value]) : []),
  ];
  for (const word of words) {
    if (word === undefined) continue;
    add(bareSpan(word));
    add(word.span);
  }
  for (const flag of instruction.flags) add(flag.span);
  if ("pairs" in instruction) for (const pair of instruction.pairs) add(pair.span);
  for (const heredoc of instruction.heredocs) {
    add(heredoc.span);
    add(heredoc.body);
    if (heredoc.end !== undefined) add({ start: heredoc.body.start, end: heredoc.end.end });
  }
  add(instruction.rest?.span);
  add(instruction.span);
  return parts.sort((a, b) => a.end - a.start - (b.end - b.start));
}

function commentsAround(tree: Kubefile, offset: number): Span[] {
  const index = itemIndexAt(tree, offset);
  const item = tree.items[index];
  if (item === undefined || item.node === undefined) return [];
  const shift = (tree.starts[index] ?? 0) - item.base;
  const own = { start: item.node.span.start + shift, end: item.node.span.end + shift };
  if (item.kind !== "comment" || !touches(own, offset)) return [own];
  let first = index;
  let last = index;
  while (tree.items[first - 1]?.kind === "comment") first--;
  while (tree.items[last + 1]?.kind === "comment") last++;
  const lastItem = tree.items[last];
  const lastShift = (tree.starts[last] ?? 0) - (lastItem?.base ?? 0);
  return [own, { start: tree.starts[first] ?? 0, end: (lastItem?.node?.span.end ?? 0) + lastShift }];
}

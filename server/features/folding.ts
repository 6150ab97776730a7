import { type FoldingRange, FoldingRangeKind } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Span } from "../../kubefile/span.ts";
import type { Kubefile } from "../../kubefile/syntax.ts";
import type { OpenKubefile } from "../documents.ts";
import { type Placed, placedInstructions, shifted } from "../locate.ts";

export interface FoldingOptions {
  /** The client folds whole lines only. */
  readonly lineFoldingOnly: boolean;
  readonly limit: number;
}

/** Stages, instructions of several lines, heredoc bodies, runs of comments, and `#region` … `#endregion`. */
export function foldingRanges(document: OpenKubefile, options: FoldingOptions): FoldingRange[] {
  const { tree, lines } = document;
  const ranges = [...stages(tree, lines), ...instructions(tree, lines, options), ...comments(tree, lines)];
  ranges.sort((a, b) => a.startLine - b.startLine || b.endLine - a.endLine);
  return ranges.slice(0, options.limit);
}

function stages(tree: Kubefile, lines: TextDocument): FoldingRange[] {
  const placed = placedInstructions(tree);
  const ranges: FoldingRange[] = [];
  let start: number | undefined;
  let last: Placed | undefined;
  const close = (): void => {
    if (start === undefined || last === undefined) return;
    const endLine = lastLine(lines, shifted(last.node.span, last.shift));
    if (endLine > start) ranges.push({ startLine: start, endLine, kind: FoldingRangeKind.Region });
  };
  for (const instruction of placed) {
    if (instruction.node.kind === "FROM") {
      close();
      start = lines.positionAt(instruction.node.span.start + instruction.shift).line;
    }
    last = instruction;
  }
  close();
  return ranges;
}

function instructions(tree: Kubefile, lines: TextDocument, options: FoldingOptions): FoldingRange[] {
  const ranges: FoldingRange[] = [];
  for (const { node, shift } of placedInstructions(tree)) {
    const span = shifted(node.span, shift);
    const startLine = lines.positionAt(span.start).line;
    const end = lines.positionAt(span.end);
    const endLine = lastLine(lines, span);
    if (endLine <= startLine) continue;
    const columns = options.lineFoldingOnly
      ? {}
      : { startCharacter: firstLineLength(lines, span.start), endCharacter: end.character };
    ranges.push({ startLine, endLine, ...columns });
    for (const heredoc of node.heredocs) ranges.push(...heredocFold(lines, shifted(heredoc.body, shift), startLine));
  }
  return ranges;
}

/** A heredoc folds on its own where another one, or more of the instruction, stands around it. */
function heredocFold(lines: TextDocument, body: Span, instructionLine: number): FoldingRange[] {
  const openLine = lines.positionAt(body.start).line - 1;
  const endLine = lastLine(lines, body);
  return openLine > instructionLine && endLine > openLine ? [{ startLine: openLine, endLine }] : [];
}

interface CommentRun {
  readonly startLine: number;
  endLine: number;
}

function comments(tree: Kubefile, lines: TextDocument): FoldingRange[] {
  const ranges: FoldingRange[] = [];
  const regions: number[] = [];
  let run: CommentRun | undefined;
  const close = (): void => {
    if (run !== undefined && run.endLine > run.startLine) ranges.push({ ...run, kind: FoldingRangeKind.Comment });
    run = undefined;
  };
  for (let index = 0; index < tree.items.length; index++) {
    const item = tree.items[index];
    if (item?.kind !== "comment") {
      close();
      continue;
    }
    const { line } = lines.positionAt(tree.starts[index] ?? 0);
    if (/^#\s*region\b/u.test(item.node.text)) {
      close();
      regions.push(line);
    } else if (/^#\s*endregion\b/u.test(item.node.text)) {
      close();
      const startLine = regions.pop();
      if (startLine !== undefined) ranges.push({ startLine, endLine: line, kind: FoldingRangeKind.Region });
    } else if (run === undefined) {
      run = { startLine: line, endLine: line };
    } else {
      run.endLine = line;
    }
  }
  close();
  return ranges;
}

/** The last line that a span has a character on. */
function lastLine(lines: TextDocument, span: Span): number {
  const end = lines.positionAt(span.end);
  return end.character === 0 && span.end > span.start ? end.line - 1 : end.line;
}

function firstLineLength(lines: TextDocument, offset: number): number {
  const { line } = lines.positionAt(offset);
  return lines.positionAt(lines.offsetAt({ line, character: Number.MAX_SAFE_INTEGER })).character;
}

import { inBatches } from "./batches.ts";
import { byteOrderMark, hash } from "./characters.ts";
import { parseInstruction } from "./instruction.ts";
import { directives as knownDirectives } from "./instructions.ts";
import { contentEnd, joinLines, lineEnd, makeComment, type Source, skipSpaces } from "./lines.ts";
import type { TextEdit } from "./problems.ts";
import type { Span } from "./span.ts";
import type { Comment, Directive, Escape, Instruction, Item, Kubefile, Stage } from "./syntax.ts";

/** Reads a Kubefile. It succeeds on any text, in time linear in its length. */
export function parse(text: string): Kubefile {
  const range = readRange({ text, origin: 0 }, undefined);
  return makeKubefile(text, range.items, range.escape);
}

/**
 * Reads a Kubefile after an edit; gives what `parse` would give for the new text. Only the items that the edit touches are
 * read again.
 */
export function reparse(previous: Kubefile, edit: TextEdit): Kubefile {
  const { items, starts } = previous;
  const start = Math.max(0, Math.min(edit.span.start, previous.text.length));
  const end = Math.max(start, Math.min(edit.span.end, previous.text.length));
  const text = previous.text.slice(0, start) + edit.text + previous.text.slice(end);
  const delta = text.length - previous.text.length;
  // The item in front is read again too: an edit at its end may lengthen it.
  const first = firstTouched(previous, start);
  const from = starts[first] ?? 0;
  let last = itemIndexAt(previous, end) + 1;
  for (let reach = 1; ; reach *= 2) {
    const stop = (starts[last] ?? previous.text.length) + delta;
    // The range is copied, so that the items do not keep whole older texts alive.
    const source: Source = { text: copyOf(text.slice(from, stop)), origin: from };
    const range = readRange(source, from === 0 ? undefined : previous.escape);
    if (range.escape !== previous.escape) return parse(text);
    if (stop >= text.length || standsAlone(source.text, range, items[last])) {
      return makeKubefile(text, [...items.slice(0, first), ...range.items, ...items.slice(last)], previous.escape);
    }
    last = Math.min(items.length, last + reach);
  }
}

/** The item before the one that holds `offset`; the first of all when directives stand in between. */
function firstTouched(kubefile: Kubefile, offset: number): number {
  const first = Math.max(0, itemIndexAt(kubefile, offset) - 1);
  const before = kubefile.items[first - 1];
  return before === undefined || before.kind === "directive" ? 0 : first;
}

interface ReadRange {
  readonly items: readonly Item[];
  readonly escape: Escape;
}

/** Reads a range of whole lines; at the head of the file, where no escape character is given, directives may stand. */
function readRange(source: Source, given: Escape | undefined): ReadRange {
  const items: Item[] = [];
  const head: Head = given === undefined ? readHead(source, items) : { next: 0, escape: given };
  readBody(source, items, head.next, head.escape);
  return { items, escape: head.escape };
}

/** Whether the items of a range would be the same with what follows it: `next` and all behind it. */
function standsAlone(text: string, range: ReadRange, next: Item | undefined): boolean {
  if (!text.endsWith("\n") || next?.kind === "directive") return false;
  const last = range.items.at(-1);
  if (last === undefined || last.kind === "directive") return false;
  if (last.kind === "comment") return true;
  const tail = text.slice(text.length - last.length);
  if (last.kind === "blank" && !tail.includes(range.escape)) return true;
  // One more line behind it must become an item of its own: no line is joined, no heredoc is open.
  const probe: Item[] = [];
  readBody({ text: `${tail}x\n`, origin: 1 }, probe, 0, range.escape);
  return probe.length === 2 && probe[0]?.length === last.length;
}

/** A string that shares no memory with a larger one. */
function copyOf(text: string): string {
  return text === "" ? "" : ` ${text}`.slice(1);
}

interface Head {
  readonly next: number;
  readonly escape: Escape;
}

const directivePattern = /^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(\S(?:.*\S)?)\s*$/;

/**
 * Parser directives: lines `# name=value` before anything else. The first line that is none ends them.
 * @see moby/buildkit frontend/dockerfile/parser/directives.go
 */
function readHead(source: Source, items: Item[]): Head {
  const { text } = source;
  let escapeMark: Escape = "\\";
  let at = 0;
  while (at < text.length) {
    const end = lineEnd(text, at);
    const content = contentEnd(text, at, end);
    const visible = skipMark(text, at, content);
    if (text.charCodeAt(visible) !== hash) break;
    const directive = readDirective(text, visible, content);
    if (directive === undefined) break;
    const next = Math.min(end + 1, text.length);
    items.push({ kind: "directive", length: next - at, base: at, node: directive, memo: undefined });
    // Of a longer value the first character counts, as sealer and buildah read it; BuildKit refuses it.
    const mark = directive.value.text[0];
    if (directive.name.value === "escape" && (mark === "\\" || mark === "`")) escapeMark = mark;
    at = next;
  }
  return { next: at, escape: escapeMark };
}

function readDirective(text: string, start: number, end: number): Directive | undefined {
  const line = text.slice(start, end);
  const match = directivePattern.exec(line);
  const name = match?.[1];
  const value = match?.[2];
  if (name === undefined || value === undefined) return undefined;
  const key = name.toLowerCase();
  if (!knownDirectives.some((known) => known.name === key)) return undefined;
  const nameStart = start + line.indexOf(name);
  const valueStart = start + line.indexOf(value, line.indexOf("=") + 1);
  return {
    span: { start, end: valueStart + value.length },
    name: { span: { start: nameStart, end: nameStart + name.length }, text: name, value: key },
    value: { span: { start: valueStart, end: valueStart + value.length }, text: value, value },
  };
}

function skipMark(text: string, at: number, end: number): number {
  const marked = at === 0 && text.charCodeAt(0) === byteOrderMark ? 1 : 0;
  return skipSpaces(text, at + marked, end);
}

/** How many items one call reads, for the reason that `inBatches` gives. */
const batch = 32;

/** Reads items from `from` to the end of the source. */
function readBody(source: Source, items: Item[], from: number, escapeMark: Escape): void {
  let at = from;
  while (at < source.text.length) at = readItems(source, items, at, escapeMark);
}

/** Reads up to a batch of items from `from` on; gives the offset behind them. */
function readItems(source: Source, items: Item[], from: number, escapeMark: Escape): number {
  const { text, origin } = source;
  const enough = items.length + batch;
  let at = from;
  while (at < text.length && items.length < enough) {
    const end = lineEnd(text, at);
    const content = contentEnd(text, at, end);
    const visible = origin === 0 ? skipMark(text, at, content) : skipSpaces(text, at, content);
    const base = origin + at;
    if (visible >= content) {
      const next = Math.min(end + 1, text.length);
      items.push({ kind: "blank", length: next - at, base, node: undefined, memo: undefined });
      at = next;
    } else if (text.charCodeAt(visible) === hash) {
      const next = Math.min(end + 1, text.length);
      items.push({
        kind: "comment",
        length: next - at,
        base,
        node: makeComment(source, visible, content),
        memo: undefined,
      });
      at = next;
    } else {
      at = readInstructionItem(source, items, at, visible, escapeMark);
    }
  }
  return at;
}

function readInstructionItem(source: Source, items: Item[], at: number, visible: number, escapeMark: Escape): number {
  const joined = joinLines(source, visible, escapeMark);
  const parsed = parseInstruction(joined, source);
  const base = source.origin + at;
  if (parsed === undefined) {
    items.push({ kind: "blank", length: joined.next - at, base, node: undefined, memo: undefined });
    return joined.next;
  }
  items.push({ kind: "instruction", length: parsed.next - at, base, node: parsed.node, memo: undefined });
  return parsed.next;
}

function makeKubefile(text: string, items: readonly Item[], escapeMark: Escape): Kubefile {
  const starts = new Array<number>(items.length);
  let offset = 0;
  inBatches(items.length, (from, to) => {
    for (let index = from; index < to; index++) {
      starts[index] = offset;
      offset += items[index]?.length ?? 0;
    }
  });
  let instructions: readonly Instruction[] | undefined;
  let comments: readonly Comment[] | undefined;
  let directives: readonly Directive[] | undefined;
  let stages: readonly Stage[] | undefined;
  const kubefile: Kubefile = {
    text,
    escape: escapeMark,
    items,
    starts,
    // Whole-document lists are made when somebody asks: an edit asks for few of them.
    get instructions() {
      instructions ??= items.flatMap((_, index) => instructionOf(kubefile, index) ?? []);
      return instructions;
    },
    get comments() {
      comments ??= items.flatMap((item, index) => commentsOf(kubefile, item, index));
      return comments;
    },
    get directives() {
      directives ??= items.flatMap((item) => (item.kind === "directive" ? item.node : []));
      return directives;
    },
    get stages() {
      stages ??= stagesOf(kubefile.instructions);
      return stages;
    },
  };
  return kubefile;
}

/** The instruction of the item at `index` with spans in the text as it is now, or `undefined` when it holds none. */
export function instructionOf(kubefile: Kubefile, index: number): Instruction | undefined {
  const item = kubefile.items[index];
  if (item?.kind !== "instruction") return undefined;
  const start = kubefile.starts[index] ?? 0;
  if (start === item.base) return item.node;
  const moved: Item[] = [];
  readBody({ text: kubefile.text.slice(start, start + item.length), origin: start }, moved, 0, kubefile.escape);
  return moved[0]?.kind === "instruction" ? moved[0].node : item.node;
}

function commentsOf(kubefile: Kubefile, item: Item, index: number): readonly Comment[] {
  const delta = (kubefile.starts[index] ?? 0) - item.base;
  if (item.kind === "comment") return [moveComment(item.node, delta)];
  return item.kind === "instruction" ? item.node.comments.map((comment) => moveComment(comment, delta)) : [];
}

function moveComment(comment: Comment, delta: number): Comment {
  return delta === 0 ? comment : { text: comment.text, span: moveSpan(comment.span, delta) };
}

/** The same range, `delta` characters further on. */
export function moveSpan(span: Span, delta: number): Span {
  return delta === 0 ? span : { start: span.start + delta, end: span.end + delta };
}

function stagesOf(instructions: readonly Instruction[]): readonly Stage[] {
  const stages: Stage[] = [];
  let open: Instruction[] = [];
  for (const instruction of instructions) {
    if (instruction.kind === "FROM") {
      open = [instruction];
      stages.push({
        index: stages.length,
        name: instruction.stageName,
        from: instruction,
        instructions: open,
        span: instruction.span,
      });
    } else if (stages.length > 0) {
      open.push(instruction);
    }
  }
  return stages.map((stage) => ({
    ...stage,
    span: { start: stage.span.start, end: stage.instructions.at(-1)?.span.end ?? stage.span.end },
  }));
}

/** The index of the item that holds `offset`; at the very end of the text, the last one. */
export function itemIndexAt(kubefile: Kubefile, offset: number): number {
  const { starts } = kubefile;
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** The instruction on whose lines `offset` stands, with spans in the text as it is now. */
export function instructionAt(kubefile: Kubefile, offset: number): Instruction | undefined {
  const index = itemIndexAt(kubefile, offset);
  return instructionOf(kubefile, index);
}

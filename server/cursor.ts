import { itemIndexAt } from "../kubefile/parse.ts";
import type { Span } from "../kubefile/span.ts";
import type { Flag, Instruction, Kubefile, Word } from "../kubefile/syntax.ts";
import { innermost, instructionUnder } from "./locate.ts";
import { touches } from "./ranges.ts";

/**
 * What a cursor is about to write. `span` is what a completion replaces; `prefix` is the part of it in front of the cursor.
 */
export type Cursor =
  | { readonly kind: "keyword"; readonly span: Span; readonly prefix: string; readonly trigger: boolean }
  | { readonly kind: "directiveName"; readonly span: Span; readonly prefix: string }
  | { readonly kind: "directiveValue"; readonly span: Span; readonly prefix: string; readonly name: string }
  | FlagNameCursor
  | FlagValueCursor
  | VariableCursor
  | ArgumentCursor
  | { readonly kind: "nothing" };

interface InInstruction {
  readonly span: Span;
  readonly prefix: string;
  readonly instruction: Instruction;
}
export interface FlagNameCursor extends InInstruction {
  readonly kind: "flagName";
}
export interface FlagValueCursor extends InInstruction {
  readonly kind: "flagValue";
  /** Without the dashes. */
  readonly name: string;
}
export interface VariableCursor extends InInstruction {
  readonly kind: "variable";
  readonly form: "plain" | "braced";
  /** The closing brace is missing. */
  readonly close: boolean;
}
export interface ArgumentCursor extends InInstruction {
  readonly kind: "argument";
  /** The word under the cursor, or undefined between words. */
  readonly word: Word | undefined;
  /** How many words stand wholly in front of it. */
  readonly index: number;
  /** Inside a string of a JSON array. */
  readonly quoted: boolean;
}

const nothing: Cursor = { kind: "nothing" };

/** What the cursor at `offset` is about to write. */
export function cursorAt(kubefile: Kubefile, offset: number): Cursor {
  const instruction = instructionUnder(kubefile, offset);
  return instruction === undefined ? outside(kubefile, offset) : inside(kubefile, instruction, offset);
}

function outside(kubefile: Kubefile, offset: number): Cursor {
  const lineStart = lineStartAt(kubefile.text, offset);
  const before = kubefile.text.slice(lineStart, offset);
  const directive = /^\s*#\s*(?:(\w*)|(\w+)\s*=\s*(\S*))$/u.exec(before);
  if (directive !== null) return inHead(kubefile, offset) ? directiveCursor(kubefile, directive, offset) : nothing;
  const word = /^\s*(\w*)$/u.exec(before);
  if (word === null) return nothing;
  const prefix = word[1] ?? "";
  return {
    kind: "keyword",
    span: { start: offset - prefix.length, end: wordEnd(kubefile.text, offset) },
    prefix,
    trigger: false,
  };
}

function directiveCursor(kubefile: Kubefile, match: RegExpExecArray, offset: number): Cursor {
  const name = match[2];
  const prefix = (name === undefined ? match[1] : match[3]) ?? "";
  const span = { start: offset - prefix.length, end: endOfWord(kubefile.text, offset) };
  return name === undefined
    ? { kind: "directiveName", span, prefix }
    : { kind: "directiveValue", span, prefix, name: name.toLowerCase() };
}

/** Only directives stand in front of the line of `offset`. */
function inHead(kubefile: Kubefile, offset: number): boolean {
  const last = itemIndexAt(kubefile, lineStartAt(kubefile.text, offset));
  return kubefile.items.slice(0, last).every((item) => item.kind === "directive");
}

function inside(kubefile: Kubefile, outer: Instruction, offset: number): Cursor {
  const instruction = innermost(outer, offset);
  const { keyword } = instruction;
  if (offset <= keyword.span.end) {
    const start = Math.min(keyword.span.start, offset);
    const prefix = kubefile.text.slice(start, offset);
    return { kind: "keyword", span: { start, end: keyword.span.end }, prefix, trigger: instruction !== outer };
  }
  if (instruction.comments.some((comment) => comment.span.start < offset && touches(comment.span, offset)))
    return nothing;
  const variable = variableCursor(kubefile, instruction, offset);
  if (variable !== undefined) return variable;
  if (instruction.heredocs.some((heredoc) => heredoc.body.start <= offset)) return nothing;
  if (instruction.kind === "ONBUILD" && instruction.trigger === undefined)
    return { kind: "keyword", span: { start: offset, end: offset }, prefix: "", trigger: true };
  return flagCursor(kubefile, instruction, offset) ?? argumentCursor(kubefile, instruction, offset);
}

function variableCursor(kubefile: Kubefile, instruction: Instruction, offset: number): Cursor | undefined {
  const before = kubefile.text.slice(Math.max(instruction.keyword.span.end, offset - 200), offset);
  const match = /\$(\{?)([A-Za-z_]\w*)?$/u.exec(before);
  if (match === null || escaped(before, match.index, kubefile.escape)) return undefined;
  const prefix = match[2] ?? "";
  const end = wordEnd(kubefile.text, offset);
  const braced = match[1] === "{";
  return {
    kind: "variable",
    span: { start: offset - prefix.length, end },
    prefix,
    instruction,
    form: braced ? "braced" : "plain",
    close: braced && kubefile.text[end] !== "}",
  };
}

/** An odd number of escape characters stands in front of `index`. */
function escaped(text: string, index: number, mark: string): boolean {
  let count = 0;
  while (text[index - 1 - count] === mark) count++;
  return count % 2 === 1;
}

function flagCursor(kubefile: Kubefile, instruction: Instruction, offset: number): Cursor | undefined {
  const before = kubefile.text.slice(instruction.keyword.span.end, offset);
  const words = joinLines(before, kubefile.escape).trimStart().split(/\s+/u);
  const prefix = words.pop() ?? "";
  if (!prefix.startsWith("-") || !words.every((word) => word.startsWith("--"))) return undefined;
  const written = instruction.flags.find((flag) => touches(flag.span, offset));
  const equals = prefix.indexOf("=");
  const end = endOfWord(kubefile.text, offset);
  if (equals < 0) {
    const nameEnd = written === undefined ? end : flagNameEnd(written);
    return {
      kind: "flagName",
      span: { start: offset - prefix.length, end: Math.max(offset, nameEnd) },
      prefix,
      instruction,
    };
  }
  const value = prefix.slice(equals + 1);
  const span = { start: offset - value.length, end };
  return { kind: "flagValue", span, prefix: value, instruction, name: prefix.slice(2, equals) };
}

function flagNameEnd(flag: Flag): number {
  return flag.name.span.end;
}

function argumentCursor(kubefile: Kubefile, instruction: Instruction, offset: number): Cursor {
  const words = argumentWords(kubefile, instruction);
  const word = words.find((candidate) => touches(candidate.span, offset));
  const index = words.filter((candidate) => candidate !== word && candidate.span.end <= offset).length;
  const json = instruction.form === "json";
  if (word === undefined) {
    const at = { start: offset, end: offset };
    return { kind: "argument", span: at, prefix: "", instruction, word, index, quoted: false };
  }
  const quoted = json && offset > word.span.start && offset < word.span.end;
  const open = quoted ? 1 : 0;
  const close = quoted && /["']$/u.test(kubefile.text.slice(word.span.start + 1, word.span.end)) ? 1 : 0;
  const span = { start: word.span.start + open, end: word.span.end - close };
  return { kind: "argument", span, prefix: kubefile.text.slice(span.start, offset), instruction, word, index, quoted };
}

/** Instructions that take the rest of the line as one word. */
const wholeLine: ReadonlySet<string> = new Set(["WORKDIR", "USER", "STOPSIGNAL", "KUBEVERSION"]);

/** The words of an instruction; each `name=value` is one. */
function argumentWords(kubefile: Kubefile, instruction: Instruction): readonly Word[] {
  if (!("pairs" in instruction)) {
    const { words, rest, kind } = instruction;
    return words.length === 0 && rest !== undefined && wholeLine.has(kind) ? [rest] : words;
  }
  const pairs = instruction.pairs.map(({ span }): Word => {
    const text = kubefile.text.slice(span.start, span.end);
    return { span, text, value: text };
  });
  return instruction.kind === "APPENV" && instruction.app !== undefined ? [instruction.app, ...pairs] : pairs;
}

/** Line continuations become blanks of the same length. */
export function joinLines(text: string, mark: string): string {
  const pattern = mark === "\\" ? /\\[ \t]*\r?\n/gu : /`[ \t]*\r?\n/gu;
  return text.replace(pattern, (found) => " ".repeat(found.length));
}

function lineStartAt(text: string, offset: number): number {
  if (offset === 0) return 0;
  return Math.max(text.lastIndexOf("\n", offset - 1), text.lastIndexOf("\r", offset - 1)) + 1;
}

/** The end of the letters, digits and underscores at `offset`. */
function wordEnd(text: string, offset: number): number {
  return offset + (/^\w*/u.exec(text.slice(offset, offset + 200))?.[0].length ?? 0);
}

/** The end of the non-blank characters at `offset`. */
function endOfWord(text: string, offset: number): number {
  return offset + (/^\S*/u.exec(text.slice(offset, offset + 1000))?.[0].length ?? 0);
}

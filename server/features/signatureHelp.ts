import type { SignatureHelp, SignatureInformation } from "vscode-languageserver";
import { type InstructionInfo, instructionInfo } from "../../kubefile/instructions.ts";
import type { Instruction, Kubefile } from "../../kubefile/syntax.ts";
import { cursorAt, joinLines } from "../cursor.ts";
import type { OpenKubefile } from "../documents.ts";
import { innermost, instructionUnder } from "../locate.ts";

/** How the instruction around the cursor is written, with the part that the cursor stands in marked. */
export function signatureHelp(document: OpenKubefile, offset: number): SignatureHelp | null {
  const { tree } = document;
  const outer = instructionUnder(tree, offset);
  if (outer === undefined) return null;
  const instruction = innermost(outer, offset);
  const info = instructionInfo(instruction.keyword.text);
  if (info === undefined || offset <= instruction.keyword.span.end) return null;
  if (instruction.heredocs.some((heredoc) => heredoc.body.start <= offset)) return null;
  const usages = info.usage.map((label): Usage => ({ label, parts: partsOf(label) }));
  const place = placeOf(tree, instruction, offset);
  const active = activeUsage(usages, instruction);
  const usage = usages[active];
  return {
    signatures: usages.map((candidate) => signatureOf(candidate, info, place)),
    activeSignature: active,
    activeParameter: (usage === undefined ? undefined : activePart(usage.parts, place)) ?? null,
  };
}

interface Usage {
  readonly label: string;
  /** Without the instruction's name. */
  readonly parts: readonly Part[];
}

/** One piece of a usage line. */
interface Part {
  readonly start: number;
  readonly end: number;
  readonly role: "flags" | "argument";
  /** Stands for any number of arguments. */
  readonly many: boolean;
  /** How many words it is. */
  readonly words: number;
  /** A string of an array. */
  readonly quoted: boolean;
}

/** Where the cursor stands among the arguments; `count` counts the one it is about to write. */
type Place =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "argument"; readonly index: number; readonly count: number };

/** Cuts `NAME [FLAGS] WORD... ["STRING", ...]` into its parts. */
function partsOf(usage: string): Part[] {
  const array = usage.indexOf('["');
  const head = array < 0 ? usage : usage.slice(0, array);
  const words = [...head.matchAll(/\[[^\]]*\](?!\S)|\S+/gu)].slice(1).map((match): Part => {
    const text = match[0];
    return {
      start: match.index,
      end: match.index + text.length,
      role: /^\[(?:--|FLAGS)/u.test(text) ? "flags" : "argument",
      many: text.endsWith("..."),
      words: text.startsWith("[AS") ? 2 : 1,
      quoted: false,
    };
  });
  if (array < 0) return words;
  const strings = [...usage.slice(array).matchAll(/"[^"]*"(?:, \.\.\.)?/gu)].map((match): Part => {
    const start = array + match.index;
    const many = match[0].endsWith("...");
    return { start, end: start + match[0].length, role: "argument", many, words: 1, quoted: true };
  });
  return [...words, ...strings];
}

function signatureOf({ label, parts }: Usage, info: InstructionInfo, place: Place): SignatureInformation {
  const flag = place.kind === "flag" ? info.flags.find((candidate) => candidate.name === place.name) : undefined;
  const value = flag === undefined ? info.help : `\`--${flag.name}\`: ${flag.help}`;
  return {
    label,
    documentation: { kind: "markdown", value },
    parameters: parts.map(({ start, end }) => ({ label: [start, end] })),
  };
}

function placeOf(tree: Kubefile, instruction: Instruction, offset: number): Place {
  const cursor = cursorAt(tree, offset);
  if (cursor.kind === "flagName") return { kind: "flag", name: cursor.prefix.replace(/^-+/u, "") };
  if (cursor.kind === "flagValue") return { kind: "flag", name: cursor.name };
  const start = instruction.flags.at(-1)?.span.end ?? instruction.keyword.span.end;
  const before = argumentsIn(joinLines(tree.text.slice(start, offset), tree.escape));
  const behind = argumentsIn(joinLines(tree.text.slice(offset, instruction.span.end), tree.escape));
  const index = before.open ? before.count - 1 : before.count;
  // A word that goes on behind the cursor is not counted twice.
  const joined = before.open && /^\S/u.test(tree.text.slice(offset, instruction.span.end)) ? 1 : 0;
  return { kind: "argument", index, count: Math.max(index + 1, before.count + behind.count - joined) };
}

/** How many arguments a text holds, and whether its end is in the middle of one. */
function argumentsIn(text: string): { readonly count: number; readonly open: boolean } {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"?|'[^']*'?|[^\s,[\]])+/gu) ?? [];
  return { count: words.length, open: words.length > 0 && !/[\s,[\]]$/u.test(text) };
}

/** The array's usage when the arguments are an array; with a choice of forms, the one that was begun. */
function activeUsage(usages: readonly Usage[], instruction: Instruction): number {
  const array = usages.findIndex((usage) => usage.parts.some((part) => part.quoted));
  if (instruction.rest?.text.startsWith("[") === true && array >= 0) return array;
  if (instruction.kind === "HEALTHCHECK") return /^none$/iu.test(instruction.mode?.text ?? "") ? 1 : 0;
  return instruction.kind === "ENV" && instruction.legacy ? 1 : 0;
}

function activePart(parts: readonly Part[], place: Place): number | undefined {
  if (place.kind === "flag") {
    const flags = parts.findIndex((part) => part.role === "flags");
    return flags < 0 ? undefined : flags;
  }
  const args = parts.filter((part) => part.role === "argument");
  const chosen = argumentPart(args, place.index, place.count);
  return chosen === undefined ? undefined : parts.indexOf(chosen);
}

/** Which part takes argument `index` of `count`; what stands behind a part for many takes the last ones. */
function argumentPart(args: readonly Part[], index: number, count: number): Part | undefined {
  const many = args.findIndex((part) => part.many);
  if (many < 0) return inOrder(args, index);
  if (index < many) return args[index];
  const behind = args.length - many - 1;
  const fromEnd = count - 1 - index;
  // The last word written is the destination as soon as something stands in front of it.
  return fromEnd < behind && index > many ? args[args.length - 1 - fromEnd] : args[many];
}

/** The last part takes all that is left, as a command does. */
function inOrder(args: readonly Part[], index: number): Part | undefined {
  let left = index;
  for (const part of args) {
    if (left < part.words) return part;
    left -= part.words;
  }
  return args.at(-1);
}

import type { ParameterInformation, SignatureHelp, SignatureInformation } from "vscode-languageserver";
import { type InstructionInfo, instructionInfo } from "../../kubefile/instructions.ts";
import type { Instruction } from "../../kubefile/syntax.ts";
import { cursorAt } from "../cursor.ts";
import type { OpenKubefile } from "../documents.ts";
import { innermost, instructionUnder } from "../locate.ts";

/** How the instruction around the cursor is written, with the part that the cursor stands in marked. */
export function signatureHelp(document: OpenKubefile, offset: number): SignatureHelp | null {
  const outer = instructionUnder(document.tree, offset);
  if (outer === undefined) return null;
  const instruction = innermost(outer, offset);
  const info = instructionInfo(instruction.keyword.text);
  if (info === undefined || offset <= instruction.keyword.span.end) return null;
  if (instruction.heredocs.some((heredoc) => heredoc.body.start <= offset)) return null;
  const usages = info.usage.map(partsOf);
  const place = placeOf(document, instruction, offset);
  const active = activeUsage(usages, instruction, info);
  return {
    signatures: usages.map((parts) => signatureOf(parts, info, place)),
    activeSignature: active,
    activeParameter: activePart(usages[active] ?? [], place) ?? null,
  };
}

/** One piece of a usage line. */
interface Part {
  readonly text: string;
  readonly start: number;
  readonly role: "keyword" | "flags" | "argument";
  /** Stands for any number of arguments. */
  readonly many: boolean;
}

type Place =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "argument"; readonly index: number; readonly count: number };

function partsOf(usage: string): Part[] {
  const parts: Part[] = [];
  // Brackets of a JSON array belong to its strings; optional pieces in brackets stay whole.
  for (const match of usage.matchAll(
    /\[--[^\]]*\]|\[FLAGS\]|\[AS NAME\]|"[^"]*"(?:, \.\.\.)?|[^\s,[\]]\S*\[[^\]]*\]\S*|[^\s[\]",]+/gu,
  )) {
    const text = match[0];
    const role = parts.length === 0 ? "keyword" : /^\[(?:--|FLAGS)/u.test(text) ? "flags" : "argument";
    parts.push({ text, start: match.index, role, many: text.endsWith("...") });
  }
  return parts;
}

function signatureOf(parts: readonly Part[], info: InstructionInfo, place: Place): SignatureInformation {
  const shown = parts.filter((part) => part.role !== "keyword");
  const last = parts.at(-1);
  const usage = info.usage.find((text) => last !== undefined && text.startsWith(last.text, last.start)) ?? info.name;
  return {
    label: usage,
    documentation: { kind: "markdown", value: documentationOf(info, place) },
    parameters: shown.map((part): ParameterInformation => ({ label: [part.start, part.start + part.text.length] })),
  };
}

function documentationOf(info: InstructionInfo, place: Place): string {
  const flag = place.kind === "flag" ? info.flags.find((candidate) => candidate.name === place.name) : undefined;
  return flag === undefined ? info.help : `\`--${flag.name}\`: ${flag.help}`;
}

function placeOf(document: OpenKubefile, instruction: Instruction, offset: number): Place {
  const cursor = cursorAt(document.tree, offset);
  if (cursor.kind === "flagName") return { kind: "flag", name: cursor.prefix.replace(/^-+/u, "") };
  if (cursor.kind === "flagValue") return { kind: "flag", name: cursor.name };
  const count = instruction.words.length;
  const index = instruction.words.filter((word) => word.span.end < offset).length;
  return { kind: "argument", index, count };
}

/** The array usage when the arguments are an array; with a choice of words, the one whose first word was written. */
function activeUsage(usages: readonly (readonly Part[])[], instruction: Instruction, info: InstructionInfo): number {
  const json = instruction.rest?.text.startsWith("[") ?? false;
  const array = info.usage.findIndex((usage) => usage.includes('["') && !usage.includes("] ["));
  if (json && array >= 0) return array;
  if (instruction.kind === "HEALTHCHECK") return /^none$/iu.test(instruction.mode?.text ?? "") ? 1 : 0;
  if (instruction.kind === "ENV" && instruction.legacy && instruction.pairs[0]?.value !== undefined) return 1;
  return usages.length > 0 ? 0 : 0;
}

function activePart(parts: readonly Part[], place: Place): number | undefined {
  const shown = parts.filter((part) => part.role !== "keyword");
  if (place.kind === "flag") {
    const flags = shown.findIndex((part) => part.role === "flags");
    return flags < 0 ? undefined : flags;
  }
  const args = shown.filter((part) => part.role === "argument");
  const chosen = argumentPart(args, place.index, place.count);
  return chosen === undefined ? undefined : shown.indexOf(chosen);
}

/** Which part takes argument `index` of `count`; what stands behind a part for many takes the last ones. */
function argumentPart(args: readonly Part[], index: number, count: number): Part | undefined {
  const many = args.findIndex((part) => part.many);
  if (many < 0) return args[index] ?? (args.length === 1 ? args[0] : undefined);
  if (index < many) return args[index];
  const behind = args.length - many - 1;
  const fromEnd = count - 1 - index;
  // The last word written is the destination as soon as something stands in front of it.
  return fromEnd < behind && index > many ? args[args.length - 1 - fromEnd] : args[many];
}

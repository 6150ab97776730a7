import {
  type CodeAction,
  CodeActionKind,
  type CodeActionParams,
  type Diagnostic,
  type TextEdit,
  type WorkspaceEdit,
} from "vscode-languageserver";
import type { CheckOptions } from "../../kubefile/check/check.ts";
import { suppressFixes } from "../../kubefile/check/suppress.ts";
import { fixAll } from "../../kubefile/fix.ts";
import { applyEdits } from "../../kubefile/format.ts";
import { itemIndexAt } from "../../kubefile/parse.ts";
import type { TextEdit as CoreEdit, Fix, Problem } from "../../kubefile/problems.ts";
import type { ClientSupport } from "../clientSupport.ts";
import type { OpenKubefile } from "../documents.ts";
import { editsOf, overlaps, rangeOf, spanOf } from "../ranges.ts";
import { diagnostics, problemPage } from "./diagnostics.ts";

/** The kind of the action that applies every safe fix of a file, for `editor.codeActionsOnSave`. */
export const fixAllKind = "source.fixAll.kubefile";

/** Kinds of actions the server offers. */
export const codeActionKinds: readonly string[] = [CodeActionKind.QuickFix, fixAllKind];

export type CodeActionOptions = Pick<
  ClientSupport,
  "documentChanges" | "relatedInformation" | "diagnosticTags" | "codeDescription" | "commands"
> &
  Pick<CheckOptions, "dialect" | "severities">;

/** Opens a page in the browser, where the client has registered it. */
const openPage = "kubefile.openProblemPage";

/**
 * Fixes for the problems in a range: safe ones are preferred, suggestions say so; each problem can be suppressed for its
 * line or the file. `source.fixAll.kubefile` applies every safe fix that does not get in another's way.
 */
export function codeActions(
  document: OpenKubefile,
  problems: readonly Problem[],
  params: Pick<CodeActionParams, "range" | "context">,
  options: CodeActionOptions,
): CodeAction[] {
  const wants = (kind: string): boolean => isWanted(kind, params.context.only);
  const actions: CodeAction[] = [];
  if (wants(CodeActionKind.QuickFix)) {
    const span = spanOf(document.lines, params.range);
    const here = problems.filter((problem) => overlaps(problem.span, span));
    for (const problem of here) actions.push(...fixesOf(document, problem, params.context.diagnostics, options));
    for (const problem of oncePerCodeAndLine(document, here))
      actions.push(...suppressions(document, problem, params, options));
    for (const problem of oncePerCode(here)) actions.push(...pageAction(problem, options));
  }
  if (asksFor(fixAllKind, params.context.only)) actions.push(...fixAllActions(document, problems, options));
  return actions;
}

/** The edits that apply every safe fix; of fixes that overlap, the first wins and the others wait for the next run. */
export function safeEdits(problems: readonly Problem[]): CoreEdit[] {
  const taken: CoreEdit[] = [];
  const safe = problems.flatMap((problem) => problem.fixes.find((fix) => fix.safe) ?? []);
  // Several problems may have the same fix.
  const fixes = [...new Map(safe.map((fix) => [JSON.stringify(fix.edits), fix])).values()];
  fixes.sort((a, b) => (a.edits[0]?.span.start ?? 0) - (b.edits[0]?.span.start ?? 0));
  for (const fix of fixes) {
    if (!fix.edits.every((edit) => isFree(taken, edit))) continue;
    for (const edit of fix.edits) taken.splice(placeFor(taken, edit), 0, edit);
  }
  return taken;
}

/** `taken` is in order and without overlaps, so only the two neighbours can be in the way. */
function isFree(taken: readonly CoreEdit[], edit: CoreEdit): boolean {
  const place = placeFor(taken, edit);
  const before = taken[place - 1];
  const behind = taken[place];
  return !(
    (before !== undefined && overlaps(before.span, edit.span)) ||
    (behind !== undefined && overlaps(behind.span, edit.span))
  );
}

function placeFor(taken: readonly CoreEdit[], edit: CoreEdit): number {
  let low = 0;
  let high = taken.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((taken[middle]?.span.start ?? 0) <= edit.span.start) low = middle + 1;
    else high = middle;
  }
  return low;
}

function fixesOf(
  document: OpenKubefile,
  problem: Problem,
  reported: readonly Diagnostic[],
  options: CodeActionOptions,
): CodeAction[] {
  const own = diagnosticFor(document, problem, reported, options);
  return problem.fixes.map((fix, index) => ({
    title: titleOf(fix),
    kind: CodeActionKind.QuickFix,
    diagnostics: [own],
    ...(fix.safe && index === 0 ? { isPreferred: true } : {}),
    edit: workspaceEdit(document, editsOf(document.lines, fix.edits), options),
  }));
}

function titleOf(fix: Fix): string {
  return fix.safe ? fix.title : `${fix.title} (changes what is built)`;
}

/** The client's own diagnostic, so that it can tie the action to its squiggle. */
function diagnosticFor(
  document: OpenKubefile,
  problem: Problem,
  reported: readonly Diagnostic[],
  options: CodeActionOptions,
): Diagnostic {
  const range = rangeOf(document.lines, problem.span);
  const known = reported.find(
    (candidate) =>
      candidate.code === problem.code &&
      candidate.range.start.line === range.start.line &&
      candidate.range.start.character === range.start.character,
  );
  const [made] = known === undefined ? diagnostics(document.lines, [problem], 1, options) : [known];
  return made ?? { range, message: problem.message };
}

/** A comment above the instruction, or at the head of the file, that silences the problem. */
function suppressions(
  document: OpenKubefile,
  problem: Problem,
  params: Pick<CodeActionParams, "context">,
  options: CodeActionOptions,
): CodeAction[] {
  const own = diagnosticFor(document, problem, params.context.diagnostics, options);
  return suppressFixes(document.tree, problem).map((fix) => ({
    title: fix.title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [own],
    edit: workspaceEdit(document, editsOf(document.lines, fix.edits), options),
  }));
}

function pageAction(problem: Problem, options: CodeActionOptions): CodeAction[] {
  if (!options.commands.includes(openPage)) return [];
  const title = `Explain ${problem.code}`;
  return [
    {
      title,
      kind: CodeActionKind.QuickFix,
      command: { title, command: openPage, arguments: [problemPage(problem.code)] },
    },
  ];
}

function fixAllActions(document: OpenKubefile, problems: readonly Problem[], options: CodeActionOptions): CodeAction[] {
  const { text } = document.tree;
  const edits = safeEdits(problems);
  if (edits.length === 0) return [];
  const once = applyEdits(text, edits);
  // A fix may make room for the next one: all passes become one edit.
  const done = fixAll(once, { dialect: options.dialect, severities: options.severities }).text;
  const all = done === once ? edits : [changedPart(text, done)];
  return [
    {
      title: "Apply all safe fixes",
      kind: fixAllKind,
      edit: workspaceEdit(document, editsOf(document.lines, all), options),
    },
  ];
}

/** The one edit that turns a text into another, without what both have at their start and end. */
function changedPart(before: string, after: string): CoreEdit {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let same = 0;
  while (same < shorter - start && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
  return { span: { start, end: before.length - same }, text: after.slice(start, after.length - same) };
}

/** Edits tied to the version they were made for, where the client checks it. */
export function workspaceEdit(
  document: OpenKubefile,
  edits: readonly TextEdit[],
  options: Pick<ClientSupport, "documentChanges">,
): WorkspaceEdit {
  const { uri, version } = document;
  return options.documentChanges
    ? { documentChanges: [{ textDocument: { uri, version }, edits: [...edits] }] }
    : { changes: { [uri]: [...edits] } };
}

function oncePerCode(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [problem.code, problem])).values()];
}

function oncePerCodeAndLine(document: OpenKubefile, problems: readonly Problem[]): Problem[] {
  const keyed = problems.map(
    (problem) => [`${problem.code} ${itemIndexAt(document.tree, problem.span.start)}`, problem] as const,
  );
  return [...new Map(keyed).values()];
}

/** No kinds asked for means all but `source` kinds, which only run when asked for. */
function isWanted(kind: string, only: readonly string[] | undefined): boolean {
  return only === undefined || asksFor(kind, only);
}

/** A kind asked for covers all kinds below it. */
function asksFor(kind: string, only: readonly string[] | undefined): boolean {
  return only?.some((wanted) => wanted === "" || kind === wanted || kind.startsWith(`${wanted}.`)) === true;
}

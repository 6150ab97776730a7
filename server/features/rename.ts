import { LSPErrorCodes, type Range, ResponseError, type TextEdit } from "vscode-languageserver";
import type { OpenKubefile } from "../documents.ts";
import { definitionsOf, type Named, type NameKind, namesOf, type Occurrence } from "../names.ts";
import { rangeOf } from "../ranges.ts";

/** What can be renamed at the cursor, or why it cannot. */
export function prepareRename(document: OpenKubefile, offset: number): { range: Range; placeholder: string } | null {
  const found = namesOf(document.tree).at(offset);
  if (found === undefined) return null;
  refuseUndefined(found.named);
  refuseNumber(document, found.occurrence);
  const { span } = found.occurrence;
  return { range: rangeOf(document.lines, span), placeholder: document.tree.text.slice(span.start, span.end) };
}

/** The edits that rename what the cursor stands on, everywhere it is meant. */
export function rename(document: OpenKubefile, offset: number, newName: string): TextEdit[] {
  const found = namesOf(document.tree).at(offset);
  if (found === undefined) return [];
  const { named } = found;
  refuseUndefined(named);
  refuseBadName(named.kind, newName);
  refuseTaken(document, named, newName);
  return named.occurrences
    .filter((occurrence) => !isNumber(document, named.kind, occurrence))
    .map((occurrence) => ({ range: rangeOf(document.lines, occurrence.span), newText: newName }));
}

function refuseUndefined(named: Named): void {
  if (definitionsOf(named).length > 0) return;
  throw new ResponseError(LSPErrorCodes.RequestFailed, `Cannot rename ${named.name}: this file does not define it.`);
}

/** `--from=0` means a stage by its place; there is no name to change. */
function refuseNumber(document: OpenKubefile, occurrence: Occurrence): void {
  if (!isNumber(document, "stage", occurrence)) return;
  throw new ResponseError(LSPErrorCodes.RequestFailed, "Cannot rename a number: it means the stage by its place.");
}

function isNumber(document: OpenKubefile, kind: NameKind, { role, span }: Occurrence): boolean {
  return kind === "stage" && role === "use" && /^\d+$/u.test(document.tree.text.slice(span.start, span.end));
}

const shapes: Readonly<Record<NameKind, { readonly pattern: RegExp; readonly rule: string }>> = {
  stage: { pattern: /^[A-Za-z][A-Za-z0-9_.-]*$/u, rule: "a letter, then letters, digits, `_`, `.` and `-`" },
  app: { pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]*$/u, rule: "letters, digits, `_`, `.` and `-`" },
  variable: { pattern: /^[A-Za-z_][A-Za-z0-9_]*$/u, rule: "letters, digits and `_`, no digit first" },
  heredoc: { pattern: /^[^\s<>'"\\`$&|;()[\]{},=#]+$/u, rule: "no blanks, quotes or brackets" },
};

function refuseBadName(kind: NameKind, newName: string): void {
  const { pattern, rule } = shapes[kind];
  if (pattern.test(newName)) return;
  throw new ResponseError(LSPErrorCodes.RequestFailed, `“${newName}” is no name for this: use ${rule}.`);
}

function refuseTaken(document: OpenKubefile, named: Named, newName: string): void {
  const same = (name: string): string => (named.kind === "stage" ? name.toLowerCase() : name);
  if (named.kind === "heredoc" || same(newName) === same(named.name)) return;
  const taken = namesOf(document.tree).all.some(
    (other) =>
      other !== named &&
      other.kind === named.kind &&
      same(other.name) === same(newName) &&
      (named.kind !== "variable" || other.stage === named.stage) &&
      definitionsOf(other).length > 0,
  );
  if (!taken) return;
  throw new ResponseError(LSPErrorCodes.RequestFailed, `“${newName}” is already in use here: choose another name.`);
}

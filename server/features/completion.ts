import { type CompletionItem, type CompletionList, InsertTextFormat, type Range } from "vscode-languageserver";
import type { Span } from "../../kubefile/span.ts";
import { argumentSuggestions } from "../complete/arguments.ts";
import { flagNames, flagValues } from "../complete/flags.ts";
import { directiveNames, directiveValues, keywords } from "../complete/keywords.ts";
import { type CompletionOptions, noSuggestions, type Suggestion, type Suggestions } from "../complete/suggestion.ts";
import { variables } from "../complete/variables.ts";
import { type Cursor, cursorAt } from "../cursor.ts";
import type { OpenKubefile } from "../documents.ts";
import { holdsInOrder } from "../matching.ts";
import { rangeOf } from "../ranges.ts";
import type { World } from "../world.ts";

/** What can be written at the cursor. Text alone answers at once; files and images within a moment, or not at all. */
export async function completion(
  document: OpenKubefile,
  offset: number,
  world: World,
  options: CompletionOptions,
  signal: AbortSignal,
): Promise<CompletionList> {
  const cursor = cursorAt(document.tree, offset);
  const found = suggest(document, cursor, offset, world, options, signal);
  const { items, incomplete } = found instanceof Promise ? await found : found;
  if (cursor.kind === "nothing") return { isIncomplete: false, items: [] };
  const ranges = replaceRanges(document, cursor.span, offset);
  const offered = items.length > mostOffered ? narrowed(items, lastPart(cursor.prefix)) : items;
  return {
    isIncomplete: incomplete || offered.length < items.length,
    items: offered.map((suggestion, index) => itemOf(suggestion, index, ranges, options)),
  };
}

/** The most that one answer offers; with more, the next letter asks again. */
const mostOffered = 250;

/** Those that hold the letters written so far in order, as editors match. */
function narrowed(items: readonly Suggestion[], written: string): Suggestion[] {
  return items.filter((item) => holdsInOrder(item.text ?? item.label, written)).slice(0, mostOffered);
}

/** What stands behind the last slash: a path is offered name by name. */
function lastPart(prefix: string): string {
  return prefix.slice(prefix.lastIndexOf("/") + 1);
}

function suggest(
  document: OpenKubefile,
  cursor: Cursor,
  offset: number,
  world: World,
  options: CompletionOptions,
  signal: AbortSignal,
): Suggestions | Promise<Suggestions> {
  switch (cursor.kind) {
    case "keyword":
      return { items: keywords(document.tree, cursor, options), incomplete: false };
    case "directiveName":
      return { items: directiveNames(document.tree), incomplete: false };
    case "directiveValue":
      return { items: directiveValues(cursor.name), incomplete: false };
    case "flagName":
      return { items: flagNames(cursor, options), incomplete: false };
    case "flagValue":
      return flagValues(document, cursor, world, options);
    case "variable":
      return { items: variables(document.tree, cursor), incomplete: false };
    case "argument":
      return argumentSuggestions(document, cursor, offset, world, options, signal);
    case "nothing":
      return noSuggestions;
    default:
      return cursor satisfies never;
  }
}

interface Ranges {
  readonly of: (span: Span | undefined) => Range;
}

/** A completion may only replace text of its own line. */
function replaceRanges(document: OpenKubefile, span: Span, offset: number): Ranges {
  const line = document.lines.positionAt(offset).line;
  const own = oneLine(rangeOf(document.lines, span), line, document, offset);
  return {
    of: (other) => (other === undefined ? own : oneLine(rangeOf(document.lines, other), line, document, offset)),
  };
}

function oneLine(range: Range, line: number, document: OpenKubefile, offset: number): Range {
  const here = document.lines.positionAt(offset);
  return {
    start: range.start.line === line ? range.start : { line, character: 0 },
    end: range.end.line === line ? range.end : here,
  };
}

function itemOf(suggestion: Suggestion, index: number, ranges: Ranges, options: CompletionOptions): CompletionItem {
  const { label, kind, snippet, detail } = suggestion;
  const useSnippet = snippet !== undefined && options.snippets;
  const newText = useSnippet ? snippet : (suggestion.text ?? label);
  return {
    label,
    kind,
    textEdit: { range: ranges.of(suggestion.span), newText },
    sortText: `${suggestion.group}${String(index).padStart(5, "0")}`,
    filterText: suggestion.text ?? label,
    ...(useSnippet ? { insertTextFormat: InsertTextFormat.Snippet } : {}),
    ...(detail === undefined ? {} : { detail }),
    ...(suggestion.deprecated === true ? (options.deprecatedTag ? { tags: [1] } : { deprecated: true }) : {}),
    ...(suggestion.again === true ? { command: { title: "Suggest", command: "editor.action.triggerSuggest" } } : {}),
    ...(suggestion.help === undefined ? {} : { data: suggestion.help }),
  };
}

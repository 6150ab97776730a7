import { type DocumentHighlight, DocumentHighlightKind, type Location } from "vscode-languageserver";
import type { OpenKubefile } from "../documents.ts";
import { namesOf } from "../names.ts";
import { rangeOf } from "../ranges.ts";

/** Every place that means what the cursor stands on. */
export function references(document: OpenKubefile, offset: number, includeDeclaration: boolean): Location[] {
  const found = namesOf(document.tree).at(offset);
  if (found === undefined) return [];
  return found.named.occurrences
    .filter((occurrence) => includeDeclaration || occurrence.role === "use")
    .map((occurrence) => ({ uri: document.uri, range: rangeOf(document.lines, occurrence.span) }));
}

/** The same places as highlights: definitions write, uses read. */
export function documentHighlights(document: OpenKubefile, offset: number): DocumentHighlight[] {
  const found = namesOf(document.tree).at(offset);
  if (found === undefined) return [];
  return found.named.occurrences.map((occurrence) => ({
    range: rangeOf(document.lines, occurrence.span),
    kind: occurrence.role === "definition" ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
  }));
}

import type { LinkedEditingRanges } from "vscode-languageserver";
import type { OpenKubefile } from "../documents.ts";
import { namesOf } from "../names.ts";
import { rangeOf } from "../ranges.ts";

/** The two markers of a heredoc change together while one is typed. */
export function linkedEditingRanges(document: OpenKubefile, offset: number): LinkedEditingRanges | null {
  const found = namesOf(document.tree).at(offset);
  if (found?.named.kind !== "heredoc" || found.named.occurrences.length < 2) return null;
  return {
    ranges: found.named.occurrences.map((occurrence) => rangeOf(document.lines, occurrence.span)),
    wordPattern: "[\\w.-]+",
  };
}

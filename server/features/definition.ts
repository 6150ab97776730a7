import type { LocationLink } from "vscode-languageserver";
import type { OpenKubefile } from "../documents.ts";
import { definitionsOf, instructionOfOccurrence, type Named, namesOf, type Occurrence } from "../names.ts";
import { rangeOf } from "../ranges.ts";

/**
 * Where the name under the cursor gets its meaning: for a variable, the nearest ARG or ENV above; for a stage, its FROM;
 * for an application, the last APP, CNI or CSI above; for the end of a heredoc, its opening marker.
 */
export function definition(document: OpenKubefile, offset: number): LocationLink[] {
  const found = namesOf(document.tree).at(offset);
  if (found === undefined) return [];
  const target = nearestDefinition(found.named, found.occurrence);
  return target === undefined ? [] : [link(document, found.occurrence, target)];
}

/** The place where the name was declared first, whatever overrides it below. */
export function declaration(document: OpenKubefile, offset: number): LocationLink[] {
  const found = namesOf(document.tree).at(offset);
  const first = found === undefined ? undefined : definitionsOf(found.named)[0];
  return found === undefined || first === undefined ? [] : [link(document, found.occurrence, first)];
}

function nearestDefinition(named: Named, from: Occurrence): Occurrence | undefined {
  if (from.role === "definition") return from;
  const definitions = definitionsOf(named);
  // What an instruction defines holds from the next one on.
  return definitions.findLast((candidate) => candidate.item < from.item) ?? definitions[0];
}

function link(document: OpenKubefile, from: Occurrence, to: Occurrence): LocationLink {
  const whole = instructionOfOccurrence(document.tree, to);
  return {
    originSelectionRange: rangeOf(document.lines, from.span),
    targetUri: document.uri,
    targetRange: rangeOf(document.lines, whole?.span ?? to.span),
    targetSelectionRange: rangeOf(document.lines, to.span),
  };
}

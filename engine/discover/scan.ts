import { EngineError, isEngineError } from "../errors.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import { type CustomRule, knownRules } from "./customResources.ts";
import {
  compareConfidence,
  compareOrigin,
  compareText,
  type Finding,
  type Mention,
  type Origin,
  type Unresolved,
} from "./found.ts";
import { isTemplate } from "./plausible.ts";

/** What several scans of one tree add up to while it is read. */
export interface Collection {
  readonly findings: Finding[];
  readonly unresolved: Unresolved[];
}

/** The project's rules for custom resources with the user's in front. */
export function allRules(own: readonly CustomRule[]): readonly CustomRule[] {
  return own.length === 0 ? knownRules : [...own, ...knownRules];
}

/**
 * Turns mentions into findings: a name that is a reference is normalised, one that is not is told as unresolved, with the reason.
 *
 * @param place what all mentions have in common: the file, and the chart or application it belongs to
 */
export function resolveMentions(
  mentions: readonly Mention[],
  place: Omit<Origin, "line" | "path">,
  into: Collection,
  originOf: (mention: Mention, image: string) => Pick<Origin, "valuesOrigin"> = () => ({}),
): void {
  for (const { text, path, line, rule, confidence } of mentions) {
    const resolved = normalise(text);
    if ("image" in resolved) {
      const origin = { ...place, line, path, ...originOf({ text, path, line, rule, confidence }, resolved.image) };
      into.findings.push({ image: resolved.image, text, confidence, rule, origin });
    } else into.unresolved.push({ text, rule, reason: resolved.reason, origin: { ...place, line, path } });
  }
}

function normalise(text: string): { readonly image: string } | { readonly reason: string } {
  // Istio's gateways are written so; the injector knows the image only in the cluster.
  if (text === "auto") return { reason: "Istio's injector puts the image in when the pod starts" };
  if (isTemplate(text)) return { reason: "the name holds a template expression" };
  try {
    return { image: formatReference(withDefaultTag(parseReference(text.trim()))) };
  } catch (error) {
    if (isEngineError(error, "REFERENCE_INVALID")) return { reason: error.facts.reason };
    throw error;
  }
}

/** Sorts a collection and takes out what was found twice at one place. */
export function sorted(collection: Collection): { findings: readonly Finding[]; unresolved: readonly Unresolved[] } {
  const findings = [...collection.findings].sort(
    (a, b) =>
      compareOrigin(a.origin, b.origin) ||
      compareText(a.image, b.image) ||
      compareConfidence(a.confidence, b.confidence),
  );
  const unresolved = [...collection.unresolved].sort(
    (a, b) => compareOrigin(a.origin, b.origin) || compareText(a.text, b.text),
  );
  return {
    findings: findings.filter((finding, index) => index === 0 || !samePlace(finding, findings[index - 1])),
    unresolved,
  };
}

function samePlace(a: Finding, b: Finding | undefined): boolean {
  return b !== undefined && a.image === b.image && compareOrigin(a.origin, b.origin) === 0;
}

/** Ends a scan that was cancelled. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new EngineError("CANCELLED", { what: "finding container images" });
}

import type { Dialect } from "../instructions.ts";
import { moveSpan } from "../parse.ts";
import type { Fix, ProblemCode, ProblemTag, RelatedPlace, Severity, TextEdit } from "../problems.ts";
import type { Span } from "../span.ts";

/**
 * Whose rule it is.
 * `everyone`: the rule's own severity. `docker`: builders of the Dockerfile family refuse it, sealer's parser does not.
 * `sealer`, `sealos`: that dialect refuses it, the other one is content.
 */
export type Verdict = "everyone" | "docker" | Dialect;

/** Something found in a Kubefile, before dialect, settings and suppressions say how much it matters. */
export interface Finding {
  readonly code: ProblemCode;
  readonly span: Span;
  readonly message: string;
  readonly verdict: Verdict;
  /** Only worth saying in this dialect. */
  readonly only: Dialect | undefined;
  /** Instead of the rule's own. */
  readonly severity: Severity | undefined;
  readonly related: readonly RelatedPlace[];
  readonly tags: readonly ProblemTag[];
  readonly fixes: readonly Fix[];
}

/** What may be said beside code, place and message. */
export interface FindingDetails {
  readonly verdict?: Verdict;
  readonly only?: Dialect;
  readonly severity?: Severity;
  readonly related?: readonly RelatedPlace[];
  readonly tags?: readonly ProblemTag[];
  readonly fixes?: readonly Fix[];
}

const noRelated: readonly RelatedPlace[] = [];
const noTags: readonly ProblemTag[] = [];
const noFixes: readonly Fix[] = [];

export function finding(code: ProblemCode, span: Span, message: string, details: FindingDetails = {}): Finding {
  return {
    code,
    span,
    message,
    verdict: details.verdict ?? "everyone",
    only: details.only,
    severity: details.severity,
    related: details.related ?? noRelated,
    tags: details.tags ?? noTags,
    fixes: details.fixes ?? noFixes,
  };
}

/** Adds what was found; most rules find nothing on most lines. */
export function add(found: Finding[], more: readonly Finding[]): void {
  if (more.length > 0) for (const one of more) found.push(one);
}

/** The same finding, `delta` characters further on. */
export function moveFinding(found: Finding, delta: number): Finding {
  if (delta === 0) return found;
  return {
    code: found.code,
    span: moveSpan(found.span, delta),
    message: found.message,
    verdict: found.verdict,
    only: found.only,
    severity: found.severity,
    related:
      found.related.length === 0
        ? noRelated
        : found.related.map((place) => ({ span: moveSpan(place.span, delta), message: place.message })),
    tags: found.tags,
    fixes: found.fixes.length === 0 ? noFixes : found.fixes.map((fix) => moveFix(fix, delta)),
  };
}

function moveFix(fix: Fix, delta: number): Fix {
  const edits = fix.edits.map((edit) => ({ span: moveSpan(edit.span, delta), text: edit.text }));
  return { title: fix.title, safe: fix.safe, edits };
}

/** A fix that never changes what is built. */
export function safeFix(title: string, ...edits: readonly TextEdit[]): Fix {
  return { title, safe: true, edits };
}

/** A fix to think about before taking it. */
export function suggestion(title: string, ...edits: readonly TextEdit[]): Fix {
  return { title, safe: false, edits };
}

export function replace(span: Span, text: string): TextEdit {
  return { span, text };
}

/** Whether a word holds variables, so that its value is not known here. */
export function isVariable(text: string): boolean {
  return text.includes("$");
}

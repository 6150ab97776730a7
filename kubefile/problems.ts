import type { Span } from "./span.ts";

export type Severity = "error" | "warning" | "information" | "hint";

/** What is wrong in a Kubefile, where, and what can be done about it. */
export interface Problem {
  readonly code: ProblemCode;
  readonly severity: Severity;
  readonly span: Span;
  /** One sentence or two: what was found, and what to do next. */
  readonly message: string;
  /** Other places that explain it, such as the first LAUNCH of two. */
  readonly related: readonly RelatedPlace[];
  readonly tags: readonly ProblemTag[];
  readonly fixes: readonly Fix[];
}

export interface RelatedPlace {
  readonly span: Span;
  readonly message: string;
}

/** `unnecessary`: shown faded. `deprecated`: shown struck through. */
export type ProblemTag = "unnecessary" | "deprecated";

/** Replace the text of `span` by `text`. */
export interface TextEdit {
  readonly span: Span;
  readonly text: string;
}

/** Edits that only make sense together: all are applied, or none. They do not overlap and are in order. */
export interface Fix {
  readonly title: string;
  /** A safe fix never changes what is built; fix-all applies only these. Others are suggestions. */
  readonly safe: boolean;
  readonly edits: readonly TextEdit[];
}

/** `KF` and three digits; each has a row in `rules` and a page `docs/problems/<code>.md`. */
export type ProblemCode = `KF${string}`;

/**
 * What discovery answers: one entry for each place that names a container image.
 *
 * `certain`: a field that the kubelet itself reads. `high`: a rule for a known kind, or a pod-shaped part of an unknown one.
 * `medium`: a name that says "image", or a value that can hardly be anything else. `declared`: a chart says that it may use the image.
 */
export type Confidence = "certain" | "high" | "medium" | "declared";

/** Where a name was found; enough to open the place in an editor. */
export interface Origin {
  /** Path of the file inside the scanned tree, `/`-separated, without a leading slash. */
  readonly file: string;
  /** 1-based line in `file`; for a rendered chart, the line of the rendered template. */
  readonly line: number;
  /** Path inside the document, such as `spec.template.spec.containers[0].image`; empty for plain lists. */
  readonly path: string;
  /** Folder of the chart that was rendered, when one was. */
  readonly chart?: string;
  /** The value set the chart was rendered with, when one was: `values.yaml` or the name of an added file. */
  readonly values?: string;
  /** Where the chart's own values name the image, when that can be told. */
  readonly valuesOrigin?: { readonly file: string; readonly line: number };
  /** Name of the application whose files these are, when they lie in `application/apps/<name>`. */
  readonly app?: string;
}

/** One place that names an image. */
export interface Finding {
  /** Normalised name with registry and tag or digest, such as `docker.io/library/nginx:latest`. */
  readonly image: string;
  /** The name as it is written. */
  readonly text: string;
  readonly confidence: Confidence;
  /** Which rule found it, for people: `Deployment container`, `env RELATED_IMAGE_X` … */
  readonly rule: string;
  readonly origin: Origin;
}

/** A place that should name an image and does not: reported, never guessed. */
export interface Unresolved {
  readonly text: string;
  readonly reason: string;
  readonly rule: string;
  readonly origin: Origin;
}

/** The answer of one scan; both lists are sorted by file, line and path. */
export interface Discovery {
  readonly findings: readonly Finding[];
  readonly unresolved: readonly Unresolved[];
}

/** What a walker knows of a document before it has a file: the place inside it. */
export interface Mention {
  readonly text: string;
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly confidence: Confidence;
}

const confidenceRank: Readonly<Record<Confidence, number>> = { certain: 0, high: 1, medium: 2, declared: 3 };

/** Orders confidences: negative when `a` is the surer one. */
export function compareConfidence(a: Confidence, b: Confidence): number {
  return confidenceRank[a] - confidenceRank[b];
}

/** Orders places by file, line, path, then by the rendering they belong to; bytewise, so the same on every machine. */
export function compareOrigin(a: Origin, b: Origin): number {
  return (
    compareText(a.file, b.file) ||
    a.line - b.line ||
    compareText(a.path, b.path) ||
    compareText(a.values ?? "", b.values ?? "")
  );
}

/** Compares two strings by UTF-16 code unit, never by locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

import { type ByteString, bytesOfText } from "../byteString.ts";
import {
  type Absence,
  absenceOf,
  type BuildContext,
  type ContextEntry,
  contextEntry,
  namesIn,
  resolveInContext,
} from "./context.ts";
import { hasWildcard, matchSegment } from "./wildcard.ts";

/** One thing a COPY source means. */
export interface SourceMatch {
  /** The path as asked for, wildcards replaced, cleaned; what `--parents` and the name at the destination go by. */
  readonly asked: ByteString;
  /** What is there, links followed. */
  readonly entry: ContextEntry;
}

/** What a source word means, or why it means nothing. */
export type SourceMatches =
  | { readonly found: readonly SourceMatch[]; readonly wildcard: boolean }
  | { readonly absent: Absence; readonly wildcard: boolean };

/**
 * Finds what one source of COPY, ADD or APP names in the context. Absolute paths and `..` stay inside the root, as Docker does it.
 * Wildcards are Go's `filepath.Match`; matches come in bytewise order. Hidden things are not found.
 */
export function findSource(context: BuildContext, pattern: string): SourceMatches {
  const clean = cleanPath(bytesOfText(pattern));
  if (!hasWildcard(clean)) return findLiteral(context, clean);
  const found: SourceMatch[] = [];
  let hidden: ByteString | undefined;
  for (const asked of expand(context, clean.split("/"))) {
    if (context.ignore.verdict(asked).hidden && !hasVisibleBelow(context, asked)) {
      hidden ??= asked;
      continue;
    }
    const entry = resolveInContext(context, asked);
    if (entry !== undefined) found.push({ asked, entry });
  }
  if (found.length > 0) return { found, wildcard: true };
  return { absent: hidden === undefined ? { kind: "missing" } : absenceOf(context, hidden), wildcard: true };
}

function findLiteral(context: BuildContext, path: ByteString): SourceMatches {
  const entry = resolveInContext(context, path);
  if (entry === undefined) return { absent: { kind: "missing" }, wildcard: false };
  const hidden = [path, entry.path].find((at) => at !== "" && context.ignore.verdict(at).hidden);
  if (hidden !== undefined && !(entry.kind === "directory" && hasVisibleBelow(context, entry.path))) {
    return { absent: absenceOf(context, hidden), wildcard: false };
  }
  return { found: [{ asked: path, entry }], wildcard: false };
}

/** Whether a hidden directory still has something a later rule shows. */
function hasVisibleBelow(context: BuildContext, directory: ByteString): boolean {
  if (!context.ignore.verdict(directory).mayShowBelow) return false;
  if (contextEntry(context, directory)?.kind !== "directory") return false;
  return namesIn(context, directory).some((name) => {
    const path = `${directory}/${name}` as ByteString;
    return !context.ignore.verdict(path).hidden || hasVisibleBelow(context, path);
  });
}

function expand(context: BuildContext, parts: readonly string[]): readonly ByteString[] {
  let paths: readonly ByteString[] = ["" as ByteString];
  for (const part of parts) paths = paths.flatMap((path) => expandPart(context, path, part));
  return [...paths].sort();
}

function expandPart(context: BuildContext, path: ByteString, part: string): readonly ByteString[] {
  const join = (name: string): ByteString => (path === "" ? name : `${path}/${name}`) as ByteString;
  if (!hasWildcard(part)) return contextEntry(context, join(part)) === undefined ? [] : [join(part)];
  const directory = resolveInContext(context, path);
  if (directory?.kind !== "directory") return [];
  return namesIn(context, directory.path)
    .filter((name) => matchSegment(part, name))
    .map(join);
}

/** A path without `.`, `..`, doubled and outer slashes; `..` stops at the root. */
export function cleanPath(path: ByteString): ByteString {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/") as ByteString;
}

/** The absence in words, for the message of a failed COPY. */
export function describeAbsence(absence: Absence): string {
  if (absence.kind === "missing") return "it is not in the build context";
  return `${absence.file} line ${absence.line} (${absence.rule}) hides it`;
}

/** The last part of a path. */
export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1) as ByteString;
}

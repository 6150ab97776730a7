import { type ByteString, compareBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { type BuildContext, type ContextEntry, walkContext } from "./context.ts";
import type { ExcludeRules } from "./excludes.ts";
import { baseName, describeAbsence, findSource, type SourceMatch, shown } from "./sources.ts";

/** Something of the context and where it goes in the image. */
export interface PlacedEntry {
  readonly entry: ContextEntry;
  /** Relative to the root of the image, no leading slash. */
  readonly target: ByteString;
}

/** What COPY asks for, with variables expanded. */
export interface CopyRequest {
  /** For messages: `COPY`, `APP`. */
  readonly instruction: string;
  readonly sources: readonly string[];
  /** Absolute path in the image, already resolved against WORKDIR. */
  readonly destination: ByteString;
  /** The destination was written as a directory: with a slash, `.` or `..` at its end. */
  readonly intoDirectory: boolean;
  /** Keep the directories of the source below the destination. */
  readonly parents: boolean;
  readonly excludes: ExcludeRules;
}

/** How the request falls out. */
export interface CopyLayout {
  readonly placed: readonly PlacedEntry[];
  /** The destination of a single file, or the directory all goes into; no leading slash. */
  readonly destination: ByteString;
  /** Whether `destination` is a directory that must exist. */
  readonly isDirectory: boolean;
  /** What each source word meant, for detecting the type of an application. */
  readonly matches: readonly (readonly SourceMatch[])[];
}

/**
 * Lays out a COPY as Docker does: a directory's contents go into the destination, a file goes to the destination or, when that is a
 * directory, into it. `destinationExists` tells whether the image below has such a directory.
 * Throws `COPY_SOURCE_MISSING`, `COPY_DESTINATION_NOT_DIRECTORY`, and what reading the context throws.
 */
export async function layOutCopy(
  context: BuildContext,
  request: CopyRequest,
  destinationExists: boolean,
  signal: AbortSignal,
): Promise<CopyLayout> {
  if (request.sources.length > 1 && !request.intoDirectory && !destinationExists) {
    throw new EngineError("COPY_DESTINATION_NOT_DIRECTORY", {
      instruction: request.instruction,
      destination: `/${shown(request.destination)}`,
    });
  }
  const matches = request.sources.map((source) => matchesOf(context, request, source));
  const all = matches.flat();
  const isDirectory =
    request.intoDirectory ||
    destinationExists ||
    request.parents ||
    all.length !== 1 ||
    all[0]?.entry.kind === "directory";
  const placed = new Map<ByteString, PlacedEntry>();
  for (const match of all) {
    for (const item of await place(context, request, match, isDirectory, signal)) placed.set(item.target, item);
  }
  return {
    placed: [...placed.values()].sort((a, b) => compareBytes(a.target, b.target)),
    destination: request.destination,
    isDirectory,
    matches,
  };
}

function matchesOf(context: BuildContext, request: CopyRequest, source: string): readonly SourceMatch[] {
  const matches = findSource(context, pivotless(source));
  if ("found" in matches) return matches.found;
  throw new EngineError("COPY_SOURCE_MISSING", {
    instruction: request.instruction,
    source,
    reason: describeAbsence(matches.absent),
    ...(matches.absent.kind === "ignored" ? { ignoreFile: matches.absent.file, ignoreLine: matches.absent.line } : {}),
  });
}

/** With `--parents`, `a/./b` keeps only what stands behind the `./`; the path itself is the same. */
function pivotless(source: string): string {
  return source.replace(/\/\.\//g, "/");
}

async function place(
  context: BuildContext,
  request: CopyRequest,
  match: SourceMatch,
  isDirectory: boolean,
  signal: AbortSignal,
): Promise<readonly PlacedEntry[]> {
  const { entry, asked } = match;
  const into = request.destination;
  if (request.parents) return placeWithParents(context, request, match, signal);
  if (entry.kind === "directory") {
    const below = await walkContext(context, entry.path, signal);
    const cut = entry.path === "" ? 0 : entry.path.length + 1;
    return below
      .map((item) => ({ entry: item, inside: item.path.slice(cut) as ByteString }))
      .filter(({ inside }) => !request.excludes.excludes(inside))
      .map(({ entry: item, inside }) => ({ entry: item, target: join(into, inside) }));
  }
  const name = baseName(asked);
  if (request.excludes.excludes(name)) return [];
  return [{ entry, target: isDirectory ? join(into, name) : into }];
}

async function placeWithParents(
  context: BuildContext,
  request: CopyRequest,
  { entry, asked }: SourceMatch,
  signal: AbortSignal,
): Promise<readonly PlacedEntry[]> {
  const kept = keptParents(request, asked);
  const target = join(request.destination, kept);
  if (entry.kind !== "directory") return request.excludes.excludes(kept) ? [] : [{ entry, target }];
  const below = await walkContext(context, entry.path, signal);
  const cut = entry.path === "" ? 0 : entry.path.length + 1;
  const items = below.map((item) => ({ entry: item, inside: join(kept, item.path.slice(cut)) }));
  return [
    ...(target === "" ? [] : [{ entry, target }]),
    ...items
      .filter(({ inside }) => !request.excludes.excludes(inside))
      .map(({ entry: item, inside }) => ({ entry: item, target: join(request.destination, inside) })),
  ];
}

/** The part of the path that is kept: all of it, or what stands behind `/./` in the source it came from. */
function keptParents(request: CopyRequest, asked: ByteString): ByteString {
  for (const source of request.sources) {
    const pivot = source.indexOf("/./");
    if (pivot < 0) continue;
    const before = source
      .slice(0, pivot)
      .split("/")
      .filter((part) => part !== "" && part !== ".").length;
    const parts = asked.split("/");
    if (parts.length > before) return parts.slice(before).join("/") as ByteString;
  }
  return asked;
}

function join(directory: ByteString, path: string): ByteString {
  if (directory === "") return path as ByteString;
  return (path === "" ? directory : `${directory}/${path}`) as ByteString;
}

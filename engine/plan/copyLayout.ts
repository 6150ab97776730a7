import { type ByteString, compareBytes, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { type BuildContext, type ContextEntry, walkContext } from "./context.ts";
import type { ExcludeRules } from "./excludes.ts";
import { baseName, describeAbsence, findSource, type SourceMatch } from "./sources.ts";

/** One thing that is copied: a file, or a directory whose contents are. */
export interface TopSource<Item> {
  /** What it is called when it goes into a directory. */
  readonly name: ByteString;
  /** Its items go below the destination by their `inside`; else it is one file. */
  readonly isDirectory: boolean;
  readonly items: readonly { readonly inside: ByteString; readonly item: Item }[];
}

/** Where a copy goes. Paths without leading slash. */
export interface CopyDestination {
  /** For messages: `COPY`, `APP`. */
  readonly instruction: string;
  readonly path: ByteString;
  /** Written as a directory: with a slash, `.` or `..` at its end. */
  readonly intoDirectory: boolean;
  /** The image below has such a directory. */
  readonly exists: boolean;
  /** How many sources the instruction names. */
  readonly sourceCount: number;
}

export interface CopyLayout<Item> {
  /** By target, bytewise; each target once, the later source wins. */
  readonly placed: readonly { readonly target: ByteString; readonly item: Item }[];
  /** The destination is a directory that must exist. */
  readonly isDirectory: boolean;
}

/**
 * Gives every item its place as Docker does: a directory's contents go into the destination, a file goes to the destination or, when that
 * is a directory, into it. Throws `COPY_DESTINATION_NOT_DIRECTORY`.
 */
export function placeSources<Item>(
  sources: readonly TopSource<Item>[],
  destination: CopyDestination,
): CopyLayout<Item> {
  const { path, intoDirectory, exists, sourceCount, instruction } = destination;
  if (sourceCount > 1 && !intoDirectory && !exists) {
    throw new EngineError("COPY_DESTINATION_NOT_DIRECTORY", { instruction, destination: `/${textOfBytes(path)}` });
  }
  const isDirectory = intoDirectory || exists || sources.length !== 1 || sources[0]?.isDirectory === true;
  const placed = sources.flatMap((source) =>
    source.items.map(({ inside, item }) => ({ target: targetOf(source, inside, path, isDirectory), item })),
  );
  placed.sort((a, b) => compareBytes(a.target, b.target));
  // The sort is stable: of those with one target the last came last.
  const last = placed.filter(({ target }, index) => placed[index + 1]?.target !== target);
  return { placed: last, isDirectory };
}

function targetOf<Item>(
  source: TopSource<Item>,
  inside: ByteString,
  path: ByteString,
  isDirectory: boolean,
): ByteString {
  if (source.isDirectory) return joinBytes(path, inside);
  return isDirectory ? joinBytes(path, source.name) : path;
}

/** Joins two relative paths, either of which may be empty. */
export function joinBytes(directory: ByteString, path: string): ByteString {
  if (directory === "") return path as ByteString;
  return (path === "" ? directory : `${directory}/${path}`) as ByteString;
}

/** Which files of the context an instruction asks for. */
export interface ContextRequest {
  readonly instruction: string;
  readonly sources: readonly string[];
  /** Keep the directories of the source below the destination. */
  readonly parents: boolean;
  readonly excludes: ExcludeRules;
}

/** What the sources of an instruction are in the context: one for each match. */
export interface ContextSource extends TopSource<ContextEntry> {
  readonly match: SourceMatch;
}

/**
 * Finds the sources of COPY, ADD or APP in the context. Throws `COPY_SOURCE_MISSING`, with the rule and line that hides it when one does, and
 * what reading the context throws.
 */
export async function contextSources(
  context: BuildContext,
  request: ContextRequest,
  signal: AbortSignal,
): Promise<readonly ContextSource[]> {
  const found: ContextSource[] = [];
  for (const source of request.sources) {
    for (const match of matchesOf(context, request, source)) {
      found.push(await contextSource(context, request, match, source, signal));
    }
  }
  return found;
}

function matchesOf(context: BuildContext, request: ContextRequest, source: string): readonly SourceMatch[] {
  const matches = findSource(context, source);
  if ("found" in matches) return matches.found;
  throw new EngineError("COPY_SOURCE_MISSING", {
    instruction: request.instruction,
    source,
    reason: describeAbsence(matches.absent),
    ...(matches.absent.kind === "ignored" ? { ignoreFile: matches.absent.file, ignoreLine: matches.absent.line } : {}),
  });
}

async function contextSource(
  context: BuildContext,
  request: ContextRequest,
  match: SourceMatch,
  written: string,
  signal: AbortSignal,
): Promise<ContextSource> {
  const { entry, asked } = match;
  const name = baseName(asked);
  const kept = request.parents ? keptParents(written, asked) : ("" as ByteString);
  const isFile = entry.kind !== "directory";
  const below = isFile ? [] : await walkContext(context, entry.path, signal);
  const cut = entry.path === "" ? 0 : entry.path.length + 1;
  const items = below
    .map((item) => ({ item, inside: item.path.slice(cut) as ByteString }))
    .filter(({ inside }) => !request.excludes.excludes(inside))
    .map(({ item, inside }) => ({ item, inside: joinBytes(kept, inside) }));
  if (isFile && !request.excludes.excludes(name)) items.push({ item: entry, inside: kept });
  if (!isFile && kept !== "") items.unshift({ item: entry, inside: kept });
  return { match, name, isDirectory: !isFile || request.parents, items };
}

/** The part of the path that `--parents` keeps: all of it, or what stands behind `/./` as it was written. */
function keptParents(written: string, asked: ByteString): ByteString {
  const pivot = written.indexOf("/./");
  if (pivot < 0) return asked;
  const before = written
    .slice(0, pivot)
    .split("/")
    .filter((part) => part !== "" && part !== ".").length;
  return asked.split("/").slice(before).join("/") as ByteString;
}

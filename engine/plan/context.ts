import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { type ByteString, bytesOfText, fsPath, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import type { IgnoreRules } from "./ignoreFile.ts";

/** One thing in the build context, as `lstat` saw it. */
export interface ContextEntry {
  /** Relative to the root, `/` between parts, no leading slash; empty for the root itself. */
  readonly path: ByteString;
  readonly kind: ContextKind;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for what is not a file. */
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly dev: bigint;
  readonly ino: bigint;
  /** How many names the file has. */
  readonly names: number;
  /** What a symlink says; empty for others. */
  readonly linkTarget: ByteString;
  /** Device numbers of a device, in the kernel's encoding; 0 for others. */
  readonly device: number;
}

export type ContextKind = "file" | "directory" | "symlink" | "fifo" | "characterDevice" | "blockDevice" | "socket";

/** Where files are copied from: a folder nobody may look out of, and the rules that hide parts of it. */
export interface BuildContext {
  /** Absolute path, itself free of symlinks. */
  readonly root: ByteString;
  readonly ignore: IgnoreRules;
}

/** Why a path is not there for the Kubefile. */
export type Absence =
  | { readonly kind: "missing" }
  /** `.kubefileignore` line 3: `*.log`. */
  | { readonly kind: "ignored"; readonly file: string; readonly line: number; readonly rule: string };

const typeMask = 0o170000;
const kinds: ReadonlyMap<number, ContextKind> = new Map([
  [0o100000, "file"],
  [0o040000, "directory"],
  [0o120000, "symlink"],
  [0o010000, "fifo"],
  [0o020000, "characterDevice"],
  [0o060000, "blockDevice"],
  [0o140000, "socket"],
]);
const nothing = "" as ByteString;
const mostLinks = 40;

/** The absolute path of something in the context. */
export function hostPath(context: BuildContext, path: ByteString): ByteString {
  return path === "" ? context.root : (`${context.root}/${path}` as ByteString);
}

/** `lstat` of a path as it stands, links not followed; undefined when there is nothing. Throws `CONTEXT_UNREADABLE`. */
export function contextEntry(context: BuildContext, path: ByteString): ContextEntry | undefined {
  const host = hostPath(context, path);
  try {
    const stats = lstatSync(fsPath(host), { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? undefined : entryOf(path, stats, host);
  } catch (error) {
    if (isCode(error, "ENOTDIR") || isCode(error, "ENOENT") || isCode(error, "ENAMETOOLONG")) return undefined;
    throw unreadable(path, error);
  }
}

function entryOf(path: ByteString, stats: BigIntStats, host: ByteString): ContextEntry {
  const mode = Number(stats.mode);
  const kind = kinds.get(mode & typeMask) ?? "socket";
  return {
    path,
    kind,
    mode: mode & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: kind === "file" ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    dev: stats.dev,
    ino: stats.ino,
    names: Number(stats.nlink),
    linkTarget: kind === "symlink" ? (readlinkSync(fsPath(host), "latin1") as ByteString) : nothing,
    device: kind === "characterDevice" || kind === "blockDevice" ? Number(stats.rdev) : 0,
  };
}

/**
 * Finds what a path of the Kubefile means: links on the way and at its end are followed, inside the root: an absolute target starts
 * at the root, and `..` stops there. Undefined when something on the way is missing. Throws `CONTEXT_LINK_LOOP`.
 */
export function resolveInContext(context: BuildContext, path: ByteString): ContextEntry | undefined {
  let left = path.split("/").reverse();
  const done: string[] = [];
  for (let links = 0; left.length > 0; ) {
    const part = left.pop() ?? "";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const here = [...done, part].join("/") as ByteString;
    const entry = contextEntry(context, here);
    if (entry === undefined) return undefined;
    if (entry.kind !== "symlink") {
      done.push(part);
      continue;
    }
    links++;
    if (links > mostLinks) throw new EngineError("CONTEXT_LINK_LOOP", { path: textOfBytes(path) });
    if (entry.linkTarget.startsWith("/")) done.length = 0;
    left = [...left, ...entry.linkTarget.split("/").reverse()];
  }
  return contextEntry(context, done.join("/") as ByteString);
}

/** Names in a directory of the context, bytewise sorted. Throws `CONTEXT_UNREADABLE`. */
export function namesIn(context: BuildContext, directory: ByteString): readonly ByteString[] {
  try {
    return readdirSync(fsPath(hostPath(context, directory)), "latin1").sort() as ByteString[];
  } catch (error) {
    if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR"))
      throw new EngineError("CONTEXT_CHANGED", { path: textOfBytes(directory) });
    throw unreadable(directory, error);
  }
}

/**
 * Everything below a directory that no rule hides, parents before children, bytewise by name; links are not followed, so the walk ends.
 * Directories that are hidden are still entered when a later rule could show something inside. Gives way to other work every 10 ms.
 */
export async function walkContext(
  context: BuildContext,
  directory: ByteString,
  signal: AbortSignal,
): Promise<readonly ContextEntry[]> {
  const found: ContextEntry[] = [];
  const pending: ContextEntry[] = [];
  let breath = performance.now();
  const enter = (path: ByteString): void => {
    const prefix = path === "" ? "" : `${path}/`;
    const children: ContextEntry[] = [];
    for (const name of namesIn(context, path)) {
      const entry = contextEntry(context, `${prefix}${name}` as ByteString);
      // Gone between the listing and now: the next look at the directory would not show it either.
      if (entry !== undefined) children.push(entry);
    }
    for (let index = children.length - 1; index >= 0; index--) {
      const child = children[index];
      if (child !== undefined) pending.push(child);
    }
  };
  enter(directory);
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    const verdict = context.ignore.verdict(entry.path);
    if (!verdict.hidden) found.push(entry);
    if (entry.kind === "directory" && (!verdict.hidden || verdict.mayShowBelow)) enter(entry.path);
    if (performance.now() - breath > 10) {
      await setImmediate();
      if (signal.aborted) throw new EngineError("CANCELLED", { what: "Reading the build context" });
      breath = performance.now();
    }
  }
  return context.ignore.hidesNothing ? found : withParents(context, found, directory);
}

/** A file shown inside a hidden directory needs that directory, and Docker packs it then too. */
function withParents(
  context: BuildContext,
  found: readonly ContextEntry[],
  directory: ByteString,
): readonly ContextEntry[] {
  const have = new Set<string>(found.filter((entry) => entry.kind === "directory").map((entry) => entry.path));
  const result: ContextEntry[] = [];
  for (const entry of found) {
    for (const parent of missingParents(entry.path, directory, have)) {
      have.add(parent);
      const parentEntry = contextEntry(context, parent);
      if (parentEntry !== undefined) result.push(parentEntry);
    }
    result.push(entry);
  }
  return result;
}

function missingParents(path: ByteString, below: ByteString, have: ReadonlySet<string>): readonly ByteString[] {
  const missing: ByteString[] = [];
  for (let slash = path.lastIndexOf("/"); slash > below.length; slash = path.lastIndexOf("/", slash - 1)) {
    const parent = path.slice(0, slash) as ByteString;
    if (have.has(parent)) break;
    missing.unshift(parent);
  }
  return missing;
}

/** Why a path that was asked for is not there. */
export function absenceOf(context: BuildContext, path: ByteString): Absence {
  const verdict = context.ignore.verdict(path);
  if (verdict.hidden && verdict.rule !== undefined && resolveInContext(context, path) !== undefined) {
    return { kind: "ignored", file: verdict.rule.file, line: verdict.rule.line, rule: verdict.rule.text };
  }
  return { kind: "missing" };
}

/** Device number of the kernel as major and minor. */
export function deviceNumbers(device: number): { readonly major: number; readonly minor: number } {
  const number = BigInt(device);
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)),
    minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)),
  };
}

/** Opens a folder as build context. Throws `CONTEXT_MISSING`. `realRoot` is its path without symlinks. */
export function buildContext(realRoot: string, ignore: IgnoreRules): BuildContext {
  const root = bytesOfText(realRoot);
  return { root: (root === "/" ? "" : root) as ByteString, ignore };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function unreadable(path: ByteString, error: unknown): EngineError {
  const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return new EngineError(
    "CONTEXT_UNREADABLE",
    { path: path === "" ? "." : textOfBytes(path), reason },
    { cause: error },
  );
}

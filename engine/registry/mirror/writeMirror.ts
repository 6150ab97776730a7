import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../../errors.ts";
import type { Finding, MirrorConfig, NodeFiles, PlannedFile } from "./mirrorConfig.ts";
import { type MirrorRuntimeName, mirrorRuntimes } from "./runtimes.ts";

/** What was done to a file. */
export interface FileChange {
  readonly path: string;
  readonly done: "written" | "unchanged" | "restored" | "removed" | "left";
  /** Why it was left. */
  readonly reason?: string;
}

/** One file as it was before the mirror was written into it, and a print of what was written. */
interface JournalEntry {
  readonly path: string;
  /** Base64 of the bytes before; absent when there was no file. */
  readonly before?: string;
  readonly mode?: number;
  readonly written: string;
}

interface Journal {
  readonly version: 1;
  readonly runtime: string;
  readonly files: readonly JournalEntry[];
}

/** The files of a node whose root lies in a folder; `/` for this machine. */
export function nodeFiles(root: string): NodeFiles {
  return {
    read(file) {
      const place = path.join(root, file);
      return statSync(place, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(place, "utf8") : undefined;
    },
    list(folder) {
      const place = path.join(root, folder);
      return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(place).sort() : [];
    },
  };
}

/**
 * Makes a runtime use a mirror. What stood there before is kept in a journal beside the files, which is written first: whatever happens
 * then, `removeMirror` finds the way back. Writing again changes only what differs.
 *
 * Throws `MIRROR_FILE_CONFLICT` before anything is changed.
 */
export async function writeMirror(
  root: string,
  runtime: MirrorRuntimeName,
  config: MirrorConfig,
): Promise<readonly FileChange[]> {
  const planned = mirrorRuntimes[runtime].plan(config, nodeFiles(root));
  const known = readJournal(root, runtime);
  const entries = new Map(known?.files.map((entry) => [entry.path, entry]));
  for (const file of planned) entries.set(file.path, entryOf(root, file, entries.get(file.path)));
  const journal: Journal = {
    version: 1,
    runtime,
    files: [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  await replaceFile(journalPath(root, runtime), `${JSON.stringify(journal, undefined, 1)}\n`, 0o600);
  const changes: FileChange[] = [];
  for (const file of planned) {
    const place = path.join(root, file.path);
    const same = existsSync(place) && readFileSync(place, "utf8") === file.text;
    if (!same) await replaceFile(place, file.text, file.secret ? 0o600 : modeOf(place, 0o644));
    else if (file.secret) chmodSync(place, 0o600);
    changes.push({ path: file.path, done: same ? "unchanged" : "written" });
  }
  return changes;
}

/**
 * Puts back what was there before the mirror was written. A file that somebody changed since is left, and said so; the journal stays as
 * long as one is left.
 */
export async function removeMirror(root: string, runtime: MirrorRuntimeName): Promise<readonly FileChange[]> {
  const journal = readJournal(root, runtime);
  if (journal === undefined) return [];
  const changes: FileChange[] = [];
  const left: JournalEntry[] = [];
  for (const entry of journal.files) {
    const change = await restore(root, entry);
    changes.push(change);
    if (change.done === "left") left.push(entry);
  }
  const place = journalPath(root, runtime);
  if (left.length > 0)
    await replaceFile(place, `${JSON.stringify({ ...journal, files: left }, undefined, 1)}\n`, 0o600);
  else rmSync(place);
  return changes;
}

/** What is missing, different or known to go wrong, the gravest first. */
export function examineMirror(root: string, runtime: MirrorRuntimeName, config: MirrorConfig): readonly Finding[] {
  const node = nodeFiles(root);
  const { plan, examine } = mirrorRuntimes[runtime];
  const findings = [...examine(config, node)];
  try {
    for (const file of plan(config, node)) {
      const text = node.read(file.path);
      if (text === undefined) findings.push({ level: "error", file: file.path, text: "It is missing." });
      else if (text !== file.text)
        findings.push({ level: "warning", file: file.path, text: "It is not what would be written for this mirror." });
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    findings.push({ level: "error", file: "", text: error.message });
  }
  const order = { error: 0, warning: 1, info: 2 };
  return findings.sort((a, b) => order[a.level] - order[b.level]);
}

function entryOf(root: string, file: PlannedFile, known: JournalEntry | undefined): JournalEntry {
  const written = printOf(file.text);
  const place = path.join(root, file.path);
  const current = existsSync(place) ? readFileSync(place) : undefined;
  // What the mirror itself wrote last time is not what stood there before.
  if (known !== undefined && (current === undefined || printOf(current) === known.written))
    return { ...known, written };
  if (current === undefined) return { path: file.path, written };
  const unchanged = printOf(current) === written && known !== undefined;
  if (unchanged) return { ...known, written };
  return { path: file.path, before: current.toString("base64"), mode: statSync(place).mode & 0o7777, written };
}

async function restore(root: string, entry: JournalEntry): Promise<FileChange> {
  const place = path.join(root, entry.path);
  const current = existsSync(place) ? readFileSync(place) : undefined;
  const before = entry.before === undefined ? undefined : Buffer.from(entry.before, "base64");
  const changed = current !== undefined && printOf(current) !== entry.written && before?.equals(current) !== true;
  if (changed) return { path: entry.path, done: "left", reason: "it was changed since the mirror was written" };
  if (before !== undefined) {
    await replaceFile(place, before, entry.mode ?? 0o644);
    return { path: entry.path, done: "restored" };
  }
  rmSync(place, { force: true });
  removeEmptyFolders(path.dirname(place), root);
  return { path: entry.path, done: "removed" };
}

/** Folders that only the mirror had filled, up to the runtime's own. */
function removeEmptyFolders(folder: string, root: string): void {
  const depth = path.relative(root, folder).split(path.sep).length;
  // `/etc` and `/etc/<runtime>` are the system's.
  if (depth <= 2 || readdirSync(folder).length > 0) return;
  rmdirSync(folder);
  removeEmptyFolders(path.dirname(folder), root);
}

function journalPath(root: string, runtime: MirrorRuntimeName): string {
  return path.join(root, mirrorRuntimes[runtime].journalFolder, `kubefile-mirror-${runtime}.json`);
}

function readJournal(root: string, runtime: MirrorRuntimeName): Journal | undefined {
  const file = journalPath(root, runtime);
  if (!existsSync(file)) return undefined;
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as Journal | null;
    if (value?.version === 1 && Array.isArray(value.files)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const problem = "the journal of what was there before is damaged; move it away to write anew";
  throw new EngineError("MIRROR_FILE_CONFLICT", { file, problem });
}

function printOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function modeOf(place: string, usual: number): number {
  const stat = statSync(place, { throwIfNoEntry: false });
  return stat === undefined ? usual : stat.mode & 0o7777;
}

/** Written whole or not at all: beside its place, flushed, and moved there. */
async function replaceFile(place: string, content: string | Uint8Array, mode: number): Promise<void> {
  mkdirSync(path.dirname(place), { recursive: true });
  const born = `${place}.kubefile-new`;
  rmSync(born, { force: true });
  const handle = await open(born, "wx", mode);
  try {
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  renameSync(born, place);
}

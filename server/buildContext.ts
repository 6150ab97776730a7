import { type Entry, type EntryKind, type Files, isBelow, joinUri, parentUri } from "./files.ts";

/** Names of ignore files at the root of a build context; the first that exists counts. */
export const ignoreFileNames: readonly string[] = [".kubefileignore", ".containerignore", ".dockerignore"];

export interface IgnoreText {
  readonly name: string;
  readonly uri: string;
  readonly text: string;
}

/** Entries of a folder, or that there is no such folder, or that nobody has looked yet. */
export type KnownEntries = readonly Entry[] | "missing" | "unread";

/** The most entries of one folder that are looked at; a folder with as many may hold more. */
export const mostEntries = 5000;

const limits = { folders: 2000, ignoreBytes: 1 << 20 } as const;

/**
 * The folder a Kubefile is built in, as far as it was looked at. Folders are read once and kept until something in them
 * changes. Paths count from the root, with `/` between names; what lies outside the root does not exist.
 */
export class BuildContext {
  readonly root: string;
  readonly #files: Files;
  readonly #folders = new Map<string, Promise<readonly Entry[] | undefined>>();
  readonly #known = new Map<string, readonly Entry[] | undefined>();
  /** Answers to patterns, good until more is known. */
  readonly #globs = new Map<string, readonly string[]>();
  #ignore: Promise<IgnoreText | undefined> | undefined;
  #knownIgnore: IgnoreText | null | undefined;

  constructor(root: string, files: Files) {
    this.root = root;
    this.#files = files;
  }

  /** The entries of a folder, or undefined when there is no such folder. */
  entries(path: string): Promise<readonly Entry[] | undefined> {
    const folder = normalisePath(path);
    if (folder === undefined) return Promise.resolve(undefined);
    const kept = this.#folders.get(folder);
    if (kept !== undefined) return kept;
    if (this.#folders.size >= limits.folders) this.clear();
    const uri = folder === "" ? this.root : joinUri(this.root, folder);
    // One reader's cancellation must not spoil the answer for the others, so the read itself runs to its end.
    const read = this.#files.list(uri, mostEntries, neverAborted).then((entries) => {
      if (this.#folders.get(folder) === read) {
        this.#known.set(folder, entries);
        this.#globs.clear();
      }
      return entries;
    });
    this.#folders.set(folder, read);
    return read;
  }

  /** What stands at a path, or undefined. */
  async kindOf(path: string): Promise<EntryKind | undefined> {
    const clean = normalisePath(path);
    if (clean === undefined) return undefined;
    if (clean === "") return "directory";
    const name = clean.slice(clean.lastIndexOf("/") + 1);
    const entries = await this.entries(clean.slice(0, Math.max(0, clean.length - name.length - 1)));
    return entries?.find((entry) => entry.name === name)?.kind;
  }

  /** The same as `entries`, from what was read before. */
  knownEntries(folder: string): KnownEntries {
    const clean = normalisePath(folder);
    if (clean === undefined) return "missing";
    if (!this.#known.has(clean)) return "unread";
    return this.#known.get(clean) ?? "missing";
  }

  /** What a pattern matches, when it was found before and nothing has changed. */
  knownGlob(pattern: string): readonly string[] | undefined {
    return this.#globs.get(pattern);
  }

  keepGlob(pattern: string, found: readonly string[]): void {
    this.#globs.set(pattern, found);
  }

  /** The ignore file of the context. */
  ignoreFile(): Promise<IgnoreText | undefined> {
    this.#ignore ??= this.#readIgnore().then((found) => {
      this.#knownIgnore = found ?? null;
      return found;
    });
    return this.#ignore;
  }

  /** The ignore file when it was read before. undefined: not read yet. null: there is none. */
  knownIgnoreFile(): IgnoreText | null | undefined {
    return this.#knownIgnore;
  }

  /** Something was made, changed or removed at `uri`. Gives true when that may change an answer. */
  changed(uri: string): boolean {
    if (!isBelow(this.root, uri)) return false;
    const name = uri.slice(uri.lastIndexOf("/") + 1);
    if (parentUri(uri) === this.root && ignoreFileNames.includes(name)) {
      this.#ignore = undefined;
      this.#knownIgnore = undefined;
    }
    this.clear();
    return true;
  }

  /** Forgets every folder. */
  clear(): void {
    this.#folders.clear();
    this.#known.clear();
    this.#globs.clear();
  }

  async #readIgnore(): Promise<IgnoreText | undefined> {
    for (const name of ignoreFileNames) {
      const uri = joinUri(this.root, name);
      const text = await this.#files.read(uri, limits.ignoreBytes, neverAborted);
      if (text !== undefined) return { name, uri, text };
    }
    return undefined;
  }
}

const neverAborted: AbortSignal = new AbortController().signal;

/** `./a//b/../c/` is `a/c`; undefined when the path leaves the context. A leading `/` means the context's root. */
export function normalisePath(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

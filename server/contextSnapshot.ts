import type { CheckContext, IgnoredBy } from "../kubefile/check/context.ts";
import { matchIgnore } from "../kubefile/ignore.ts";
import { type BuildContext, mostEntries, normalisePath } from "./buildContext.ts";
import { type Entry, type EntryKind, pathsIn } from "./files.ts";
import { ignoreRules } from "./ignored.ts";
import type { Images } from "./images.ts";

/** Files below one folder that a check is told of. */
const mostFiles = 2000;
/** How long a check's question for an image may take. */
const imagePatienceMs = 5000;

/**
 * What is known of the world right now, for a check that cannot wait. A question nobody has an answer to yet is noted and
 * answered in a way that raises no problem; `load` finds the answers for the next check.
 */
export class ContextSnapshot implements CheckContext {
  readonly #context: BuildContext | undefined;
  readonly #images: Images;
  readonly #unreadFolders = new Set<string>();
  readonly #unknownImages = new Set<string>();
  #ignoreUnread = false;
  /** The answer at hand is a guess. */
  #touchedUnread = false;

  constructor(context: BuildContext | undefined, images: Images) {
    this.#context = context;
    this.#images = images;
  }

  /** Some questions had no answer yet. */
  get incomplete(): boolean {
    return this.#unreadFolders.size > 0 || this.#unknownImages.size > 0 || this.#ignoreUnread;
  }

  /** Not every file was there to be looked at. */
  get filesUnread(): boolean {
    return this.#context === undefined || this.#unreadFolders.size > 0;
  }

  /** Finds the answers that were missing; gives true when there is at least one. Never rejects. */
  async load(): Promise<boolean> {
    const waits: Promise<unknown>[] = [];
    for (const folder of this.#unreadFolders) waits.push(this.#context?.entries(folder) ?? Promise.resolve());
    if (this.#ignoreUnread && this.#context !== undefined) waits.push(this.#context.ignoreFile());
    for (const image of this.#unknownImages) waits.push(this.#images.facts(image, imagePatienceMs));
    await Promise.allSettled(waits);
    return (
      [...this.#unreadFolders].some((folder) => this.#context?.knownEntries(folder) !== "unread") ||
      [...this.#unknownImages].some((image) => this.#images.knownFacts(image) !== undefined) ||
      (this.#ignoreUnread && this.#context?.knownIgnoreFile() !== undefined)
    );
  }

  kindOf(path: string): EntryKind | undefined {
    const clean = normalisePath(path);
    if (clean === undefined) return undefined;
    if (clean === "" || this.#context === undefined) return "directory";
    const slash = clean.lastIndexOf("/");
    const entries = this.#entries(clean.slice(0, Math.max(0, slash)));
    if (entries === undefined) return "directory";
    const found = entries.find((entry) => entry.name === clean.slice(slash + 1))?.kind;
    return found ?? (entries.length >= mostEntries ? "file" : undefined);
  }

  glob(pattern: string): readonly string[] {
    if (this.#context === undefined) return [pattern];
    const known = this.#context.knownGlob(pattern);
    if (known !== undefined) return known;
    this.#touchedUnread = false;
    const found = this.#find(pattern);
    // A guess is no answer: the next check must ask again.
    if (!this.#touchedUnread) this.#context.keepGlob(pattern, found);
    return found;
  }

  #find(pattern: string): readonly string[] {
    const clean = normalisePath(pattern);
    if (clean === undefined) return [];
    let paths = [""];
    for (const part of clean.split("/"))
      paths = paths.flatMap((folder) => this.#step(folder, part)).slice(0, mostFiles);
    return paths;
  }

  ignoredBy(path: string): IgnoredBy | undefined {
    const file = this.#context?.knownIgnoreFile();
    if (file === undefined) this.#ignoreUnread = this.#context !== undefined;
    if (file === undefined || file === null) return undefined;
    const { ignored, rule } = matchIgnore(ignoreRules(file), path);
    return ignored && rule !== undefined ? { file: rule.file, line: rule.line, pattern: rule.pattern } : undefined;
  }

  files(path: string): readonly string[] {
    const root = normalisePath(path) ?? "";
    const found: string[] = [];
    const left = [root];
    for (let folder = left.pop(); folder !== undefined && found.length < mostFiles; folder = left.pop()) {
      const { files, folders } = pathsIn(folder, this.#entries(folder) ?? []);
      found.push(...files);
      left.push(...folders);
    }
    return found.slice(0, mostFiles).map((file) => (root === "" ? file : file.slice(root.length + 1)));
  }

  children(path: string): readonly string[] {
    return this.#entries(path)?.map((entry) => entry.name) ?? [];
  }

  baseApps(image: string): readonly string[] | undefined {
    return this.#facts(image)?.apps.map((app) => app.name);
  }

  platforms(image: string): readonly string[] | undefined {
    return this.#facts(image)?.platforms;
  }

  #facts(image: string): ReturnType<Images["knownFacts"]> {
    const facts = this.#images.knownFacts(image);
    if (facts === undefined) this.#unknownImages.add(image);
    return facts;
  }

  /** One part of a pattern, below a folder that exists. */
  #step(folder: string, part: string): string[] {
    const below = (name: string): string => (folder === "" ? name : `${folder}/${name}`);
    const entries = this.#entries(folder);
    // Nobody has looked yet, or there is more than was looked at: the benefit of the doubt.
    if (entries === undefined || entries.length >= mostEntries) return [below(part)];
    const matches = matcherOf(part);
    return entries.filter((entry) => matches(entry.name)).map((entry) => below(entry.name));
  }

  /** The entries of a folder; undefined, and noted, when nobody has looked yet. */
  #entries(folder: string): readonly Entry[] | undefined {
    const known = this.#context?.knownEntries(folder) ?? "missing";
    if (known === "missing") return [];
    if (known !== "unread") return known;
    this.#unreadFolders.add(folder);
    this.#touchedUnread = true;
    return undefined;
  }
}

/** @see Go path/filepath `Match` */
function matcherOf(part: string): (name: string) => boolean {
  if (!/[*?[\\]/u.test(part)) return (name) => name === part;
  const source = part.replace(/\\(.)|\[\^?[^\]]*\]|[*?]|[.+^${}()|\]\\/]/gsu, (found, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped.replace(/[^\w\s]/u, "\\$&");
    if (found === "*") return ".*";
    if (found === "?") return ".";
    return found.startsWith("[") ? found.replace(/\\/gu, "\\\\") : `\\${found}`;
  });
  try {
    const pattern = new RegExp(`^${source}$`, "su");
    return (name) => pattern.test(name);
  } catch {
    return (name) => name === part;
  }
}

import type { ByteString } from "../byteString.ts";
import type { ContextEntry } from "../plan/context.ts";
import { encodeFingerprints, type Fingerprint, type Fingerprints, formatXattrs, parseXattrs } from "./fingerprints.ts";
import type { StepMemory } from "./stepMemory.ts";

/** The fingerprints of one context while it is built or planned: what was known before, and what was learnt now. */
export class ContextMemory {
  readonly #memory: StepMemory;
  readonly #root: string;
  readonly #observedAtNs: bigint;
  readonly #learnt = new Map<string, Fingerprint>();
  /** Extended attributes read now, of files whose content may not be known yet. */
  readonly #xattrs = new Map<string, string>();
  /** Paths of the table whose files look different now. */
  readonly #stale = new Set<string>();
  /** Rows found in the table, by entry: every file is asked for its attributes and for its content. */
  readonly #rows = new Map<ContextEntry, number>();
  #before: Fingerprints | undefined;
  #unsaved = false;

  /** `nowMs` is the time before the context was first looked at. */
  constructor(memory: StepMemory, root: string, nowMs: number) {
    this.#memory = memory;
    this.#root = root;
    this.#observedAtNs = BigInt(Math.floor(nowMs)) * 1_000_000n;
  }

  /** The content digest of a file, 32 bytes, if it is known without reading. */
  lookup(entry: ContextEntry): Uint8Array | undefined {
    const learnt = this.#learnt.size === 0 ? undefined : this.#learnt.get(entry.path);
    if (learnt !== undefined) return isSame(learnt.entry, entry) ? learnt.digest : undefined;
    const row = this.#row(entry);
    if (row >= 0) return this.#table().digest(row);
    if (this.#table().paths.length > 0) this.#stale.add(entry.path);
    return undefined;
  }

  /** The extended attributes of a file or directory, if they are known without asking the system. */
  xattrs(entry: ContextEntry): ReadonlyMap<ByteString, Uint8Array> | undefined {
    const read = this.#xattrs.size === 0 ? undefined : this.#xattrs.get(entry.path);
    if (read !== undefined) return parseXattrs(read);
    const row = this.#row(entry);
    return row < 0 ? undefined : parseXattrs(this.#table().xattrs(row));
  }

  /** Takes in attributes that were read. A directory has no content, so this is all there is to know of it. */
  learnXattrs(entry: ContextEntry, xattrs: ReadonlyMap<ByteString, Uint8Array>): void {
    this.#xattrs.set(entry.path, formatXattrs(xattrs));
    if (entry.kind === "directory") this.learn(entry, noContent);
  }

  learn(entry: ContextEntry, digest: Uint8Array): void {
    const xattrs = this.#xattrs.get(entry.path) ?? "";
    this.#learnt.set(entry.path, { entry, digest: Uint8Array.from(digest), xattrs });
    this.#unsaved = true;
  }

  /** Writes down what was learnt; nothing when nothing was. */
  save(): void {
    if (!this.#unsaved) return;
    this.#unsaved = false;
    const table = encodeFingerprints(this.#table(), this.#stale, this.#learnt, this.#observedAtNs);
    this.#memory.rememberFingerprints(this.#root, table);
  }

  #table(): Fingerprints {
    this.#before ??= this.#memory.fingerprints(this.#root);
    return this.#before;
  }

  #row(entry: ContextEntry): number {
    let row = this.#rows.get(entry);
    if (row === undefined) {
      row = this.#table().find(entry);
      this.#rows.set(entry, row);
    }
    return row;
  }
}

const noContent = new Uint8Array(32);

function isSame(a: ContextEntry, b: ContextEntry): boolean {
  return a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;
}

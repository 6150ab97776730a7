import type { ContextEntry } from "../plan/context.ts";
import { encodeFingerprints, type Fingerprint, type Fingerprints } from "./fingerprints.ts";
import type { StepMemory } from "./stepMemory.ts";

/** The fingerprints of one context while it is built or planned: what was known before, and what was learnt now. */
export class ContextMemory {
  readonly #memory: StepMemory;
  readonly #root: string;
  readonly #observedAtNs: bigint;
  readonly #learnt = new Map<string, Fingerprint>();
  /** Paths of the table whose files look different now. */
  readonly #stale = new Set<string>();
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
    this.#before ??= this.#memory.fingerprints(this.#root);
    const row = this.#before.find(entry);
    if (row >= 0) return this.#before.digest(row);
    if (this.#before.paths.length > 0) this.#stale.add(entry.path);
    return undefined;
  }

  learn(entry: ContextEntry, digest: Uint8Array): void {
    this.#learnt.set(entry.path, { entry, digest: Uint8Array.from(digest) });
    this.#unsaved = true;
  }

  /** Writes down what was learnt; nothing when nothing was. */
  save(): void {
    if (!this.#unsaved) return;
    this.#unsaved = false;
    this.#before ??= this.#memory.fingerprints(this.#root);
    const table = encodeFingerprints(this.#before, this.#stale, this.#learnt, this.#observedAtNs);
    this.#memory.rememberFingerprints(this.#root, table);
  }
}

function isSame(a: ContextEntry, b: ContextEntry): boolean {
  return a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;
}

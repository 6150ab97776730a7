import type { ByteString } from "../byteString.ts";
import type { ContextEntry } from "../plan/context.ts";
import { encodeFingerprints, type Fingerprint, type Fingerprints } from "./fingerprints.ts";
import type { StepMemory } from "./stepMemory.ts";

/** The fingerprints of one context while it is built or planned: what was known before, and what was learnt now. */
export class ContextMemory {
  readonly #memory: StepMemory;
  readonly #root: string;
  readonly #observedAtNs: bigint;
  readonly #seen = new Map<ByteString, Fingerprint>();
  #before: Fingerprints | undefined;
  #learnt = 0;

  /** `nowMs` is the time before the context was first looked at. */
  constructor(memory: StepMemory, root: string, nowMs: number) {
    this.#memory = memory;
    this.#root = root;
    this.#observedAtNs = BigInt(Math.floor(nowMs)) * 1_000_000n;
  }

  /** The content of a file, if it is known without reading. */
  lookup(entry: ContextEntry): Uint8Array | undefined {
    const seen = this.#seen.get(entry.path);
    if (seen !== undefined && seen.entry.ctimeNs === entry.ctimeNs && seen.entry.mtimeNs === entry.mtimeNs)
      return seen.digest;
    this.#before ??= this.#memory.fingerprints(this.#root);
    const digest = this.#before.lookup(entry);
    if (digest !== undefined) this.#seen.set(entry.path, { entry, digest });
    return digest;
  }

  learn(entry: ContextEntry, digest: Uint8Array): void {
    this.#seen.set(entry.path, { entry, digest: Uint8Array.from(digest) });
    this.#learnt++;
  }

  /** Writes down what was learnt; nothing when nothing was. */
  save(): void {
    if (this.#learnt === 0) return;
    this.#learnt = 0;
    this.#memory.rememberFingerprints(this.#root, encodeFingerprints([...this.#seen.values()], this.#observedAtNs));
  }
}

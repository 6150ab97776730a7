/**
 * What earlier scans of a tree made of its files, so that a scan again works only on what changed. One value for each slot: a file's
 * mentions, a chart's images with one set of values. What a scan did not ask for is forgotten when the next one has ended.
 */
export class ScanMemory {
  readonly #entries = new Map<string, { readonly fingerprint: string; readonly value: unknown; scan: number }>();
  #scan = 0;
  #made = 0;

  /** Slots filled since `begin`. */
  get made(): number {
    return this.#made;
  }

  /** Starts counting, and marks what is used from now on. */
  begin(): void {
    this.#scan += 1;
    this.#made = 0;
  }

  /** Forgets what the scan that just ended did not use. */
  end(): void {
    for (const [slot, entry] of this.#entries) if (entry.scan !== this.#scan) this.#entries.delete(slot);
  }

  /** Keeps a slot, though this scan did not look into it. */
  keepBelow(prefix: string): void {
    for (const [slot, entry] of this.#entries) if (slot.startsWith(prefix)) entry.scan = this.#scan;
  }

  /** The value of a slot: as it was made for the same fingerprint, else made now. What fails is not kept. */
  async value<Value>(slot: string, fingerprint: string, make: () => Value | Promise<Value>): Promise<Value> {
    const known = this.#entries.get(slot);
    if (known !== undefined && known.fingerprint === fingerprint) {
      known.scan = this.#scan;
      return known.value as Value;
    }
    const value = await make();
    this.#made += 1;
    this.#entries.set(slot, { fingerprint, value, scan: this.#scan });
    return value;
  }
}

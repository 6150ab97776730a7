import { type CancellationToken, CancellationTokenSource } from "vscode-jsonrpc";
import type { DiscoverResult } from "../../engine/protocol.ts";

/** What is known of one Kubefile's context. An old answer stays beside the reason why there is no newer one. */
export interface ScanState {
  readonly result?: DiscoverResult;
  /** Why the engine could not look, as a sentence. */
  readonly failure?: string;
}

/** Asks the engine about one Kubefile's context. */
export type AskScan = (kubefile: string, token: CancellationToken) => Promise<ScanState>;

/**
 * The container images of several contexts, asked again a little after each change. A change while a question is under way cancels it, so
 * that typing never queues work.
 */
export class Scans implements Disposable {
  readonly #ask: AskScan;
  readonly #changed: (kubefile: string, state: ScanState) => void;
  readonly #states = new Map<string, ScanState>();
  readonly #waiting = new Map<string, NodeJS.Timeout>();
  readonly #asking = new Map<string, CancellationTokenSource>();

  constructor(ask: AskScan, changed: (kubefile: string, state: ScanState) => void) {
    this.#ask = ask;
    this.#changed = changed;
  }

  /** The last answer for a Kubefile's context. */
  of(kubefile: string): ScanState | undefined {
    return this.#states.get(kubefile);
  }

  /** Asks again after `delayMs`; a later call before that starts the wait anew. */
  schedule(kubefile: string, delayMs: number): void {
    this.#cancel(kubefile);
    const timer = setTimeout(() => {
      this.#waiting.delete(kubefile);
      void this.#run(kubefile);
    }, delayMs);
    this.#waiting.set(kubefile, timer);
  }

  /** Forgets a context and what is under way for it. */
  forget(kubefile: string): void {
    this.#cancel(kubefile);
    this.#states.delete(kubefile);
  }

  [Symbol.dispose](): void {
    for (const kubefile of [...this.#waiting.keys(), ...this.#asking.keys()]) this.forget(kubefile);
  }

  #cancel(kubefile: string): void {
    clearTimeout(this.#waiting.get(kubefile));
    this.#waiting.delete(kubefile);
    this.#asking.get(kubefile)?.cancel();
    this.#asking.delete(kubefile);
  }

  async #run(kubefile: string): Promise<void> {
    const source = new CancellationTokenSource();
    this.#asking.set(kubefile, source);
    const state = await this.#ask(kubefile, source.token);
    // Somebody asked again meanwhile, or nobody looks any more: that answer is the one that counts.
    if (this.#asking.get(kubefile) !== source) return;
    this.#asking.delete(kubefile);
    const kept = state.result ?? this.#states.get(kubefile)?.result;
    const merged: ScanState = { ...state, ...(kept ? { result: kept } : {}) };
    this.#states.set(kubefile, merged);
    this.#changed(kubefile, merged);
  }
}

import type { CancellationToken } from "vscode-jsonrpc";
import { CancellationTokenSource } from "vscode-jsonrpc";
import type { PlanResult } from "../../engine/protocol.ts";

/** The state of one document's plan. An old plan stays beside the reason why there is no newer one. */
export interface PlanState {
  readonly plan?: PlanResult;
  /** Why the engine could not plan, as a sentence. */
  readonly failure?: string;
}

/** Asks the engine for one document's plan. */
export type AskPlan = (document: string, token: CancellationToken) => Promise<PlanState>;

interface Waiting {
  readonly timer: NodeJS.Timeout;
}

/**
 * Plans of open documents, asked again a little after each change. A change while a question is under way cancels it, so
 * that typing never queues work.
 */
export class Plans implements Disposable {
  readonly #ask: AskPlan;
  readonly #changed: (document: string, state: PlanState) => void;
  readonly #states = new Map<string, PlanState>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #asking = new Map<string, CancellationTokenSource>();

  constructor(ask: AskPlan, changed: (document: string, state: PlanState) => void) {
    this.#ask = ask;
    this.#changed = changed;
  }

  /** The last answer for a document. */
  of(document: string): PlanState | undefined {
    return this.#states.get(document);
  }

  /** Asks again after `delayMs`; a later call before that starts the wait anew. */
  schedule(document: string, delayMs: number): void {
    this.#cancel(document);
    const timer = setTimeout(() => {
      this.#waiting.delete(document);
      void this.#run(document);
    }, delayMs);
    this.#waiting.set(document, { timer });
  }

  /** Forgets a document and what is under way for it. */
  forget(document: string): void {
    this.#cancel(document);
    this.#states.delete(document);
  }

  [Symbol.dispose](): void {
    for (const document of [...this.#waiting.keys(), ...this.#asking.keys()]) this.forget(document);
  }

  #cancel(document: string): void {
    clearTimeout(this.#waiting.get(document)?.timer);
    this.#waiting.delete(document);
    this.#asking.get(document)?.cancel();
    this.#asking.delete(document);
  }

  async #run(document: string): Promise<void> {
    const source = new CancellationTokenSource();
    this.#asking.set(document, source);
    const state = await this.#ask(document, source.token);
    // Somebody asked again meanwhile, or the document is gone: that answer is the one that counts.
    if (this.#asking.get(document) !== source) return;
    this.#asking.delete(document);
    const kept = state.plan === undefined ? this.#states.get(document)?.plan : state.plan;
    const merged: PlanState = { ...state, ...(kept ? { plan: kept } : {}) };
    this.#states.set(document, merged);
    this.#changed(document, merged);
  }
}

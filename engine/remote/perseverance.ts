import { pause, waitAfter } from "./retry.ts";

/** A transfer that moves this much between two failures is getting somewhere. */
const progressBytes = 64 * 1024;

/** How long a transfer in pieces goes on: as long as it moves, and through one retry schedule where it does not. */
export class Perseverance {
  readonly #delaysMs: readonly number[];
  #failures = 0;
  #movedBytes = 0;

  constructor(delaysMs: readonly number[]) {
    this.#delaysMs = delaysMs;
  }

  /** Counts bytes that arrived for good. */
  advanced(bytes: number): void {
    this.#movedBytes += bytes;
  }

  /** Waits before the next try, or throws the error when it is final or there have been too many without progress. */
  async afterFailure(error: unknown, signal: AbortSignal): Promise<void> {
    if (this.#movedBytes >= progressBytes) this.#failures = 0;
    this.#movedBytes = 0;
    const delay = waitAfter(error, this.#failures, this.#delaysMs);
    if (delay === undefined) throw error;
    this.#failures += 1;
    await pause(delay, signal);
  }
}

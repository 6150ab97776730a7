/** Counts what a render spends: time, output and cancellation are checked here and nowhere else. */
import { LimitReached } from "./failure.ts";

/** What one render may spend. */
export interface MeterLimits {
  readonly timeMs: number;
  /** Longest text a function or template may produce, in UTF-16 units, and the largest list in items. */
  readonly outputLength: number;
}

const stepsBetweenChecks = 2048;

/** Real charts stay below 50. */
const deepestCalls = 300;

/** One render's meter. Every loop in the engine that a chart controls calls `spend`. */
export class Meter {
  readonly #limits: MeterLimits;
  readonly #signal: AbortSignal;
  readonly #elapsedMs: () => number;
  #steps = 0;
  #depth = 0;

  /** @param elapsedMs time since the render began; a monotonic clock, never part of a result */
  constructor(limits: MeterLimits, signal: AbortSignal, elapsedMs: () => number) {
    this.#limits = limits;
    this.#signal = signal;
    this.#elapsedMs = elapsedMs;
  }

  /** Notes that work was done. @throws LimitReached when the time is over or the render was cancelled */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps >= stepsBetweenChecks) {
      this.#steps = 0;
      this.check();
    }
  }

  /** @throws LimitReached when the time is over or the render was cancelled */
  check(): void {
    if (this.#signal.aborted) throw new LimitReached("cancelled", "cancelled");
    if (this.#elapsedMs() > this.#limits.timeMs) {
      throw new LimitReached("time", `it took longer than ${this.#limits.timeMs} ms`);
    }
  }

  /** Runs something that may call itself, at most so deep that the stack of this process holds it. @throws LimitReached */
  nested<T>(run: () => T): T {
    if (this.#depth >= deepestCalls) throw new LimitReached("depth", "its templates call each other too deeply");
    this.#depth++;
    try {
      return run();
    } finally {
      this.#depth--;
    }
  }

  /** Refuses to build a text or list of more than the allowed length. @throws LimitReached */
  room(length: number): void {
    if (length > this.#limits.outputLength) {
      throw new LimitReached("output", `it would produce more than ${this.#limits.outputLength} characters`);
    }
  }
}

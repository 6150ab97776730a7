/**
 * When a request is tried again. The waits are a fixed list, so the same trouble takes the same time on every run; a
 * registry's own `Retry-After` goes first when it is bearable.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isEngineError } from "../errors.ts";

/** Longest wait a registry may ask of us before we hand the question back to the user. */
const longestWaitMs = 60_000;

/**
 * How long to wait before trying again, or undefined when the error is final.
 *
 * @param attempt 0 for the wait after the first failure
 * @param delaysMs the schedule; its length is the number of retries
 */
export function waitAfter(error: unknown, attempt: number, delaysMs: readonly number[]): number | undefined {
  const planned = delaysMs[attempt];
  if (planned === undefined || !isEngineError(error) || !error.retryable) return undefined;
  const asked =
    isEngineError(error, "REMOTE_RATE_LIMITED") || isEngineError(error, "REMOTE_UNAVAILABLE")
      ? error.facts.retryAfterMs
      : undefined;
  if (asked === undefined) return planned;
  return asked > longestWaitMs ? undefined : Math.max(asked, planned);
}

/** Waits, or throws the signal's reason. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs === 0) return signal.throwIfAborted();
  await sleep(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/**
 * Runs an act again while its errors say that time may heal them. The act must be safe to repeat.
 *
 * @param act is given the number of the attempt, from 0
 */
export async function withRetries<Result>(
  act: (attempt: number) => Promise<Result>,
  delaysMs: readonly number[],
  signal: AbortSignal,
): Promise<Result> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await act(attempt);
    } catch (error) {
      signal.throwIfAborted();
      const delay = waitAfter(error, attempt, delaysMs);
      if (delay === undefined) throw error;
      await pause(delay, signal);
    }
  }
}

/**
 * Reads `Retry-After`: seconds, or a date.
 *
 * @param nowMs milliseconds since the epoch, for dates
 * @returns milliseconds to wait, never negative; undefined when the header is absent or means nothing
 * @see RFC 9110 section 10.2.3
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

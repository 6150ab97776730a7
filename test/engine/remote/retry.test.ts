import assert from "node:assert/strict";
import { test } from "node:test";
import { EngineError } from "../../../engine/errors.ts";
import { parseRetryAfter, waitAfter, withRetries } from "../../../engine/remote/retry.ts";

const broken = new EngineError("REMOTE_INTERRUPTED", { what: "pull", registry: "r", reason: "reset" });
const limited = (retryAfterMs: number) =>
  new EngineError("REMOTE_RATE_LIMITED", { what: "pull", registry: "r", retryAfterMs });
const refused = new EngineError("REMOTE_DENIED", { what: "pull", registry: "r", reason: "no" });
const never = new AbortController().signal;

test("Retry-After is seconds or a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(parseRetryAfter("120", now), 120_000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 2026 00:00:30 GMT", now), 30_000);
  assert.equal(parseRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
  assert.equal(parseRetryAfter("soon", now), undefined);
  assert.equal(parseRetryAfter(undefined, now), undefined);
});

test("the waits follow the schedule, and Retry-After where it is longer and bearable", () => {
  assert.equal(waitAfter(broken, 0, [10, 20]), 10);
  assert.equal(waitAfter(broken, 1, [10, 20]), 20);
  assert.equal(waitAfter(broken, 2, [10, 20]), undefined);
  assert.equal(waitAfter(limited(5000), 0, [10]), 5000);
  assert.equal(waitAfter(limited(5), 0, [10]), 10);
  assert.equal(waitAfter(limited(3_600_000), 0, [10]), undefined);
  assert.equal(waitAfter(refused, 0, [10]), undefined);
});

test("an act is repeated until it succeeds, and a final error is not repeated", async () => {
  const flaky = async (attempt: number) => {
    if (attempt < 2) throw broken;
    return attempt;
  };
  assert.equal(await withRetries(flaky, [1, 1, 1], never), 2);
  let calls = 0;
  const denied = async () => {
    calls += 1;
    throw refused;
  };
  await assert.rejects(withRetries(denied, [1, 1], never), refused);
  assert.equal(calls, 1);
});

test("a wait ends when it is cancelled", async () => {
  const cancel = new AbortController();
  const waiting = withRetries(() => Promise.reject(broken), [60_000], cancel.signal);
  cancel.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
});

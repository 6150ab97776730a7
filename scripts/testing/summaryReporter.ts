/** A reporter for `node --test` that writes one JSON object: the totals, and why tests were skipped. */
import type { TestEvent } from "node:test/reporters";
import type { SuiteSummary } from "./suiteSummary.ts";

/** Collects the run's events and yields the summary when they end. */
export default async function* summaryReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const skips = new Map<string, number>();
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for await (const event of events) {
    if (event.type === "test:pass" && event.data.skip !== undefined) {
      const reason = typeof event.data.skip === "string" ? event.data.skip : "no reason given";
      skips.set(reason, (skips.get(reason) ?? 0) + 1);
    }
    // The event without a file is the whole run's.
    if (event.type === "test:summary" && event.data.file === undefined) {
      passed = event.data.counts.passed;
      skipped = event.data.counts.skipped + event.data.counts.todo;
      failed = event.data.counts.tests - passed - skipped;
    }
  }
  const summary: SuiteSummary = { passed, failed, skipped, skipReasons: Object.fromEntries(skips) };
  yield JSON.stringify(summary);
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { ownOutcome, probeTopics, readProbes } from "../../support/probes.ts";

for (const topic of probeTopics) {
  test(`${topic}: every snippet gives what helm 4.1.4 gave`, async () => {
    const probes = readProbes(topic);
    assert.ok(probes.length > 0);
    const found = await Promise.all(
      probes.map(async ({ snippet }) => ({ snippet, outcome: await ownOutcome(snippet) })),
    );
    const expected = probes.map(({ snippet, expected: outcome }) => ({ snippet, outcome }));
    assert.deepEqual(found, expected);
  });
}

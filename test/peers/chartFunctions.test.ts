/** The recorded outcomes of the probes are helm's own; `UPDATE_GOLDEN=1` records them again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { skipWithoutHelm } from "../support/helmOracle.ts";
import { helmOutcomes, probeTopics, readProbes, writeProbes } from "../support/probes.ts";

const skip = await skipWithoutHelm();

for (const topic of probeTopics) {
  test(`helm says of ${topic} what is recorded`, { skip }, () => {
    const probes = readProbes(topic);
    const outcomes = helmOutcomes(probes.map(({ snippet }) => snippet));
    if (process.env["UPDATE_GOLDEN"] === "1") {
      writeProbes(
        topic,
        probes.map(({ snippet }, i) => ({ snippet, expected: outcomes[i] })),
      );
      return;
    }
    assert.deepEqual(
      probes.map(({ snippet }, i) => ({ snippet, outcome: outcomes[i] })),
      probes.map(({ snippet, expected }) => ({ snippet, outcome: expected })),
    );
  });
}

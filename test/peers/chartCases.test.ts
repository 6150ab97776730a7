/** The recorded outcomes of the chart cases are helm's own; `UPDATE_GOLDEN=1` records them again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { caseNames, helmCase, readCase, recordCase } from "../support/chartCases.ts";
import { skipWithoutHelm } from "../support/helmOracle.ts";

const skip = await skipWithoutHelm();

for (const name of caseNames) {
  test(`helm says of ${name} what is recorded`, { skip }, () => {
    const chartCase = readCase(name);
    const outcome = helmCase(chartCase);
    if (process.env["UPDATE_GOLDEN"] === "1") recordCase(name, outcome);
    else assert.deepEqual(outcome, { text: chartCase.expected, isError: chartCase.isError });
  });
}

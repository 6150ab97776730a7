import assert from "node:assert/strict";
import { test } from "node:test";
import { caseNames, ownCase, readCase } from "../../support/chartCases.ts";

for (const name of caseNames) {
  test(`${name.replaceAll("-", " ")}: gives what helm 4.1.4 gave`, async () => {
    const chartCase = readCase(name);
    const { text, isError } = await ownCase(chartCase);
    assert.deepEqual({ text, isError }, { text: chartCase.expected, isError: chartCase.isError });
  });
}

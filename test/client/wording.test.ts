import assert from "node:assert/strict";
import { test } from "node:test";
import { age, duration } from "../../client/age.ts";
import { byteSize } from "../../client/byteSize.ts";
import { details, endOfLineText, summary } from "../../client/cacheStatus/wording.ts";
import { shortReference, shownReference, suggestedReference } from "../../client/references.ts";
import type { PlannedStep } from "../../engine/protocol.ts";

const now = Date.UTC(2026, 10, 23);
const hour = 3_600_000;
const english = (sentence: string, ...values: readonly (string | number)[]): string =>
  sentence.replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)]));

const step: PlannedStep = {
  ...{ id: 1, instruction: "COPY", text: "COPY a b", stage: "0", platform: "linux/amd64", line: 3, endLine: 3 },
  ...{ status: "cached", reason: "" },
};

test("a cached instruction shows size and age", () => {
  const layer = { diffId: `sha256:${"a".repeat(64)}`, size: 12_300_000 };
  const cached: PlannedStep = { ...step, layer, builtAt: now - 2 * hour };
  assert.equal(endOfLineText(cached, now, english), "cached · 12.3 MB · 2 h ago");
  assert.equal(endOfLineText(step, now, english), "cached");
});

test("an instruction that will be built says why", () => {
  const changed: PlannedStep = { ...step, status: "build", reason: "values.yaml changed" };
  assert.equal(endOfLineText(changed, now, english), "will be built: values.yaml changed");
  assert.equal(endOfLineText({ ...changed, reason: "" }, now, english), "will be built");
});

test("an instruction without a layer shows nothing, one that is not known says so", () => {
  assert.equal(endOfLineText({ ...step, status: "metadata" }, now, english), "");
  assert.equal(
    endOfLineText({ ...step, status: "unknown", reason: "line 2 runs first" }, now, english),
    "not known yet: line 2 runs first",
  );
});

test("details escape what Markdown would read", () => {
  assert.match(
    details({ ...step, status: "build", reason: "file a_b*.yaml changed" }, now, english),
    /a\\_b\\\*\\\.yaml/,
  );
});

test("the summary counts what is cached among what costs something", () => {
  const plan = { kubefile: "/Kubefile", problems: [], durationMs: 1 };
  const unknown: PlannedStep = { ...step, status: "unknown" };
  assert.equal(summary({ ...plan, steps: [unknown], cachedSteps: 2, buildSteps: 1 }, english), "2 of 4 cached");
  assert.equal(summary({ ...plan, steps: [], cachedSteps: 0, buildSteps: 0 }, english), "nothing to build");
});

test("sizes have three digits and decimal units", () => {
  const sizes: readonly [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [12_345, "12.3 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [123_456_789, "123 MB"],
    [5_000_000_000_000, "5.0 TB"],
  ];
  for (const [bytes, text] of sizes) assert.equal(byteSize(bytes), text);
});

test("ages and durations use one unit people would use", () => {
  const ages: readonly [number, string][] = [
    [-5, "just now"],
    [59_000, "just now"],
    [61_000, "1 min ago"],
    [2 * hour, "2 h ago"],
    [49 * hour, "2 d ago"],
    [70 * 24 * hour, "2 months ago"],
    [800 * 24 * hour, "2 years ago"],
  ];
  for (const [elapsed, text] of ages) assert.equal(age(now - elapsed, now), text);
  assert.equal(duration(340), "340 ms");
  assert.equal(duration(3400), "3.4 s");
  assert.equal(duration(125_000), "2 min 5 s");
});

test("references show as Docker's tools show them", () => {
  assert.equal(shortReference("docker.io/library/shop:1"), "shop:1");
  assert.equal(shortReference("docker.io/acme/shop:1"), "acme/shop:1");
  assert.deepEqual(shownReference("localhost:5000/shop:2"), { repository: "localhost:5000/shop", tag: "2" });
  assert.deepEqual(shownReference(`r.io/shop@sha256:${"ab".repeat(32)}`), {
    repository: "r.io/shop",
    tag: "abababababab",
  });
});

test("a folder's name becomes a repository's", () => {
  assert.equal(suggestedReference("My Shop (v2)"), "my-shop-v2:latest");
  assert.equal(suggestedReference("集群"), "cluster-image:latest");
});

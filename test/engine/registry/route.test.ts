import assert from "node:assert/strict";
import { test } from "node:test";
import { parseContentRange, parseRange } from "../../../engine/registry/byteRange.ts";
import { parseRoute } from "../../../engine/registry/route.ts";

for (const [path, expected] of [
  ["/v2/", { kind: "ping" }],
  ["/v2", { kind: "ping" }],
  ["/", undefined],
  ["/v2/a", undefined],
  ["/v2/_catalog", { kind: "catalog" }],
  ["/v2/a/b/manifests/v1", { kind: "manifest", repository: "a/b", reference: "v1" }],
  ["/v2/manifests/manifests/v1", { kind: "manifest", repository: "manifests", reference: "v1" }],
  ["/v2/a/blobs/uploads/", { kind: "newUpload", repository: "a" }],
  ["/v2/a/blobs/uploads", { kind: "newUpload", repository: "a" }],
  ["/v2/a/blobs/uploads/7", { kind: "upload", repository: "a", session: "7" }],
  ["/v2/blobs/uploads/blobs/uploads/7", { kind: "upload", repository: "blobs/uploads", session: "7" }],
  ["/v2/a/blobs/sha256:0", { kind: "blob", repository: "a", digest: "sha256:0" }],
  ["/v2/a/blobs/sha256%3A0", { kind: "blob", repository: "a", digest: "sha256:0" }],
  ["/v2/a/tags/list", { kind: "tags", repository: "a" }],
  ["/v2/a/referrers/sha256:0", { kind: "referrers", repository: "a", digest: "sha256:0" }],
  ["/v2/quay.io/a/b/manifests/1", { kind: "manifest", repository: "quay.io/a/b", reference: "1" }],
  ["/v2/A/manifests/1", "badName"],
  ["/v2/../etc/manifests/1", "badName"],
  ["/v2/a//b/manifests/1", "badName"],
  [`/v2/${"a".repeat(256)}/manifests/1`, "badName"],
  ["/v2/%/manifests/1", undefined],
] as const)
  test(`${path.slice(0, 60)} is ${expected === undefined ? "nothing" : typeof expected === "string" ? expected : expected.kind}`, () => {
    assert.deepEqual(parseRoute(path), expected);
  });

for (const [header, size, expected] of [
  [undefined, 10, { kind: "whole" }],
  ["bytes=0-3", 10, { kind: "part", start: 0, end: 4 }],
  ["bytes=4-", 10, { kind: "part", start: 4, end: 10 }],
  ["bytes=-3", 10, { kind: "part", start: 7, end: 10 }],
  ["bytes=-30", 10, { kind: "part", start: 0, end: 10 }],
  ["bytes=8-30", 10, { kind: "part", start: 8, end: 10 }],
  ["bytes=10-", 10, { kind: "unsatisfiable" }],
  ["bytes=5-0", 10, { kind: "unsatisfiable" }],
  ["bytes=-0", 10, { kind: "unsatisfiable" }],
  ["bytes=0-", 0, { kind: "unsatisfiable" }],
  ["bytes=0-1,4-5", 10, { kind: "whole" }],
  ["items=0-1", 10, { kind: "whole" }],
  ["bytes=-", 10, { kind: "whole" }],
] as const)
  test(`of ${size} bytes, ${header ?? "no range"} is ${expected.kind}`, () => {
    assert.deepEqual(parseRange(header, size), expected);
  });

test("the range of a chunk is read with and without its unit", () => {
  assert.deepEqual(parseContentRange("0-9"), { start: 0, end: 10 });
  assert.deepEqual(parseContentRange("bytes 5-5/10"), { start: 5, end: 6 });
  assert.equal(parseContentRange("9-0"), undefined);
  assert.equal(parseContentRange("all"), undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../../../engine/discover/found.ts";
import {
  emptyLock,
  formatLock,
  type ImageLock,
  lockDrift,
  parseLock,
  requiredImages,
} from "../../../engine/discover/lock.ts";

const digest = `sha256:${"1".repeat(64)}`;
const finding = (image: string, confidence: Finding["confidence"] = "certain"): Finding => ({
  image,
  text: image,
  confidence,
  rule: "Pod container",
  origin: { file: "manifests/a.yaml", line: 3, path: "spec.containers[0].image" },
});

const lock: ImageLock = {
  images: [
    {
      image: "docker.io/library/nginx:1",
      digest,
      platforms: { "linux/arm64": digest, "linux/amd64": digest },
      found: ["manifests/a.yaml:3 (Pod container)"],
      optional: true,
    },
  ],
  add: [{ image: "quay.io/debug/tools:1", reason: "for the people on site: it is needed", optional: false }],
  ignore: [{ image: "docker.io/library/string:*", reason: "a schema's word" }],
  values: ["values/site.yaml"],
};

test("a lock reads back as it was written, and is written the same every time", () => {
  const text = formatLock(lock);
  const { lock: again, problems } = parseLock(text);
  assert.deepEqual(problems, []);
  assert.equal(formatLock(again), text);
  assert.match(
    text,
    /^# The container images[\s\S]*\nversion: 1\nimages:\n {2}- image: docker\.io\/library\/nginx:1\n {4}digest: sha256:1/,
  );
  assert.ok(text.indexOf("linux/amd64") < text.indexOf("linux/arm64"));
});

test("what the lock ignores is not required, what it adds is, and a declared image is only a candidate", () => {
  const required = requiredImages(
    {
      findings: [
        finding("docker.io/library/nginx:1"),
        finding("docker.io/library/string:latest"),
        finding("docker.io/bitnami/os-shell:12", "declared"),
      ],
      unresolved: [],
    },
    lock,
  );
  assert.deepEqual(
    required.map((entry) => [entry.image, entry.optional, entry.added ?? null]),
    [
      ["docker.io/library/nginx:1", true, null],
      ["quay.io/debug/tools:1", false, "for the people on site: it is needed"],
    ],
  );
});

test("drift names what is new and what is no longer needed", () => {
  const required = requiredImages({ findings: [finding("a.io/b:1")], unresolved: [] }, emptyLock);
  const drift = lockDrift(required, lock);
  assert.deepEqual(
    drift.missing.map((entry) => entry.image),
    ["a.io/b:1"],
  );
  assert.deepEqual(
    drift.unneeded.map((entry) => entry.image),
    ["docker.io/library/nginx:1"],
  );
});

for (const [title, text, message] of [
  ["text that is no YAML", "images: [", /./],
  ["a list at the top", "- a", /must be a map/],
  ["another version", "version: 2\nimages: []", /version 2/],
  ["an entry without image", "version: 1\nimages: [{ digest: x }]", /no image/],
  ["an entry without digest", "version: 1\nimages: [{ image: a }]", /no valid digest/],
  ["values that are no list", "version: 1\nimages: []\nvalues: { a: 1 }", /list of file names/],
  ["images that are no list", "version: 1\nimages: { a: 1 }", /must be a list/],
] as const)
  test(`${title} is a problem with a line, never an exception`, () => {
    const { problems } = parseLock(text);
    assert.ok(problems.length > 0);
    assert.match(problems[0]?.message ?? "", message);
    assert.ok((problems[0]?.line ?? 0) >= 1);
  });

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDigest } from "../../../engine/oci/digest.ts";
import { parseBundleIndex } from "../../../engine/registry/bundleIndex.ts";
import { distributionLayout, type PackedImage } from "../../../engine/registry/distributionLayout.ts";

const digest = (letter: string) => parseDigest(`sha256:${letter.repeat(64)}`);
const image = (name: string, manifest: string): PackedImage => ({
  image: name,
  target: digest(manifest),
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  manifests: [
    {
      digest: digest(manifest),
      sizeBytes: 10,
      platform: "linux/amd64",
      blobs: [{ digest: digest("c"), sizeBytes: 20 }],
    },
  ],
});

test("an image has its blobs once, and links for its manifest, its layers and its tag", () => {
  const files = distributionLayout([image("docker.io/library/nginx:1", "a")]);
  assert.deepEqual(
    files.map((file) => file.path.replaceAll("a".repeat(64), "A").replaceAll("c".repeat(64), "C")),
    [
      "docker/registry/v2/blobs/sha256/aa/A/data",
      "docker/registry/v2/blobs/sha256/cc/C/data",
      "docker/registry/v2/repositories/library/nginx/_layers/sha256/C/link",
      "docker/registry/v2/repositories/library/nginx/_manifests/revisions/sha256/A/link",
      "docker/registry/v2/repositories/library/nginx/_manifests/tags/1/current/link",
      "docker/registry/v2/repositories/library/nginx/_manifests/tags/1/index/sha256/A/link",
      "kubefile-index.json",
    ],
  );
});

test("the same images in any order give the same files", () => {
  const images = [image("a.io/x:1", "a"), image("b.io/x:1", "b"), image("docker.io/library/y:2", "d")];
  assert.deepEqual(distributionLayout(images.toReversed()), distributionLayout(images));
});

test("two hosts that share a path and a tag keep both manifests, and the index keeps both names", () => {
  const files = distributionLayout([image("b.io/x:1", "b"), image("a.io/x:1", "a")]);
  const revisions = files.filter((file) => file.path.includes("/revisions/"));
  assert.equal(revisions.length, 2);
  const current = files.find((file) => file.path.endsWith("tags/1/current/link"));
  assert.equal(current?.kind === "text" ? current.text : "", digest("a"));
  const index = files.find((file) => file.path === "kubefile-index.json");
  const names = parseBundleIndex(index?.kind === "text" ? index.text : "");
  assert.deepEqual(
    names?.map((entry) => [entry.image, entry.repository, entry.digest]),
    [
      ["a.io/x:1", "x", digest("a")],
      ["b.io/x:1", "x", digest("b")],
    ],
  );
});

test("an image named by digest alone has no tag", () => {
  const files = distributionLayout([image(`quay.io/a/b@${digest("a")}`, "a")]);
  assert.ok(files.every((file) => !file.path.includes("/tags/")));
});

test("no images, no files", () => {
  assert.deepEqual(distributionLayout([]), []);
});

for (const [title, text] of [
  ["no JSON", "{"],
  ["another version", '{"version":2,"images":[]}'],
  ["entries without a digest", '{"version":1,"images":[{"image":"a"}]}'],
] as const)
  test(`an index with ${title} reads as absent`, () => {
    assert.equal(parseBundleIndex(text), undefined);
  });

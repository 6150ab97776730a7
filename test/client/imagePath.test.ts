import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { childOf, formatImagePath, parseImagePath } from "../../client/fileSystem/imagePath.ts";

const digest = `sha256:${"ab".repeat(32)}`;

test("an address names an image, its root file system or one of its layers", () => {
  assert.deepEqual(parseImagePath("/"), { kind: "root" });
  assert.deepEqual(parseImagePath(`/${digest}`), { kind: "image", image: digest });
  assert.deepEqual(parseImagePath(`/${digest}/rootfs`), { kind: "file", at: { image: digest, path: "" } });
  assert.deepEqual(parseImagePath(`/${digest}/layer-2/etc/a b.yaml`), {
    kind: "file",
    at: { image: digest, layer: 2, path: "etc/a b.yaml" },
  });
});

test("anything else is no address of an image's file", () => {
  for (const path of [
    "/etc/passwd",
    "/sha256:xyz/rootfs",
    `/${digest}/layer-0/a`,
    `/${digest}/layer-x`,
    `/${digest}/other`,
  ])
    assert.equal(parseImagePath(path), undefined, path);
});

test("every place reads back as it was written", () => {
  const part = fc.string({ minLength: 1 }).filter((text) => !text.includes("/"));
  const place = fc.record(
    {
      image: fc.constant(digest),
      layer: fc.integer({ min: 1, max: 9999 }),
      path: fc.array(part).map((parts) => parts.join("/")),
    },
    { requiredKeys: ["image", "path"] },
  );
  fc.assert(
    fc.property(place, (at) => assert.deepEqual(parseImagePath(formatImagePath(at)), { kind: "file", at: { ...at } })),
  );
});

test("an entry's path is below its folder's", () => {
  assert.equal(childOf({ image: digest, path: "" }, "etc").path, "etc");
  assert.deepEqual(childOf({ image: digest, layer: 1, path: "etc" }, "a"), { image: digest, layer: 1, path: "etc/a" });
});

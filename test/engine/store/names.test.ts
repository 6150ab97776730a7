import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { digestHex, digestOf } from "../../../engine/oci/digest.ts";
import { encodeIndex } from "../../../engine/oci/index.ts";
import { encodeManifest } from "../../../engine/oci/manifest.ts";
import { mediaTypes } from "../../../engine/oci/mediaTypes.ts";
import { never, putImage, tagImage, testStore } from "./support.ts";

test("a name is found, listed, moved and removed", async () => {
  await using t = testStore();
  t.clock.ms = 1000;
  const one = await tagImage(t.store, "docker.io/library/b:1", "one");
  t.clock.ms = 2000;
  const two = await tagImage(t.store, "docker.io/library/a:1", "two");
  assert.deepEqual(t.store.lookup("docker.io/library/b:1"), {
    name: "docker.io/library/b:1",
    target: one,
    taggedAtMs: 1000,
  });
  assert.deepEqual(
    t.store.list().map((image) => image.name),
    ["docker.io/library/a:1", "docker.io/library/b:1"],
  );
  await t.store.tag("docker.io/library/b:1", two, never);
  assert.equal(t.again().lookup("docker.io/library/b:1")?.target.digest, two.digest);
  assert.equal(await t.store.untag("docker.io/library/b:1"), true);
  assert.equal(await t.store.untag("docker.io/library/b:1"), false);
  assert.equal(t.store.lookup("docker.io/library/b:1"), undefined);
  assert.deepEqual(readdirSync(path.join(t.dir, "store-v1/tmp")), []);
});

test("a source resolves what people write, and a digest without a name", async () => {
  await using t = testStore();
  const target = await tagImage(t.store, "docker.io/library/a:latest", "one");
  assert.deepEqual(await t.store.resolve("a", never), target);
  assert.deepEqual(await t.store.resolve(`quay.io/x@${target.digest}`, never), target);
  assert.equal(await t.store.resolve("b", never), undefined);
  assert.equal(await t.store.resolve(`b@${digestOf("no")}`, never), undefined);
  assert.equal(Buffer.from(await t.store.readDocument(target, never)).length, target.size);
});

test("a name that is not in its normalised form is refused with that form", async () => {
  await using t = testStore();
  const target = await tagImage(t.store, "docker.io/library/a:1", "one");
  await assert.rejects(t.store.tag("a:1", target, never), {
    code: "REFERENCE_INVALID",
    message: /docker\.io\/library\/a:1/,
  });
});

test("names longer than file names are names", async () => {
  await using t = testStore();
  const name = `registry.example.com/${"a".repeat(200)}/${"b".repeat(50)}:${"t".repeat(128)}`;
  await tagImage(t.store, name, "x");
  assert.equal(t.store.list()[0]?.name, name);
});

test("only a whole image can be tagged", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const target = await putImage(lease, "layer");
  const wrongSize = { ...target, size: target.size + 1 };
  const elsewhere = { ...target, digest: digestOf("no") };
  for (const bad of [wrongSize, elsewhere]) {
    await assert.rejects(t.store.tag("docker.io/library/a:1", bad, never), { code: "IMAGE_INCOMPLETE" });
  }
  rmSync(path.join(t.dir, "store-v1/blobs/sha256", digestHex(digestOf("layer"))));
  await assert.rejects(t.store.tag("docker.io/library/a:1", target, never), {
    code: "IMAGE_INCOMPLETE",
    message: new RegExp(digestOf("layer")),
  });
  assert.deepEqual(t.store.list(), []);
});

test("a layer that is to be fetched elsewhere may be absent", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const config = await lease.putBytes(Buffer.from("{}"));
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: 2 },
    layers: [
      { mediaType: mediaTypes.ociForeignLayer, digest: digestOf("far"), size: 3, urls: ["https://example.com/l"] },
    ],
  });
  const { digest, sizeBytes } = await lease.putBytes(manifest);
  await t.store.tag("docker.io/library/a:1", { mediaType: mediaTypes.ociManifest, digest, size: sizeBytes }, never);
});

test("an index needs one of its images, and that one whole", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const image = await putImage(lease, "layer");
  const other = { ...image, digest: digestOf("other platform") };
  const put = async (manifests: readonly (typeof image)[]) => {
    const { digest, sizeBytes } = await lease.putBytes(
      encodeIndex({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
    );
    return { mediaType: mediaTypes.ociIndex, digest, size: sizeBytes };
  };
  await t.store.tag("docker.io/library/a:1", await put([other, image]), never);
  await assert.rejects(t.store.tag("docker.io/library/b:1", await put([other]), never), { code: "IMAGE_INCOMPLETE" });
});

test("what is no manifest cannot be tagged", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const { digest, sizeBytes } = await lease.putBytes(Buffer.from("text"));
  await assert.rejects(
    t.store.tag("docker.io/library/a:1", { mediaType: mediaTypes.ociManifest, digest, size: sizeBytes }, never),
    {
      code: "DOCUMENT_INVALID",
    },
  );
});

test("many taggers of one name end with one of their images", async () => {
  await using t = testStore();
  await using other = t.again();
  const targets = await Promise.all(
    Array.from({ length: 20 }, (_, i) => tagImage(i % 2 === 0 ? t.store : other, "docker.io/library/a:1", `${i}`)),
  );
  const digest = t.store.lookup("docker.io/library/a:1")?.target.digest;
  assert.ok(targets.some((target) => target.digest === digest));
  assert.deepEqual((await t.store.verify(never)).damaged, []);
});

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { digestHex, digestOf, shortDigest } from "../../../engine/oci/digest.ts";
import { encodeIndex } from "../../../engine/oci/index.ts";
import { mediaTypes } from "../../../engine/oci/mediaTypes.ts";
import { never, putImage, tagImage, testStore } from "./support.ts";

test("a whole store verifies whole, and every byte was read", async () => {
  await using t = testStore();
  await tagImage(t.store, "docker.io/library/a:1", "x");
  let last = { doneBytes: 0, totalBytes: -1 };
  const report = await t.store.verify(never, (progress) => {
    last = progress;
  });
  assert.deepEqual({ ...report, bytes: 0 }, { blobs: 3, bytes: 0, damaged: [], staleRecords: [] });
  assert.equal(last.doneBytes, last.totalBytes);
  assert.equal(report.bytes, last.totalBytes);
});

test("a changed blob and a lost one are listed with the names that need them", async () => {
  await using t = testStore();
  const image = await tagImage(t.store, "docker.io/library/a:1", "changed");
  await t.store.tag("quay.io/x/y:2", image, never);
  await tagImage(t.store, "docker.io/library/b:1", "lost");
  const blobs = path.join(t.dir, "store-v1/blobs/sha256");
  writeFileSync(path.join(blobs, digestHex(digestOf("changed"))), "CHANGED");
  rmSync(path.join(blobs, digestHex(digestOf("lost"))));
  const { damaged } = await t.store.verify(never);
  assert.deepEqual(damaged.map((one) => [one.kind, one.digest]).sort(), [
    ["corrupt", digestOf("changed")],
    ["missing", digestOf("lost")],
  ]);
  const way = `${shortDigest(image.digest)} → ${shortDigest(digestOf("changed"))}`;
  assert.deepEqual(damaged.find((one) => one.kind === "corrupt")?.referredBy, [
    `docker.io/library/a:1 → ${way}`,
    `quay.io/x/y:2 → ${way}`,
  ]);
});

test("a damaged manifest is found", async () => {
  await using t = testStore();
  const image = await tagImage(t.store, "docker.io/library/a:1", "x");
  writeFileSync(path.join(t.dir, "store-v1/blobs/sha256", digestHex(image.digest)), "x".repeat(image.size));
  const { damaged } = await t.store.verify(never);
  assert.deepEqual(
    damaged.map((one) => [one.kind, one.digest]),
    [["corrupt", image.digest]],
  );
});

test("the platforms of an index that were not pulled are not missing", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const image = await putImage(lease, "here");
  const index = encodeIndex({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [image, { ...image, digest: digestOf("not pulled") }],
  });
  const { digest, sizeBytes } = await lease.putBytes(index);
  await t.store.tag("docker.io/library/a:1", { mediaType: mediaTypes.ociIndex, digest, size: sizeBytes }, never);
  assert.deepEqual((await t.store.verify(never)).damaged, []);
});

test("records that refer to what is gone are told apart from damage", async () => {
  await using t = testStore();
  t.store.writeRecord({ kind: "k", key: "x", refs: [digestOf("gone")], payload: Buffer.alloc(0) });
  const report = await t.store.verify(never);
  assert.deepEqual(report.damaged, []);
  assert.deepEqual(report.staleRecords, ["k/x"]);
});

test("usage tells what is shared, what is its own and what nothing needs", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const a = await tagImage(t.store, "docker.io/library/a:1", "a".repeat(1000));
  await t.store.tag("docker.io/library/a:2", a, never);
  await tagImage(t.store, "docker.io/library/b:1", "b".repeat(3000));
  t.store.writeRecord({ kind: "cache", key: "b", refs: [digestOf("b".repeat(3000))], payload: Buffer.alloc(0) });
  await lease.putBytes(Buffer.from("pinned"));
  await lease[Symbol.asyncDispose]();
  const usage = t.store.usage();
  const [a1, a2, b1] = usage.images;
  assert.equal(a1?.ownBytes, a1?.sizeBytes, "two names of one image share it with nobody else");
  assert.deepEqual([a2?.sizeBytes, a2?.ownBytes], [a1?.sizeBytes, a1?.ownBytes]);
  assert.equal(b1?.ownBytes, (b1?.sizeBytes ?? 0) - 3000, "its layer is also the cache's");
  assert.equal(usage.records[0]?.ownBytes, usage.recordBytes);
  assert.equal(usage.reclaimableBytes, 6);
  assert.equal(usage.totalBytes, (a1?.sizeBytes ?? 0) + (b1?.sizeBytes ?? 0) + usage.recordBytes + 6);
});

test("a damaged blob is taken away so that it can be written anew, a whole one is not", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const segmentOf = async (text: string) => {
    await using writer = lease.createSegment();
    writeFileSync(writer.path, text);
    await writer.commit();
    return writer.id;
  };
  const [shared, own] = [await segmentOf("shared"), await segmentOf("own")];
  const whole = await lease.putRecipe(digestOf("shared"), [{ segment: shared, offset: 0, length: 6 }]);
  const harmed = await lease.putRecipe(digestOf("sharedown"), [
    { segment: shared, offset: 0, length: 6 },
    { segment: own, offset: 0, length: 3 },
  ]);
  writeFileSync(path.join(t.dir, "store-v1/segments", own), "OWN");
  assert.equal(await t.store.discardDamaged(whole.digest, never), false);
  assert.equal(await t.store.discardDamaged(digestOf("absent"), never), false);
  assert.ok(await lease.pin(harmed.digest, never), "until then it counts as there");
  assert.equal(await t.store.discardDamaged(harmed.digest, never), true);
  assert.equal(await lease.pin(harmed.digest, never), undefined);
  assert.equal(await lease.pinSegment(own, never), false);
  assert.equal(await lease.pinSegment(shared, never), true);
  assert.deepEqual((await t.store.verify(never)).damaged, []);
});

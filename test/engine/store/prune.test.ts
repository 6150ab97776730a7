import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { type Digest, digestOf } from "../../../engine/oci/digest.ts";
import { encodeManifest } from "../../../engine/oci/manifest.ts";
import { mediaTypes } from "../../../engine/oci/mediaTypes.ts";
import type { Lease, PrunePlan, SegmentId } from "../../../engine/store/contract.ts";
import { openLayout } from "../../../engine/store/layout.ts";
import { ownIdentity } from "../../../engine/store/liveness.ts";
import { announceSweep } from "../../../engine/store/sweep.ts";
import { never, putImage, tagImage, testStore } from "./support.ts";

const day = 86_400_000;
const what = (plan: PrunePlan): string[] => plan.items.map((item) => `${item.type} ${item.reason.kind}`).sort();

test("what a name needs stays, what nothing needs goes", async () => {
  await using t = testStore();
  await tagImage(t.store, "docker.io/library/a:1", "kept");
  {
    await using lease = t.store.lease("test");
    await putImage(lease, "dangling");
  }
  const plan = await t.store.planPrune({}, never);
  assert.deepEqual(what(plan), ["blob unreferenced", "blob unreferenced", "image unreferenced"]);
  assert.ok(t.store.stat(digestOf("dangling")), "planning takes nothing");
  const report = await t.store.prune({}, never);
  assert.equal(report.freedBytes, plan.freesBytes);
  assert.deepEqual(report.removed, plan.items);
  assert.equal(t.store.usage().totalBytes, plan.afterBytes);
  assert.equal(t.store.stat(digestOf("dangling")), undefined);
  assert.ok(t.store.stat(digestOf("kept")));
  assert.deepEqual((await t.store.prune({}, never)).removed, []);
});

test("after untag the image goes with the next prune", async () => {
  await using t = testStore();
  await tagImage(t.store, "docker.io/library/a:1", "x");
  await t.store.untag("docker.io/library/a:1");
  await t.store.prune({}, never);
  assert.equal(t.store.usage().totalBytes, 0);
});

test("a lease keeps what it wrote and what it pinned, with all that belongs to it", async () => {
  await using t = testStore();
  const image = await tagImage(t.store, "docker.io/library/a:1", "pinned");
  await t.store.untag("docker.io/library/a:1");
  await using reader = t.store.lease("read");
  assert.ok(await reader.pin(image.digest, never));
  {
    await using writer = t.store.lease("write");
    const segment = await segmentOf(writer, "segment");
    await writer.putRecipe(digestOf("segment"), [{ segment, offset: 0, length: 7 }]);
    await writer.putBytes(Buffer.from("written"));
    await t.again().prune({}, never);
    assert.ok(t.store.stat(digestOf("written")));
    assert.ok(await writer.pinSegment(segment, never));
  }
  const report = await t.store.prune({}, never);
  assert.deepEqual(report.removed.map((item) => item.type).sort(), ["blob", "recipe", "segment"]);
  assert.ok(t.store.stat(digestOf("pinned")), "the layer of the pinned manifest");
});

test("a record keeps what it refers to, through manifests and recipes", async () => {
  await using t = testStore();
  {
    await using lease = t.store.lease("test");
    const image = await putImage(lease, "layer");
    const segment = await segmentOf(lease, "segment");
    await lease.putRecipe(digestOf("segment"), [{ segment, offset: 0, length: 7 }]);
    t.store.writeRecord({ kind: "k", key: "a", refs: [image.digest, digestOf("segment")], payload: Buffer.alloc(0) });
  }
  assert.deepEqual((await t.store.prune({}, never)).removed, []);
  t.store.removeRecord("k", "a");
  assert.equal((await t.store.prune({}, never)).removed.length, 5);
});

test("a record that is kept with a blob keeps its own only while that blob stays", async () => {
  await using t = testStore();
  const image = await tagImage(t.store, "docker.io/library/a:1", "signed");
  {
    await using lease = t.store.lease("test");
    const signature = await lease.putBytes(Buffer.from("signature"));
    const countersignature = await lease.putBytes(Buffer.from("of the signature"));
    const put = (key: string, keptWith: Digest, ref: Digest): void =>
      t.store.writeRecord({ kind: "referrer", key, refs: [ref], keptWith, payload: Buffer.alloc(0) });
    put("2", signature.digest, countersignature.digest);
    put("1", image.digest, signature.digest);
  }
  assert.deepEqual((await t.store.prune({}, never)).removed, []);
  await t.store.untag("docker.io/library/a:1");
  await t.store.prune({}, never);
  assert.equal(t.store.stat(digestOf("signature")), undefined);
  assert.equal(t.store.stat(digestOf("of the signature")), undefined);
});

test("a signature that names its image keeps it, and an artifact of unknown type its blobs", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const config = await lease.putBytes(Buffer.from("{}"));
  const subject = await putImage(lease, "signed");
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: "application/x.signature",
    config: { mediaType: mediaTypes.ociEmpty, digest: config.digest, size: 2 },
    layers: [],
    subject,
  });
  const { digest, sizeBytes } = await lease.putBytes(manifest);
  await t.store.tag("docker.io/library/a:sig", { mediaType: mediaTypes.ociManifest, digest, size: sizeBytes }, never);
  await lease[Symbol.asyncDispose]();
  assert.deepEqual((await t.store.prune({}, never)).removed, []);
});

test("records go by age, except those a rule keeps, and take their blobs with them", async () => {
  await using t = testStore();
  await record(t, "cache", "old", 10 * day);
  await record(t, "cache", "keep-old", 10 * day);
  await record(t, "builds", "old-build", 10 * day);
  await record(t, "cache", "new", 1 * day);
  t.clock.ms = 11 * day;
  const policy = {
    recordsUnusedForMs: 1 * day + 1,
    keep: [
      { kind: "cache", keyPrefix: "keep-" },
      { kind: "builds", usedWithinMs: 2 * day },
    ],
  };
  const early = await t.store.planPrune({ ...policy, recordsUnusedForMs: 30 * day }, never);
  assert.deepEqual(early.items, []);
  t.clock.ms = 12 * day;
  t.store.touchRecord("cache", "new");
  const plan = await t.store.planPrune(policy, never);
  assert.deepEqual(what(plan), [
    "blob record-dropped",
    "blob record-dropped",
    "record record-unused",
    "record record-unused",
  ]);
  await t.store.prune(policy, never);
  assert.deepEqual(
    t.store.listRecords().map((entry) => entry.key),
    ["new", "keep-old"],
  );
  assert.equal(t.store.stat(digestOf(blobOf("old"))), undefined);
  assert.ok(t.store.stat(digestOf(blobOf("keep-old"))));
});

test("a size budget takes the least recently used records first and says when names alone exceed it", async () => {
  await using t = testStore();
  await tagImage(t.store, "docker.io/library/a:1", "x".repeat(5000));
  for (const [i, key] of ["a", "b", "c", "d"].entries()) await record(t, "cache", key, (i + 1) * day);
  const named = t.store.usage().images[0]?.sizeBytes ?? 0;
  const budget = named + 2 * (t.store.usage().records[0]?.sizeBytes ?? 0) + 10;
  const plan = await t.store.planPrune({ maxBytes: budget }, never);
  assert.deepEqual(
    plan.items.filter((item) => item.type === "record").map((item) => item.what),
    ["cache/b", "cache/a"],
  );
  assert.equal(plan.aboveBudgetBytes, undefined);
  assert.ok(plan.afterBytes <= budget);
  await t.store.prune({ maxBytes: budget }, never);
  assert.ok(t.store.usage().totalBytes <= budget);
  const impossible = await t.store.planPrune({ maxBytes: 100 }, never);
  assert.equal(impossible.aboveBudgetBytes, named - 100);
  await t.store.prune({ maxBytes: 100 }, never);
  assert.ok(t.store.lookup("docker.io/library/a:1"), "a name is never taken");
});

test("a layer two records share goes with the last of them", async () => {
  await using t = testStore();
  {
    await using lease = t.store.lease("test");
    const { digest } = await lease.putBytes(Buffer.from("shared"));
    for (const [key, at] of [
      ["old", 1],
      ["new", 5],
    ] as const) {
      t.clock.ms = at * day;
      t.store.writeRecord({ kind: "k", key, refs: [digest], payload: Buffer.alloc(0) });
    }
  }
  t.clock.ms = 6 * day;
  await t.store.prune({ recordsUnusedForMs: 3 * day }, never);
  assert.ok(t.store.stat(digestOf("shared")));
  t.clock.ms = 9 * day;
  await t.store.prune({ recordsUnusedForMs: 3 * day }, never);
  assert.equal(t.store.stat(digestOf("shared")), undefined);
});

test("young blobs nothing refers to can be left alone, with what they need", async () => {
  await using t = testStore();
  {
    await using lease = t.store.lease("test");
    await putImage(lease, "just pulled");
  }
  t.clock.ms = Date.now();
  assert.deepEqual((await t.store.prune({ unreferencedForMs: day }, never)).removed, []);
  t.clock.ms = Date.now() + 2 * day;
  assert.equal((await t.store.prune({ unreferencedForMs: day }, never)).removed.length, 3);
});

test("what a dead process left half-written is listed and removed", async () => {
  await using t = testStore();
  const root = path.join(t.dir, "store-v1");
  const world = ownIdentity().split("-")[0];
  writeFileSync(path.join(root, "tmp", `${world}-1-2_3_record`), "half");
  writeFileSync(path.join(root, "leases", `${world}-1-2_3`), "build\n");
  const plan = await t.store.planPrune({}, never);
  assert.deepEqual(what(plan), ["leftover left-behind", "leftover left-behind"]);
  await using lease = t.store.lease("alive");
  await using writer = lease.createBlob();
  await writer.write(Buffer.from("x"));
  await t.store.prune({}, never);
  await writer.commit();
  assert.ok(t.store.stat(digestOf("x")));
});

test("whoever pins while a sweep that may take the blob is announced waits for its end, others do not", async () => {
  await using t = testStore();
  {
    await using lease = t.store.lease("test");
    await lease.putBytes(Buffer.from("condemned"));
    await lease.putBytes(Buffer.from("safe"));
  }
  const sweep = announceSweep(openLayout(t.dir), [digestOf("condemned")]);
  await using lease = t.store.lease("test");
  assert.ok(await lease.pin(digestOf("safe"), never));
  let settled = false;
  const pinning = lease.pin(digestOf("condemned"), never).finally(() => {
    settled = true;
  });
  const writing = lease.putBytes(Buffer.from("condemned"));
  await sleep(60);
  assert.equal(settled, false);
  await assert.rejects(lease.pin(digestOf("condemned"), AbortSignal.timeout(10)), { code: "CANCELLED" });
  sweep[Symbol.dispose]();
  assert.ok(await pinning);
  assert.equal((await writing).digest, digestOf("condemned"));
});

test("the announcement of a dead prune is void", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const sweeps = path.join(t.dir, "store-v1/sweeps");
  writeFileSync(path.join(sweeps, `${ownIdentity().split("-")[0]}-1-2_3_all`), "");
  await lease.putBytes(Buffer.from("x"));
  assert.ok(await lease.pin(digestOf("x"), AbortSignal.timeout(1000)));
  {
    using _sweep = announceSweep(openLayout(t.dir), []);
    assert.equal(readdirSync(sweeps).length, 1, "the next prune clears it away");
  }
});

test("a prune can be cancelled, and what it left is whole", async () => {
  await using t = testStore();
  await tagImage(t.store, "docker.io/library/a:1", "kept");
  await tagImage(t.store, "docker.io/library/b:1", "gone");
  await t.store.untag("docker.io/library/b:1");
  await assert.rejects(t.store.prune({}, AbortSignal.abort()), { code: "CANCELLED" });
  assert.deepEqual((await t.store.verify(never)).damaged, []);
  assert.equal((await t.store.prune({}, never)).removed.length, 3);
});

test("a prune keeps exactly what is reachable from any set of names, records and leases", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ layer: fc.nat(5), hold: fc.constantFrom("name", "record", "lease", "nothing") }), {
        maxLength: 8,
      }),
      async (images) => {
        await using t = testStore();
        await using held = t.store.lease("held");
        const kept = new Set<Digest>();
        for (const [i, { layer, hold }] of images.entries()) {
          await using lease = t.store.lease("writer");
          const image = await putImage(lease, `layer ${layer}`);
          if (hold === "name") await t.store.tag(`docker.io/library/i:${i}`, image, never);
          if (hold === "record")
            t.store.writeRecord({ kind: "k", key: `${i}`, refs: [image.digest], payload: Buffer.alloc(0) });
          if (hold === "lease") await held.pin(image.digest, never);
          if (hold !== "nothing") kept.add(image.digest).add(digestOf(`layer ${layer}`));
        }
        await t.store.prune({}, never);
        for (const { layer } of images) {
          const digest = digestOf(`layer ${layer}`);
          assert.equal(t.store.stat(digest) !== undefined, kept.has(digest));
        }
        assert.deepEqual((await t.store.verify(never)).damaged, []);
      },
    ),
    { numRuns: 25 },
  );
});

const blobOf = (key: string): string => `blob of ${key} `.repeat(50);

async function record(t: ReturnType<typeof testStore>, kind: string, key: string, atMs: number): Promise<void> {
  t.clock.ms = atMs;
  await using lease = t.store.lease("test");
  const { digest } = await lease.putBytes(Buffer.from(blobOf(key)));
  t.store.writeRecord({ kind, key, refs: [digest], payload: Buffer.from(key) });
}

async function segmentOf(lease: Lease, text: string): Promise<SegmentId> {
  await using writer = lease.createSegment();
  writeFileSync(writer.path, text);
  await writer.commit();
  return writer.id;
}

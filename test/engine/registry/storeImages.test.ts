import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../../engine/oci/digest.ts";
import { prune } from "../../../engine/operations/housekeeping.ts";
import { evictMirror, planEviction } from "../../../engine/registry/evictMirror.ts";
import { layeredContent } from "../../../engine/registry/layeredContent.ts";
import { readMirrored, writeMirrored, writeTag } from "../../../engine/registry/mirrorRecords.ts";
import { openPushedContent } from "../../../engine/registry/pushedContent.ts";
import { openStoreImages } from "../../../engine/registry/storeImages.ts";
import type { Store } from "../../../engine/store/contract.ts";
import { temporaryStore } from "../../support/temporary.ts";
import { tagTestImage, tagTestIndex } from "../../support/testImages.ts";

const signal = AbortSignal.timeout(30_000);

test("an image of the store is pulled by its name, whichever way its host is told", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  const image = await tagTestImage(store, "quay.io/team/app:1", signal);
  const content = openStoreImages(store);
  for (const name of [{ path: "team/app", host: "quay.io" }, { path: "quay.io/team/app" }]) {
    assert.equal((await content.manifest(name, "1", signal))?.digest, image.digest);
    assert.equal((await content.manifest(name, image.digest, signal))?.digest, image.digest);
    assert.deepEqual(await content.tags(name, signal), ["1"]);
  }
  assert.equal(await content.manifest({ path: "team/app" }, "1", signal), undefined);
  assert.deepEqual(content.repositories(), ["quay.io/team/app"]);
});

test("all platforms of an index are served, and a blob only to the repositories that have it", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await tagTestIndex(store, "docker.io/library/tools:2", signal);
  const other = await tagTestImage(store, "docker.io/library/other:1", signal);
  const content = openStoreImages(store);
  const name = { path: "library/tools" };
  const index = await content.manifest({ path: "tools" }, "2", signal);
  const { manifests } = JSON.parse(Buffer.from(index?.bytes ?? "").toString("utf8")) as {
    manifests: { digest: never }[];
  };
  for (const { digest } of manifests) {
    const manifest = await content.manifest(name, digest, signal);
    const { layers } = JSON.parse(Buffer.from(manifest?.bytes ?? "").toString("utf8")) as {
      layers: { digest: never }[];
    };
    const blob = await content.blob(name, layers[0]?.digest ?? ("" as never), signal);
    assert.ok(blob);
    await blob.close();
  }
  assert.equal(await content.manifest(name, other.digest, signal), undefined);
});

test("what was pushed under a path is not another host's image of that path", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  const pushed = openPushedContent(store, "shared");
  const put = async (path: string): Promise<string> => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, annotations: { path } }));
    const digest = digestOf(bytes);
    await pushed.putManifest(
      { path },
      { digest, mediaType: "application/vnd.oci.image.manifest.v1+json", bytes, tags: ["1"] },
      signal,
    );
    return digest;
  };
  const [bare, below] = [await put("team/app"), await put("quay.io/team/app")];
  const content = layeredContent(pushed, []);
  const target = async (name: { path: string; host?: string }): Promise<string | undefined> =>
    (await content.manifest(name, "1", signal))?.digest;
  assert.equal(await target({ path: "team/app" }), bare);
  assert.equal(await target({ path: "team/app", host: "docker.io" }), bare);
  assert.equal(await target({ path: "team/app", host: "quay.io" }), below);
  assert.equal(await target({ path: "team/app", host: "ghcr.io" }), undefined);
});

async function mirrored(store: Store, repository: string, sizeBytes: number): Promise<void> {
  const upstream = { host: "quay.io", repository };
  await using lease = store.lease("test");
  const { digest } = await lease.putBytes(Buffer.alloc(sizeBytes, repository));
  const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: sizeBytes };
  writeMirrored(store, "blob", upstream, descriptor);
  writeTag(store, upstream, "1", { target: descriptor, checkedAtMs: 1 });
}

test("a mirror over its budget loses what was used longest ago; pins, images and pushes stay", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  const image = await tagTestImage(store, "quay.io/team/app:1", signal);
  for (const repository of ["pinned", "old", "new"]) {
    await mirrored(store, repository, 100_000);
    // Records are ordered by the time of their last use, in milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const budget = { maxBytes: 210_000, pins: ["quay.io/pinned"] };
  const plan = await planEviction(store, budget, signal);
  assert.ok(plan.items.some((item) => item.what.startsWith("mirror-blob/quay.io/old@")));
  await evictMirror(store, budget, signal);
  const has = (repository: string): boolean =>
    readMirrored(store, "blob", { host: "quay.io", repository }, digestOf(Buffer.alloc(100_000, repository))) !==
    undefined;
  assert.deepEqual([has("pinned"), has("old"), has("new")], [true, false, true]);
  assert.equal(store.stat(digestOf(Buffer.alloc(100_000, "old"))), undefined);
  assert.ok(store.stat(image.digest));
});

test("pruning everything keeps what was pushed to the registry", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  const pushed = openPushedContent(store, "shared");
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, layers: [] }));
  const digest = digestOf(bytes);
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  await pushed.putManifest({ path: "a/b" }, { digest, mediaType, bytes, tags: ["1"] }, signal);
  await mirrored(store, "old", 1000);
  await prune(store, { dryRun: false, all: true }, Date.now(), signal);
  assert.equal((await openPushedContent(store, "shared").manifest({ path: "a/b" }, "1", signal))?.digest, digest);
  assert.equal(store.listRecords("mirror-blob").length, 0);
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { packRegistryLayer } from "../../../engine/bundle/registryLayer.ts";
import { distributionLayout } from "../../../engine/registry/distributionLayout.ts";
import type { Lease } from "../../../engine/store/contract.ts";
import { temporaryDir, temporaryStore } from "../../support/temporary.ts";

const signal = AbortSignal.timeout(20_000);

async function layoutOf(lease: Lease, name: string, content: string) {
  const blob = await lease.putBytes(Buffer.from(content));
  const manifest = await lease.putBytes(Buffer.from(`{"of":"${name}"}`));
  return {
    image: name,
    target: manifest.digest,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    manifests: [
      {
        digest: manifest.digest,
        sizeBytes: manifest.sizeBytes,
        blobs: [{ digest: blob.digest, sizeBytes: blob.sizeBytes }],
      },
    ],
  };
}

test("the layer unpacks to the registry folder, byte for byte", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await using lease = store.lease("test");
  const files = distributionLayout([await layoutOf(lease, "quay.io/a/b:1", "x".repeat(70_000))]);
  const layer = await packRegistryLayer(store, lease, files, signal);
  await using dir = await temporaryDir("layer");
  const tar = path.join(dir.path, "layer.tar");
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(layer.diffId, {}, signal)) chunks.push(Uint8Array.from(chunk));
  await writeFile(tar, Buffer.concat(chunks));
  await mkdir(path.join(dir.path, "out"));
  const unpacked = spawnSync("tar", ["-xf", tar, "-C", path.join(dir.path, "out")], { encoding: "utf8" });
  assert.equal(unpacked.status, 0, unpacked.stderr);
  for (const file of files) {
    const bytes = await readFile(path.join(dir.path, "out/registry", file.path));
    if (file.kind === "text") assert.equal(bytes.toString(), file.text);
    else assert.deepEqual(bytes, Buffer.from(store.readBytes(file.digest, 1_000_000)));
  }
});

test("the same images make the same layer in any order, and the second time nothing is packed", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await using lease = store.lease("test");
  const images = [await layoutOf(lease, "a.io/x:1", "one"), await layoutOf(lease, "b.io/y:2", "two")];
  const first = await packRegistryLayer(store, lease, distributionLayout(images), signal);
  const again = await packRegistryLayer(store, lease, distributionLayout(images.toReversed()), signal);
  assert.equal(first.isNew, true);
  assert.deepEqual(again, { ...first, isNew: false });
});

test("a packed blob takes no second room, and outlives the blob it was made from", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  const content = "y".repeat(200_000);
  let layer: Awaited<ReturnType<typeof packRegistryLayer>>;
  {
    await using lease = store.lease("test");
    const files = distributionLayout([await layoutOf(lease, "quay.io/a/b:1", content)]);
    layer = await packRegistryLayer(store, lease, files, signal);
    const blob = files.find((file) => file.kind === "blob" && file.sizeBytes === content.length);
    assert.ok(blob?.kind === "blob");
    const held = store.locate(blob.digest)?.paths[0] ?? "";
    const links = spawnSync("stat", ["-c", "%h", held], { encoding: "utf8" }).stdout.trim();
    assert.equal(links, "2");
  }
  await store.prune({}, signal);
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(layer.diffId, {}, signal)) chunks.push(Uint8Array.from(chunk));
  assert.ok(Buffer.concat(chunks).includes(content));
});

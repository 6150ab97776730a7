/**
 * A process that uses a store, for tests that run several at once or kill one: `node storeActor.ts ROLE DIR NAME SECONDS`.
 *
 * Every acknowledged change of a name is told on standard output as it happens, `+ name digest` and `- name`; an act about to begin as
 * `? name digest` or `? name -`. A broken promise of the store ends the process with status 1 and the story on standard error.
 */

import { randomBytes, randomInt } from "node:crypto";
import { writeFileSync, writeSync } from "node:fs";
import { encodeConfig } from "../../engine/oci/config.ts";
import type { Descriptor } from "../../engine/oci/descriptor.ts";
import { type Digest, digestOf } from "../../engine/oci/digest.ts";
import { encodeManifest } from "../../engine/oci/manifest.ts";
import { mediaTypes } from "../../engine/oci/mediaTypes.ts";
import type { Lease, Store } from "../../engine/store/contract.ts";
import { openStore } from "../../engine/store/store.ts";

const never = new AbortController().signal;

/** The few layers all actors build from, so that one uses what another is about to sweep. */
const layers: readonly Buffer[] = Array.from({ length: 12 }, (_, i) =>
  Buffer.from(`layer ${i} `.repeat(3000 + 500 * i)),
);

/** Reuses a layer when it is there, as a cache hit does, else writes it: whole or as a recipe of two segments. */
async function useLayer(store: Store, lease: Lease, content: Buffer): Promise<Digest> {
  const digest = digestOf(content);
  if ((await lease.pin(digest, never)) === undefined) await writeLayer(lease, content, digest);
  // What was pinned must stay readable from now to the end of the lease, whatever the other processes prune.
  for await (const _ of store.read(digest, {}, never));
  return digest;
}

async function writeLayer(lease: Lease, content: Buffer, digest: Digest): Promise<void> {
  if (randomInt(2) === 0) {
    await using writer = lease.createBlob({ digest, sizeBytes: content.length });
    for (let at = 0; at < content.length; at += 16_384) await writer.write(content.subarray(at, at + 16_384));
    await writer.commit();
    return;
  }
  const half = Math.floor(content.length / 2);
  const parts = [content.subarray(0, half), content.subarray(half)].map(async (bytes) => {
    await using segment = lease.createSegment();
    writeFileSync(segment.path, bytes);
    await segment.commit();
    return { segment: segment.id, offset: 0, length: bytes.length };
  });
  await lease.putRecipe(digest, await Promise.all(parts));
}

async function buildImage(store: Store, lease: Lease): Promise<Descriptor> {
  const chosen = Array.from({ length: 1 + randomInt(3) }, () => layers[randomInt(layers.length)] ?? Buffer.alloc(1));
  const digests: Digest[] = [];
  for (const content of chosen) digests.push(await useLayer(store, lease, content));
  const config = encodeConfig({
    architecture: "amd64",
    os: "linux",
    author: randomBytes(4).toString("hex"),
    rootfs: { type: "layers", diff_ids: digests },
  });
  const stat = await lease.putBytes(config);
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: stat.digest, size: stat.sizeBytes },
    layers: chosen.map((content, i) => ({
      mediaType: mediaTypes.ociLayer,
      digest: digests[i] ?? stat.digest,
      size: content.length,
    })),
  });
  const { digest, sizeBytes } = await lease.putBytes(manifest);
  return { mediaType: mediaTypes.ociManifest, digest, size: sizeBytes };
}

function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

async function buildAndTag(store: Store, name: string): Promise<void> {
  await using lease = store.lease("actor");
  const target = await buildImage(store, lease);
  tell(`? ${name} ${target.digest}`);
  await store.tag(name, target, never);
  store.writeRecord({ kind: "cache", key: name, refs: [target.digest], payload: Buffer.from(name) });
  tell(`+ ${name} ${target.digest}`);
  for await (const _ of store.read(target.digest, {}, never));
}

async function untag(store: Store, name: string): Promise<void> {
  tell(`? ${name} -`);
  await store.untag(name);
  store.removeRecord("cache", name);
  tell(`- ${name}`);
}

/** Uses a tagged image of another actor, which may untag it meanwhile: once pinned it must stay whole. */
async function readSomeImage(store: Store): Promise<void> {
  const images = store.list();
  const image = images[randomInt(Math.max(images.length, 1))];
  if (image === undefined) return;
  await using lease = store.lease("reader");
  if ((await lease.pin(image.target.digest, never)) === undefined) return;
  const manifest = JSON.parse(Buffer.from(store.readBytes(image.target.digest, 1 << 20)).toString()) as {
    layers: { digest: Digest }[];
  };
  for (const layer of manifest.layers) for await (const _ of store.read(layer.digest, {}, never));
}

const [role = "", dir = "", self = "", seconds = "1"] = process.argv.slice(2);
await using store = openStore({ dir, now: () => Date.now() });
tell("ready");
const until = performance.now() + Number(seconds) * 1000;
while (performance.now() < until) {
  const name = `localhost/${self}:${randomInt(4)}`;
  const act = role === "mix" ? (["build", "build", "untag", "read", "prune"][randomInt(5)] ?? "build") : role;
  if (act === "build") await buildAndTag(store, name);
  else if (act === "untag") await untag(store, name);
  else if (act === "read") await readSomeImage(store);
  else {
    const { removed, spared } = await store.prune(randomInt(2) === 0 ? {} : { recordsUnusedForMs: 0 }, never);
    tell(`# pruned ${removed.length}, spared ${spared}`);
  }
}

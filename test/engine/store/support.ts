import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { encodeConfig } from "../../../engine/oci/config.ts";
import type { Descriptor } from "../../../engine/oci/descriptor.ts";
import { digestOf } from "../../../engine/oci/digest.ts";
import { encodeManifest } from "../../../engine/oci/manifest.ts";
import { mediaTypes } from "../../../engine/oci/mediaTypes.ts";
import type { Lease, Store } from "../../../engine/store/contract.ts";
import { openStore } from "../../../engine/store/store.ts";

export const never: AbortSignal = new AbortController().signal;

/** A clock the test moves. */
export interface Clock {
  ms: number;
}

/** A store in a folder of its own, removed with the scope. */
export interface TestStore extends AsyncDisposable {
  readonly dir: string;
  readonly store: Store;
  readonly clock: Clock;
  /** The same store as another process would open it. */
  again(): Store;
}

export function testStore(): TestStore {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-store-"));
  const clock: Clock = { ms: Date.now() };
  const open = (): Store => openStore({ dir, now: () => clock.ms });
  const store = open();
  return {
    dir,
    store,
    clock,
    again: open,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await store[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** All bytes of an async iterable. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** Stores an image whose only layer is these bytes, in a lease of the caller: its manifest's descriptor. The layer is no real tar. */
export async function putImage(lease: Lease, layer: string): Promise<Descriptor> {
  const layerBlob = await lease.putBytes(Buffer.from(layer));
  const config = encodeConfig({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  });
  const configBlob = await lease.putBytes(config);
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: configBlob.digest, size: configBlob.sizeBytes },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: layerBlob.digest, size: layerBlob.sizeBytes }],
  });
  const { digest, sizeBytes } = await lease.putBytes(manifest);
  return { mediaType: mediaTypes.ociManifest, digest, size: sizeBytes };
}

/** Stores and tags an image. */
export async function tagImage(store: Store, name: string, layer: string): Promise<Descriptor> {
  await using lease = store.lease("test");
  const target = await putImage(lease, layer);
  await store.tag(name, target, never);
  return target;
}

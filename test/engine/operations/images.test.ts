import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeConfig } from "../../../engine/oci/config.ts";
import { encodeIndex } from "../../../engine/oci/index.ts";
import { encodeManifest } from "../../../engine/oci/manifest.ts";
import { mediaTypes } from "../../../engine/oci/mediaTypes.ts";
import { findImage } from "../../../engine/operations/images.ts";
import { never, testStore } from "../store/support.ts";

test("an image found by its digest has the media type it was written with, Docker's as well as OCI's", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const rootfs = { type: "layers", diff_ids: [] } as const;
  const config = await lease.putBytes(encodeConfig({ architecture: "amd64", os: "linux", rootfs }));
  for (const [manifestType, configType, indexType] of [
    [mediaTypes.dockerManifest, mediaTypes.dockerConfig, mediaTypes.dockerManifestList],
    [mediaTypes.ociManifest, mediaTypes.ociConfig, mediaTypes.ociIndex],
  ] as const) {
    const part = { mediaType: configType, digest: config.digest, size: config.sizeBytes };
    const bytes = encodeManifest({ schemaVersion: 2, mediaType: manifestType, config: part, layers: [] });
    const { digest, sizeBytes } = await lease.putBytes(bytes);
    const manifest = { mediaType: manifestType, digest, size: sizeBytes };
    assert.deepEqual(findImage(t.store, digest).target, manifest);
    const index = await lease.putBytes(encodeIndex({ schemaVersion: 2, mediaType: indexType, manifests: [manifest] }));
    assert.equal(findImage(t.store, index.digest).target.mediaType, indexType);
    await t.store.tag("test.example/a:1", manifest, never);
    assert.deepEqual(findImage(t.store, digest).names[0]?.target, findImage(t.store, "test.example/a:1").target);
  }
});

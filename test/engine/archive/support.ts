import { bytesOfText } from "../../../engine/byteString.ts";
import { annotationKeys, formatImageExtension } from "../../../engine/oci/clusterImage.ts";
import { encodeConfig } from "../../../engine/oci/config.ts";
import type { Descriptor } from "../../../engine/oci/descriptor.ts";
import { encodeIndex } from "../../../engine/oci/index.ts";
import { encodeManifest } from "../../../engine/oci/manifest.ts";
import { mediaTypes } from "../../../engine/oci/mediaTypes.ts";
import type { Lease, Store } from "../../../engine/store/contract.ts";
import { tarEntry } from "../../../engine/tar/entry.ts";
import { packTar } from "../../../engine/tar/write.ts";
import { collect, never } from "../store/support.ts";

/** Text files by path, as the tar of a layer. */
export async function layerTar(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const items = Object.entries(files).map(([name, text]) => {
    const bytes = Buffer.from(text);
    return { entry: tarEntry("file", bytesOfText(name), { size: bytes.length }), content: [bytes] };
  });
  return collect(packTar(items));
}

export const extension: string = formatImageExtension({
  buildClient: { sealerVersion: "v0.11.0", buildahVersion: "" },
  schemaVersion: "v1alpha1",
  type: "app-installer",
  applications: [{ name: "shop", type: "kube", files: ["shop.yaml"], version: "v1" }],
  launch: { app_names: ["shop"] },
});

/** A cluster image of two layers for one architecture. */
export async function putClusterImage(lease: Lease, architecture: string, variant?: string): Promise<Descriptor> {
  const layers = [
    await lease.putBytes(await layerTar({ "etc/os": architecture })),
    await lease.putBytes(await layerTar({ "application/apps/shop/shop.yaml": "kind: Pod\n" })),
  ];
  const platform = { os: "linux", architecture, ...(variant === undefined ? {} : { variant }) };
  const config = encodeConfig({
    ...platform,
    created: "1970-01-01T00:00:00Z",
    config: { Env: ["PATH=/bin"], Labels: { "io.sealer.version": "v0.11.0" } },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.digest) },
    // umoci 0.4.7 stat takes the time of every step for granted.
    history: ["COPY a", "APP shop"].map((step) => ({ created: "1970-01-01T00:00:00Z", created_by: step })),
  });
  const { digest: configDigest, sizeBytes: configSize } = await lease.putBytes(config);
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: configDigest, size: configSize },
    layers: layers.map(({ digest, sizeBytes }) => ({ mediaType: mediaTypes.ociLayer, digest, size: sizeBytes })),
    annotations: { [annotationKeys.imageExtension]: extension, "com.example.note": "käse" },
  });
  const { digest, sizeBytes } = await lease.putBytes(manifest);
  return { mediaType: mediaTypes.ociManifest, digest, size: sizeBytes, platform };
}

/** Tags a cluster image for this machine's architecture; its descriptor carries no platform, as that of a name does not. */
export async function tagClusterImage(store: Store, name: string): Promise<Descriptor> {
  await using lease = store.lease("test");
  const { platform: _, ...target } = await putClusterImage(lease, process.arch === "arm64" ? "arm64" : "amd64");
  await store.tag(name, target, never);
  return target;
}

/** Tags an index of an amd64 and an arm64 image. */
export async function tagIndex(store: Store, name: string): Promise<Descriptor> {
  await using lease = store.lease("test");
  const manifests = [await putClusterImage(lease, "amd64"), await putClusterImage(lease, "arm64", "v8")];
  const { digest, sizeBytes } = await lease.putBytes(
    encodeIndex({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
  );
  const target = { mediaType: mediaTypes.ociIndex, digest, size: sizeBytes };
  await store.tag(name, target, never);
  return target;
}

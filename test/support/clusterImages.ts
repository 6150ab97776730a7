/** Small cluster images for merging and comparing: files, an extension, container images. */
import { formatContainerImages, formatImageExtension, type ImageExtension } from "../../engine/oci/clusterImage.ts";
import { encodeConfig } from "../../engine/oci/config.ts";
import type { Descriptor } from "../../engine/oci/descriptor.ts";
import { encodeManifest } from "../../engine/oci/manifest.ts";
import { mediaTypes } from "../../engine/oci/mediaTypes.ts";
import type { Store } from "../../engine/store/contract.ts";
import { tarOf } from "./testImages.ts";

export interface ClusterImageParts {
  readonly layers: readonly Readonly<Record<string, string>>[];
  readonly extension?: Partial<ImageExtension>;
  readonly containerImages?: readonly string[];
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly architecture?: string;
}

/** Stores a cluster image under a name. */
export async function tagClusterImage(
  store: Store,
  name: string,
  parts: ClusterImageParts,
  signal: AbortSignal,
): Promise<Descriptor> {
  await using lease = store.lease("test");
  const layers: Descriptor[] = [];
  for (const files of parts.layers) {
    const { digest, sizeBytes } = await lease.putBytes(await tarOf(files));
    layers.push({ mediaType: mediaTypes.ociLayer, digest, size: sizeBytes });
  }
  const { env: Env = [], labels: Labels = {}, architecture = "amd64" } = parts;
  const diff_ids = layers.map((layer) => layer.digest);
  const config = await lease.putBytes(
    encodeConfig({ architecture, os: "linux", config: { Env, Labels }, rootfs: { type: "layers", diff_ids } }),
  );
  const containerImages = formatContainerImages((parts.containerImages ?? []).map((image) => ({ image })));
  const extension = formatImageExtension({
    buildClient: { sealerVersion: "test", buildahVersion: "test" },
    schemaVersion: "v1alpha1",
    type: "app-installer",
    launch: {},
    ...parts.extension,
  });
  const manifest = await lease.putBytes(
    encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.sizeBytes },
      layers,
      annotations: {
        "sealer.image.extension": extension,
        ...(containerImages === undefined ? {} : { "sealer.image.container.images": containerImages }),
      },
    }),
  );
  const descriptor = { mediaType: mediaTypes.ociManifest, digest: manifest.digest, size: manifest.sizeBytes };
  await store.tag(name, descriptor, signal);
  return descriptor;
}

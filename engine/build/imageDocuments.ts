import { annotationKeys, type ClusterImageType } from "../oci/clusterImage.ts";
import { encodeConfig, type ImageConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { encodeIndex } from "../oci/index.ts";
import { encodeManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import type { Platform } from "../oci/platform.ts";
import type { StagePlan } from "../plan/steps.ts";
import type { Lease } from "../store/contract.ts";
import { extensionText } from "./apps.ts";
import { createdAt, type StageResult } from "./stageRun.ts";

/** What the person who builds adds to the image. */
export interface ImageAdditions {
  readonly type: ClusterImageType;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly sourceDateEpoch: number | undefined;
}

/** Writes configuration and manifest of one platform's image. Same inputs, same digests. */
export async function writeImage(
  lease: Lease,
  platform: Platform,
  plan: StagePlan,
  result: StageResult,
  additions: ImageAdditions,
): Promise<Descriptor> {
  const config = imageConfig(platform, plan, result, additions);
  const configBlob = await lease.putBytes(encodeConfig(config));
  const annotations: Record<string, string> = {
    ...(result.base === undefined
      ? {}
      : { [annotationKeys.baseName]: result.base.name, [annotationKeys.baseDigest]: result.base.digest }),
    ...(result.containerImages === undefined ? {} : { [annotationKeys.containerImages]: result.containerImages }),
    [annotationKeys.imageExtension]: extensionText(additions.type, result.applications, plan.cluster),
    ...additions.annotations,
  };
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: configBlob.digest, size: configBlob.sizeBytes },
    layers: result.layers.map(({ descriptor }) => asOci(descriptor)),
    annotations,
  });
  const blob = await lease.putBytes(manifest);
  return { mediaType: mediaTypes.ociManifest, digest: blob.digest, size: blob.sizeBytes, platform };
}

/** Writes the index over the images of several platforms, in the order they were asked for. */
export async function writeIndex(lease: Lease, images: readonly Descriptor[]): Promise<Descriptor> {
  const blob = await lease.putBytes(
    encodeIndex({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: images }),
  );
  return { mediaType: mediaTypes.ociIndex, digest: blob.digest, size: blob.sizeBytes };
}

function imageConfig(platform: Platform, plan: StagePlan, result: StageResult, additions: ImageAdditions): ImageConfig {
  const labels = { ...plan.config.runtime.Labels, ...additions.labels };
  return {
    created: createdAt(additions.sourceDateEpoch),
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    ...(plan.config.author === undefined ? {} : { author: plan.config.author }),
    config: { ...plan.config.runtime, ...(Object.keys(labels).length === 0 ? {} : { Labels: labels }) },
    rootfs: { type: "layers", diff_ids: result.layers.map(({ diffId }) => diffId) },
    history: result.history,
  };
}

const ociTypes: ReadonlyMap<string, string> = new Map([
  [mediaTypes.dockerLayer, mediaTypes.ociLayer],
  [mediaTypes.dockerLayerGzip, mediaTypes.ociLayerGzip],
  [mediaTypes.dockerLayerZstd, mediaTypes.ociLayerZstd],
]);

/** An OCI manifest names its layers in OCI's words, also those of a Docker base: the bytes are the same. */
function asOci(descriptor: Descriptor): Descriptor {
  const mediaType = ociTypes.get(descriptor.mediaType);
  return mediaType === undefined ? descriptor : { ...descriptor, mediaType };
}

import { EngineError } from "../errors.ts";
import { annotationKeys, type ImageExtension, parseImageExtension } from "../oci/clusterImage.ts";
import { type ImageConfig, parseConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { parseManifestOrIndex } from "../oci/index.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isIndexType } from "../oci/mediaTypes.ts";
import { choosePlatform, formatPlatform, type Platform } from "../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import type { Lease, Store } from "../store/contract.ts";
import type { StageLayer } from "./workshop.ts";

/** An image that a stage starts from or copies from. Its documents are in the store; its layers too, unless only planned. */
export interface BaseImage {
  /** Normalised. */
  readonly reference: string;
  readonly descriptor: Descriptor;
  readonly config: ImageConfig;
  readonly layers: readonly StageLayer[];
  /** Absent for an image that is not a cluster image. */
  readonly extension: ImageExtension | undefined;
  /** The annotation that lists the container images inside, as text. */
  readonly containerImages: string | undefined;
}

/** `missing` fetches what the store does not have, `always` and `newer` ask for the name again, `never` does not. */
export type PullPolicy = "missing" | "always" | "newer" | "never";

/** Whoever can bring an image of one platform into the store; its documents and layers are pinned by the lease when it returns. */
export interface ImagePuller {
  pull(
    reference: string,
    platform: Platform,
    policy: "always" | "newer",
    lease: Lease,
    signal: AbortSignal,
  ): Promise<Descriptor>;
}

export interface BaseImageOptions {
  readonly store: Store;
  /** Absent while planning: then only the store is asked. */
  readonly lease: Lease | undefined;
  readonly puller: ImagePuller | undefined;
  readonly policy: PullPolicy;
  readonly signal: AbortSignal;
}

/** Finds an image for a platform. Throws `BASE_IMAGE_MISSING`, `BASE_PLATFORM_MISSING`, `REFERENCE_INVALID` and what pulling throws. */
export async function findBaseImage(
  written: string,
  platform: Platform,
  options: BaseImageOptions,
): Promise<BaseImage> {
  const reference = formatReference(withDefaultTag(parseReference(written)));
  const target = await locate(reference, platform, options);
  if (options.lease !== undefined) await options.lease.pin(target.digest, options.signal);
  const { manifest, descriptor } = await manifestFor(reference, target, platform, options);
  const config = parseConfig(await options.store.readDocument(manifest.config, options.signal), reference);
  const extensionText = manifest.annotations?.[annotationKeys.imageExtension];
  return {
    reference,
    descriptor,
    config,
    layers: manifest.layers.map((layer, index) => ({
      diffId: config.rootfs.diff_ids[index] ?? layer.digest,
      descriptor: layer,
    })),
    extension: extensionText === undefined ? undefined : parseImageExtension(extensionText, reference),
    containerImages: manifest.annotations?.[annotationKeys.containerImages],
  };
}

async function locate(reference: string, platform: Platform, options: BaseImageOptions): Promise<Descriptor> {
  const { store, lease, puller, policy, signal } = options;
  const here = await store.resolve(reference, signal);
  const asks = policy === "always" || policy === "newer";
  if (here !== undefined && (!asks || lease === undefined)) return here;
  if (lease === undefined || puller === undefined || policy === "never") {
    if (here !== undefined) return here;
    throw new EngineError("BASE_IMAGE_MISSING", { reference });
  }
  return puller.pull(reference, platform, policy === "newer" && here !== undefined ? "newer" : "always", lease, signal);
}

async function manifestFor(
  reference: string,
  target: Descriptor,
  platform: Platform,
  options: BaseImageOptions,
): Promise<{ readonly manifest: Manifest; readonly descriptor: Descriptor }> {
  const document = parseManifestOrIndex(await options.store.readDocument(target, options.signal), reference);
  if (document.kind === "manifest") return { manifest: document.manifest, descriptor: target };
  const chosen = choosePlatform(document.index.manifests, platform);
  if (chosen === undefined || isIndexType(chosen.mediaType)) {
    const offered = document.index.manifests.flatMap((entry) =>
      entry.platform === undefined ? [] : [formatPlatform(entry.platform)],
    );
    throw new EngineError("BASE_PLATFORM_MISSING", { reference, platform: formatPlatform(platform), offered });
  }
  if (options.lease !== undefined) await options.lease.pin(chosen.digest, options.signal);
  const inner = parseManifestOrIndex(await options.store.readDocument(chosen, options.signal), reference);
  if (inner.kind !== "manifest") throw new EngineError("BASE_IMAGE_MISSING", { reference });
  return { manifest: inner.manifest, descriptor: chosen };
}

import { createdAt, type StageResult } from "../build/stageRun.ts";
import type { StageLayer } from "../build/workshop.ts";
import { type CollectedImages, type CollectProgress, collectImages, type ImageToCollect } from "../bundle/collect.ts";
import { discoverInImage, type ImageDiscoveryOptions } from "../bundle/discovery.ts";
import { openImageTree } from "../bundle/imageTree.ts";
import { packRegistryLayer } from "../bundle/registryLayer.ts";
import type { Discovery } from "../discover/found.ts";
import {
  foundLines,
  type ImageLock,
  type LockedImage,
  lockDrift,
  type RequiredImage,
  requiredImages,
} from "../discover/lock.ts";
import { EngineError } from "../errors.ts";
import { type ContainerImage, formatContainerImages, labelKeys, parseContainerImages } from "../oci/clusterImage.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { StagePlan } from "../plan/steps.ts";
import type { PackedContainerImage } from "../protocol.ts";
import { distributionLayout } from "../registry/distributionLayout.ts";
import type { RegistryClient } from "../remote/client.ts";
import type { Lease, Store } from "../store/contract.ts";
import { packedContainerImages } from "./packedContainerImages.ts";

/** What packing container images works with. */
export interface PackingHands {
  readonly store: Store;
  readonly lease: Lease;
  /** Asked for only when there is something to collect. */
  readonly client: () => Promise<RegistryClient>;
  readonly signal: AbortSignal;
}

/** What the person who builds says about container images. */
export interface PackingOptions {
  readonly lock: ImageLock;
  /** Take the digests of the lock for what names stand for. */
  readonly holdToLock: boolean;
  /** Refuse to build when what is found is not what the lock says. */
  readonly locked: boolean;
  readonly freshness: "newer" | "missing" | "never";
  readonly mirrors: ReadonlyMap<string, string>;
  readonly imageList: ImageDiscoveryOptions["imageList"];
  /** Normalised names to leave out, beside those the lock ignores. */
  readonly ignored: readonly string[];
  readonly valueSets: ImageDiscoveryOptions["valueSets"];
  readonly rules: ImageDiscoveryOptions["rules"];
  readonly sourceDateEpoch: number | undefined;
  /** Only find and resolve: no blob is fetched and nothing is packed. */
  readonly resolveOnly: boolean;
}

/** An image's stage with its container images packed on top. */
export interface Packed {
  readonly result: StageResult;
  readonly discovery: Discovery;
  readonly collected: CollectedImages;
  /** The packed layer; absent when there was nothing to pack. */
  readonly layer: { readonly diffId: Digest; readonly sizeBytes: number; readonly isNew: boolean } | undefined;
  /** The images of this build as the lock should have them. */
  readonly locked: readonly LockedImage[];
  /** What the image carries, with all that is known of it. */
  readonly carried: readonly PackedContainerImage[];
}

/**
 * Finds the container images of a finished root file system, brings those that its base does not carry already, and packs them as one
 * more layer.
 *
 * Throws `CONTAINER_IMAGES_UNAVAILABLE`, `IMAGE_LOCK_DRIFT` with `locked`, `CHARTS_UNREADABLE` when a chart cannot be rendered, and what
 * the store throws.
 */
export async function packContainerImages(
  hands: PackingHands,
  platform: Platform,
  plan: StagePlan,
  result: StageResult,
  options: PackingOptions,
  onProgress: (progress: CollectProgress) => void,
): Promise<Packed> {
  const discovery = await discoverForStage(hands, plan, result, options);
  refuseUnreadable(discovery);
  const base =
    result.containerImages === undefined ? [] : parseContainerImages(result.containerImages, "the base image");
  const required = wantedImages(discovery, options, base);
  refuseDrift(required, options);
  const { store, lease, signal } = hands;
  const toCollect = options.holdToLock ? required.map((image) => heldToLock(image, options.lock, platform)) : required;
  const { freshness, mirrors } = options;
  const client = toCollect.length === 0 ? undefined : await hands.client();
  const collected =
    client === undefined
      ? nothingCollected
      : await collectImages(toCollect, {
          client,
          store,
          lease,
          platform,
          freshness,
          mirrors,
          onProgress,
          signal,
          documentsOnly: options.resolveOnly,
        });
  const locked = lockedImages(required, collected, platform);
  if (collected.images.length === 0 || options.resolveOnly)
    return {
      result,
      discovery,
      collected,
      layer: undefined,
      locked,
      carried: packedContainerImages(base, required, []),
    };
  const layer = await packRegistryLayer(store, lease, distributionLayout(collected.images), signal);
  const images = eachOnce([...base, ...carriedImages(required, collected, platform)]);
  const carried = packedContainerImages(images, required, collected.images);
  return { result: withLayer(result, layer, images, options), discovery, collected, layer, locked, carried };
}

const nothingCollected: CollectedImages = { images: [], left: [], movedBytes: 0 };

function discoverForStage(
  hands: PackingHands,
  plan: StagePlan,
  result: StageResult,
  options: PackingOptions,
): Promise<Discovery> {
  const { store, lease, signal } = hands;
  const layers = result.layers.map(({ diffId }) => diffId);
  const openTree = () =>
    openImageTree(
      store,
      lease,
      { layers: result.layers.map(({ descriptor }) => descriptor) },
      { rootfs: { type: "layers", diff_ids: layers } },
      signal,
    );
  const kubernetesVersion = kubernetesOf(plan);
  const told = {
    commands: launchCommands(plan, result),
    rules: options.rules,
    valueSets: options.valueSets,
    ...(options.imageList === undefined ? {} : { imageList: options.imageList }),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
  };
  return discoverInImage(store, layers, openTree, told, signal);
}

/** The version that a base image's author put on its label; an image of applications alone has none. */
function kubernetesOf(plan: StagePlan): string | undefined {
  const labels = plan.config.runtime.Labels ?? {};
  const type = labels[labelKeys.clusterRuntimeType] ?? "kubernetes";
  return type === "kubernetes" ? labels["cluster.alpha.sealer.io/cluster-runtime-version"] : undefined;
}

function launchCommands(plan: StagePlan, result: StageResult): readonly string[] {
  const apps = [...result.applications.values()].flatMap((app) => app.cmds ?? []);
  const runtime = plan.config.runtime;
  return [...plan.cluster.launchCommands, ...apps, ...(runtime.Entrypoint ?? []), ...(runtime.Cmd ?? [])];
}

/** A chart that cannot be rendered may hide any number of images: that is never passed over in silence. */
function refuseUnreadable(discovery: Discovery): void {
  const charts = discovery.unresolved.filter(({ rule }) => rule === "chart");
  if (charts.length === 0) return;
  throw new EngineError("CHARTS_UNREADABLE", {
    charts: charts.map(({ origin, reason }) => ({
      chart: origin.chart ?? origin.file,
      values: origin.values ?? "",
      reason,
    })),
  });
}

function wantedImages(
  discovery: Discovery,
  options: PackingOptions,
  base: readonly ContainerImage[],
): readonly RequiredImage[] {
  const carried = new Set(base.map(({ image }) => image));
  const pinned = new Set(options.lock.images.map(({ image }) => image));
  const ignored = new Set(options.ignored);
  return requiredImages(discovery, options.lock).filter(
    ({ image }) => !ignored.has(image) && (!carried.has(image) || pinned.has(image)),
  );
}

function refuseDrift(required: readonly RequiredImage[], options: PackingOptions): void {
  if (!options.locked) return;
  const { missing, unneeded } = lockDrift(required, options.lock);
  if (missing.length === 0 && unneeded.length === 0) return;
  throw new EngineError("IMAGE_LOCK_DRIFT", {
    missing: missing.map((image) => `${image.image} (${foundLines(image)[0] ?? "added"})`),
    unneeded: unneeded.map(({ image }) => image),
  });
}

/** The digest that the lock holds an image to: of the whole reference, so that every platform is held by one. */
function heldToLock(image: RequiredImage, lock: ImageLock, platform: Platform): ImageToCollect {
  const entry = lock.images.find((locked) => locked.image === image.image);
  const known = entry?.platforms[formatPlatform(platform)];
  // A lock made for other platforms holds the index all the same: its digest is one for all.
  if (entry === undefined || !isDigest(entry.digest) || (known !== undefined && !isDigest(known))) return image;
  return { ...image, digest: entry.digest };
}

function lockedImages(
  required: readonly RequiredImage[],
  collected: CollectedImages,
  platform: Platform,
): readonly LockedImage[] {
  const byName = new Map(collected.images.map((image) => [image.image, image]));
  return required.flatMap((entry) => {
    const image = byName.get(entry.image);
    if (image === undefined) return [];
    const platforms = { [formatPlatform(platform)]: image.platformDigest };
    return [
      { image: entry.image, digest: image.target, platforms, found: foundLines(entry), optional: entry.optional },
    ];
  });
}

function carriedImages(
  required: readonly RequiredImage[],
  collected: CollectedImages,
  platform: Platform,
): readonly ContainerImage[] {
  const byName = new Map(required.map((image) => [image.image, image]));
  return collected.images.map(({ image }) => {
    const appName = byName.get(image)?.findings.find(({ origin }) => origin.app !== undefined)?.origin.app;
    return { image, platform, ...(appName === undefined ? {} : { appName }) };
  });
}

/** Each image once; what is packed now stands for what the base carried. */
function eachOnce(images: readonly ContainerImage[]): readonly ContainerImage[] {
  return [...new Map(images.map((image) => [image.image, image])).values()];
}

function withLayer(
  result: StageResult,
  layer: { readonly diffId: Digest; readonly sizeBytes: number },
  images: readonly ContainerImage[],
  options: PackingOptions,
): StageResult {
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: layer.diffId, size: layer.sizeBytes };
  const packed: StageLayer = { diffId: layer.diffId, descriptor };
  return {
    ...result,
    layers: [...result.layers, packed],
    history: [...result.history, { created: createdAt(options.sourceDateEpoch), created_by: "container images" }],
    containerImages: formatContainerImages(images),
  };
}

/** Adds what one platform's build found to what others did: the same image with one more platform. */
export function mergeLocked(lists: readonly (readonly LockedImage[])[]): readonly LockedImage[] {
  const merged = new Map<string, LockedImage>();
  for (const entry of lists.flat()) {
    const known = merged.get(entry.image);
    if (known === undefined) merged.set(entry.image, entry);
    else merged.set(entry.image, { ...known, platforms: { ...known.platforms, ...entry.platforms } });
  }
  return [...merged.values()];
}

/** Bills of materials of images in the store. */
import { type ImageTree, openImageTree } from "../bundle/imageTree.ts";
import { type SbomFacts, spdxDocument, spdxType } from "../bundle/sbom.ts";
import { chartsOf } from "../bundle/sbomCharts.ts";
import { installedPackages } from "../bundle/sbomPackages.ts";
import { annotationKeys, parseContainerImages, parseImageExtension } from "../oci/clusterImage.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { encodeManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import { formatPlatform, parsePlatform } from "../oci/platform.ts";
import { bundleIndexPath, parseBundleIndex } from "../registry/bundleIndex.ts";
import type { Lease, Store } from "../store/contract.ts";
import { forgetReferrer, referrersOf, rememberReferrer } from "../store/referrers.ts";
import { version } from "../version.ts";
import { findImage } from "./images.ts";
import { imageFor, type PlatformImage, platformImages } from "./platformImages.ts";

export interface Sbom {
  /** The manifest it is about. */
  readonly subject: Descriptor;
  readonly platform: string;
  /** SPDX 2.3 as JSON. */
  readonly document: Uint8Array;
  /** The referrer that holds it, when it was attached. */
  readonly referrer?: Descriptor;
}

export interface SbomRequest {
  readonly reference: string;
  /** Of an index only this one; absent: all that are here. */
  readonly platform?: string;
  /** Keep it in the store as a referrer of the image, in place of an earlier one: a push takes it along. */
  readonly attach: boolean;
}

/**
 * Makes the bill of materials of an image, one for each platform: container images, applications, charts, and packages that dpkg and
 * apk installed. Nothing is unpacked. Throws `IMAGE_NOT_FOUND`, `IMAGE_PLATFORM_MISSING`, `PLATFORM_INVALID` and what reading layers throws.
 */
export async function imageSboms(store: Store, request: SbomRequest, signal: AbortSignal): Promise<readonly Sbom[]> {
  const { reference, platform } = request;
  await using lease = store.lease(`sbom ${reference}`);
  const images =
    platform === undefined ? platformImages(store, reference) : [imageFor(store, reference, parsePlatform(platform))];
  const made: Sbom[] = [];
  for (const image of images) {
    await lease.pin(image.descriptor.digest, signal);
    const document = spdxDocument(await factsOf(store, lease, image, signal));
    const sbom = { subject: image.descriptor, platform: formatPlatform(image.platform), document };
    made.push(request.attach ? { ...sbom, referrer: await attach(store, lease, image.descriptor, document) } : sbom);
  }
  return made;
}

async function factsOf(store: Store, lease: Lease, image: PlatformImage, signal: AbortSignal): Promise<SbomFacts> {
  const { manifest, config, reference } = image;
  const tree = await openImageTree(store, lease, manifest, config, signal);
  const extension = manifest.annotations?.[annotationKeys.imageExtension];
  const applications = extension === undefined ? [] : (parseImageExtension(extension, reference).applications ?? []);
  const annotation = manifest.annotations?.[annotationKeys.containerImages];
  const containers = annotation === undefined ? [] : parseContainerImages(annotation, reference);
  const digests = await packedDigests(tree, formatPlatform(image.platform), signal);
  return {
    name: nameOf(store, reference),
    imageId: manifest.config.digest,
    platform: formatPlatform(image.platform),
    ...(config.created === undefined ? {} : { created: config.created }),
    applications: applications.map(({ name, version: of, type }) => ({
      name,
      version: of,
      ...(type === undefined ? {} : { type }),
    })),
    charts: await chartsOf(tree, signal),
    containerImages: containers.map(({ image: each, appName }) => {
      const digest = digests.get(each);
      return {
        image: each,
        ...(appName === undefined ? {} : { appName }),
        ...(digest === undefined ? {} : { digest }),
      };
    }),
    distribution: await installedPackages(tree, signal),
    toolVersion: version,
  };
}

/** Digests of the container images the image carries, from the index that lies in it: the same wherever it is read. */
async function packedDigests(
  tree: ImageTree,
  platform: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const file = `registry/${bundleIndexPath}`;
  if (!tree.paths.includes(file)) return new Map();
  const images = parseBundleIndex(Buffer.from(await tree.read(file, signal)).toString("utf8")) ?? [];
  return new Map(images.map(({ image, digest, platforms }) => [image, platforms[platform] ?? digest]));
}

/** The name as the store has it: what was written may be short. */
function nameOf(store: Store, reference: string): string {
  const { names, target } = findImage(store, reference);
  return names[0]?.name ?? target.digest;
}

/** @see OCI image-spec v1.1 manifest.md, "Guidelines for Artifact Usage" */
async function attach(store: Store, lease: Lease, subject: Descriptor, document: Uint8Array): Promise<Descriptor> {
  const empty = await lease.putBytes(Buffer.from("{}"));
  const { digest, sizeBytes } = await lease.putBytes(document);
  const manifest = await lease.putBytes(
    encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: spdxType,
      config: { mediaType: mediaTypes.ociEmpty, digest: empty.digest, size: empty.sizeBytes },
      layers: [{ mediaType: spdxType, digest, size: sizeBytes }],
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    }),
  );
  const referrer: Descriptor = {
    mediaType: mediaTypes.ociManifest,
    artifactType: spdxType,
    digest: manifest.digest,
    size: manifest.sizeBytes,
  };
  for (const known of referrersOf(store, subject.digest)) {
    if (known.artifactType === spdxType && known.digest !== referrer.digest)
      forgetReferrer(store, subject.digest, known.digest);
  }
  rememberReferrer(store, subject.digest, referrer);
  return referrer;
}

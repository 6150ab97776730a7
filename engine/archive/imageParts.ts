import { EngineError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { ImageSource } from "../oci/imageSource.ts";
import { parseManifestOrIndex } from "../oci/index.ts";
import type { Manifest } from "../oci/manifest.ts";
import { choosePlatform, formatPlatform, type Platform } from "../oci/platform.ts";
import type { Store } from "../store/contract.ts";

/** An image of the store with the name it goes by in an archive. */
export interface NamedTarget {
  /** Normalised reference. */
  readonly name: string;
  readonly target: Descriptor;
}

/** One image of one platform. */
export interface SingleImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

/** Everything an image consists of, in the order it is written: documents first, each blob once. */
export interface ImageParts {
  readonly images: readonly SingleImage[];
  readonly parts: readonly Descriptor[];
  /** Manifests an index lists that are not in the store. */
  readonly absent: readonly Descriptor[];
}

/** Follows a target through index and manifests; throws `DOCUMENT_INVALID` and `BLOB_` codes. */
export async function collectParts(store: Store, target: Descriptor, signal: AbortSignal): Promise<ImageParts> {
  const document = await readDocument(store, target, signal);
  if (document.kind === "manifest") {
    const { config, layers } = document.manifest;
    const here = layers.filter((layer) => (layer.urls ?? []).length === 0 || store.stat(layer.digest) !== undefined);
    const parts = unique([target, config, ...here]);
    return { images: [{ descriptor: target, manifest: document.manifest }], parts, absent: [] };
  }
  const { manifests } = document.index;
  const present = manifests.filter((manifest) => store.stat(manifest.digest) !== undefined);
  const below: ImageParts[] = [];
  for (const manifest of present) below.push(await collectParts(store, manifest, signal));
  return {
    images: below.flatMap((one) => one.images),
    parts: unique([target, ...below.flatMap((one) => one.parts)]),
    absent: [...manifests.filter((manifest) => !present.includes(manifest)), ...below.flatMap((one) => one.absent)],
  };
}

/** The manifest for a platform when the target is an index, else the target itself. Throws `IMAGE_PLATFORM_MISSING`. */
export async function narrow(
  store: Store,
  image: NamedTarget,
  wanted: Platform,
  signal: AbortSignal,
): Promise<NamedTarget> {
  const document = await readDocument(store, image.target, signal);
  if (document.kind === "manifest") return image;
  const present = document.index.manifests.filter((manifest) => store.stat(manifest.digest) !== undefined);
  const chosen = choosePlatform(present, wanted);
  if (chosen !== undefined) return { name: image.name, target: chosen };
  const found = present.flatMap((one) => (one.platform === undefined ? [] : [formatPlatform(one.platform)]));
  throw new EngineError("IMAGE_PLATFORM_MISSING", {
    what: `save ${image.name}`,
    wanted: formatPlatform(wanted),
    found: found.join(", "),
  });
}

async function readDocument(
  source: ImageSource,
  target: Descriptor,
  signal: AbortSignal,
): Promise<ReturnType<typeof parseManifestOrIndex>> {
  return parseManifestOrIndex(await source.readDocument(target, signal), `manifest ${target.digest}`);
}

function unique(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}

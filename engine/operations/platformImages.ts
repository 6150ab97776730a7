/** The images of a name, one per platform, with their documents read. */
import { EngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import { type ImageConfig, parseConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { parseManifestOrIndex } from "../oci/index.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isManifestType } from "../oci/mediaTypes.ts";
import { choosePlatform, formatPlatform, normalizePlatform, type Platform } from "../oci/platform.ts";
import type { Store } from "../store/contract.ts";
import { findImage } from "./images.ts";

/** One image of one platform. */
export interface PlatformImage {
  /** As the user wrote it. */
  readonly reference: string;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly platform: Platform;
}

/** All images of a name that are in the store: one, or those of an index. Throws `IMAGE_NOT_FOUND`, `DOCUMENT_INVALID`. */
export function platformImages(store: Store, reference: string): readonly PlatformImage[] {
  const { target } = findImage(store, reference);
  const parsed = parseManifestOrIndex(store.readBytes(target.digest, maxManifestBytes), reference);
  if (parsed.kind === "manifest") return [read(store, reference, target, parsed.manifest)];
  return parsed.index.manifests
    .filter((entry) => isManifestType(entry.mediaType) && store.stat(entry.digest) !== undefined)
    .flatMap((entry) => {
      const child = parseManifestOrIndex(store.readBytes(entry.digest, maxManifestBytes), reference);
      return child.kind === "manifest" ? [read(store, reference, entry, child.manifest)] : [];
    });
}

/** The image that serves a platform; the only one whatever it says. Throws `IMAGE_PLATFORM_MISSING`. */
export function imageFor(store: Store, reference: string, platform: Platform): PlatformImage {
  const images = platformImages(store, reference);
  const [only] = images;
  if (images.length === 1 && only !== undefined) return only;
  const chosen = choosePlatform(images, platform);
  if (chosen !== undefined) return chosen;
  const found = images.map((image) => formatPlatform(image.platform)).join(", ");
  throw new EngineError("IMAGE_PLATFORM_MISSING", { what: reference, wanted: formatPlatform(platform), found });
}

function read(store: Store, reference: string, descriptor: Descriptor, manifest: Manifest): PlatformImage {
  const config = parseConfig(store.readBytes(manifest.config.digest, maxManifestBytes), reference);
  const { os, architecture, variant } = config;
  const platform = normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
  return { reference, descriptor, manifest, config, platform };
}

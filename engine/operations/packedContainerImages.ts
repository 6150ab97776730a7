import { foundPlaces, type RequiredImage } from "../discover/lock.ts";
import type { ContainerImage } from "../oci/clusterImage.ts";
import type { PackedContainerImage } from "../protocol.ts";

/** What an image that came with the base says of itself. */
const carriedByBase = "carried by the base image";

/** One that was collected: what its name stood for, and what it weighs. */
interface Collected {
  readonly image: string;
  readonly target: string;
  readonly platformDigest: string;
  readonly sizeBytes: number;
}

/**
 * Says for every container image of a cluster image where it comes from: those packed now with digest, size and every place that names
 * them, those of the base as carried by it.
 *
 * @param all the images of the cluster image, as its annotation lists them
 */
export function packedContainerImages(
  all: readonly ContainerImage[],
  needed: readonly RequiredImage[],
  collected: readonly Collected[],
): readonly PackedContainerImage[] {
  const places = new Map(needed.map((entry) => [entry.image, foundPlaces(entry)]));
  const byName = new Map(collected.map((entry) => [entry.image, entry]));
  return all.map(({ image, appName }) => {
    const packed = byName.get(image);
    return {
      image,
      ...(appName === undefined ? {} : { appName }),
      ...(packed === undefined
        ? {}
        : { digest: packed.target, platformDigest: packed.platformDigest, sizeBytes: packed.sizeBytes }),
      found: packed === undefined ? [carriedByBase] : (places.get(image) ?? []),
    };
  });
}

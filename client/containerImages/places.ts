import type { DiscoveredImage, DiscoverResult, ImagePlace } from "../../engine/protocol.ts";

/** The images that one line names, with every way they are named there. */
export interface NamedOnLine {
  /** 1-based. */
  readonly line: number;
  readonly images: readonly ImageWithPlaces[];
}

export interface ImageWithPlaces {
  readonly image: DiscoveredImage;
  readonly places: readonly ImagePlace[];
}

/**
 * The lines of a file that name images, in order.
 *
 * @param file path in the context, `/`-separated
 */
export function namedInFile(result: DiscoverResult, file: string): readonly NamedOnLine[] {
  const lines = new Map<number, ImagePlace[]>();
  for (const place of result.places)
    if (place.file === file) lines.set(place.line, [...(lines.get(place.line) ?? []), place]);
  return [...lines].sort(([a], [b]) => a - b).map(([line, places]) => ({ line, images: withFacts(result, places) }));
}

/** Images by name with all their places; those the lock adds may have none. */
export function withPlaces(result: DiscoverResult, names: readonly string[]): readonly ImageWithPlaces[] {
  const wanted = new Set(names);
  return result.images
    .filter(({ image }) => wanted.has(image))
    .map((image) => ({ image, places: result.places.filter((place) => place.image === image.image) }));
}

/** The names of all images that the next build packs. */
export function packedNames(result: DiscoverResult): readonly string[] {
  return result.images.filter(({ isPacked }) => isPacked).map(({ image }) => image);
}

function withFacts(result: DiscoverResult, places: readonly ImagePlace[]): readonly ImageWithPlaces[] {
  const names = new Set(places.map(({ image }) => image));
  return result.images
    .filter(({ image }) => names.has(image))
    .map((image) => ({ image, places: places.filter((place) => place.image === image.image) }));
}

import { formatReference, parseReference } from "../oci/reference.ts";
import type { PackedImage } from "./distributionLayout.ts";

/** Where the index lies inside a `registry/` folder; outside the storage root, so a distribution registry never looks at it. */
export const bundleIndexPath = "kubefile-index.json";

/** One image under its full name: what the distribution layout cannot say. */
export interface BundledImage {
  /** Normalised reference, `docker.io/library/nginx:1.25`. */
  readonly image: string;
  /** Repository inside the layout: the name without its host. */
  readonly repository: string;
  readonly digest: string;
  readonly mediaType: string;
  /** `os/arch[/variant]` → digest of the manifests that are carried. */
  readonly platforms: Readonly<Record<string, string>>;
}

/** Writes the index of original names: sorted, so the same images give the same bytes. */
export function encodeBundleIndex(images: readonly PackedImage[]): string {
  const entries = images.map((image): BundledImage => {
    const reference = parseReference(image.image);
    const platforms = image.manifests.flatMap((manifest) =>
      manifest.platform === undefined ? [] : [[manifest.platform, manifest.digest] as const],
    );
    return {
      image: formatReference(reference),
      repository: reference.repository,
      digest: image.target,
      mediaType: image.mediaType,
      platforms: Object.fromEntries(platforms.sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  });
  const sorted = entries.sort((a, b) => (a.image < b.image ? -1 : 1));
  return `${JSON.stringify({ version: 1, images: sorted }, undefined, 1)}\n`;
}

/**
 * Reads the index of a `registry/` folder. An index of another version, or one that is no index, reads as absent: the folder is still
 * served, by the names that the distribution layout knows.
 */
export function parseBundleIndex(text: string): readonly BundledImage[] | undefined {
  const value: unknown = parseJson(text);
  if (typeof value !== "object" || value === null) return undefined;
  const { version, images } = value as { readonly version?: unknown; readonly images?: unknown };
  if (version !== 1 || !Array.isArray(images) || !images.every(isBundledImage)) return undefined;
  return images;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isBundledImage(value: unknown): value is BundledImage {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Readonly<Record<string, unknown>>;
  return (
    ["image", "repository", "digest", "mediaType"].every((key) => typeof entry[key] === "string") &&
    typeof entry["platforms"] === "object" &&
    entry["platforms"] !== null
  );
}

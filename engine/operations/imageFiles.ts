/** Files of images for a client that shows them. */
import { EngineError } from "../errors.ts";
import type { ImageEntry, ImageFilesDiff, ImagePath } from "../protocol.ts";
import type { Store } from "../store/contract.ts";
import { diffImages } from "./diffImages.ts";
import { hostPlatform } from "./inputs.ts";
import type { OpenTrees } from "./openTrees.ts";

/** More than this is not sent for showing. */
export const largestShownBytes: number = 16 * 1024 * 1024;

/** What is in a folder of an image. Throws `FILE_NOT_IN_IMAGE` and what `OpenTrees.use` throws. */
export function listFolder(
  trees: OpenTrees,
  { image, layer, path }: ImagePath,
  signal: AbortSignal,
): Promise<readonly ImageEntry[]> {
  return trees.use(image, (open) => open.view(layer).list(path), signal);
}

/** What stands at a path of an image. Throws as `listFolder`. */
export function entryOf(trees: OpenTrees, { image, layer, path }: ImagePath, signal: AbortSignal): Promise<ImageEntry> {
  return trees.use(image, (open) => open.view(layer).entry(path), signal);
}

/** The bytes of a file as base64. Throws `FILE_TOO_LARGE`, `FILE_UNREADABLE` for a sparse file, and as `listFolder`. */
export function readImageFile(
  store: Store,
  trees: OpenTrees,
  { image, layer, path }: ImagePath,
  signal: AbortSignal,
): Promise<{ readonly base64: string }> {
  return trees.use(
    image,
    async (open) => {
      const { diffId, offset, sizeBytes } = open.view(layer).content(path);
      if (sizeBytes > largestShownBytes)
        throw new EngineError("FILE_TOO_LARGE", { path, sizeBytes, limitBytes: largestShownBytes });
      if (offset < 0)
        throw new EngineError("FILE_UNREADABLE", {
          path,
          reason: 'it is a sparse file, which cannot be read in place: unpack the image with "kubefile mount"',
        });
      const chunks: Uint8Array[] = [];
      // The store may use a chunk again.
      for await (const chunk of store.read(diffId, { start: offset, end: offset + sizeBytes }, signal))
        chunks.push(Uint8Array.from(chunk));
      return { base64: Buffer.concat(chunks).toString("base64") };
    },
    signal,
  );
}

/** The files in which two images differ, by their paths. Throws what `diffImages` throws. */
export async function diffImageFiles(
  store: Store,
  before: string,
  after: string,
  signal: AbortSignal,
): Promise<ImageFilesDiff> {
  return (await diffImages(store, before, after, hostPlatform(), signal)).files;
}

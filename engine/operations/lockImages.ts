import { formatLock } from "../discover/lock.ts";
import type { BuildParams, LockResult } from "../protocol.ts";
import { type BuildFollower, resolveContainerImages } from "./buildImage.ts";
import { mergeLocked } from "./containerImages.ts";
import { lockPath, readLock, writeLock } from "./lockFile.ts";
import type { EngineParts } from "./parts.ts";

/**
 * Writes `kubefile.lock`: every container image that the Kubefile's image needs, with what its name stands for now. What people wrote in
 * `add`, `ignore` and `optional` stays. Throws what building throws, and `IMAGE_LOCK_INVALID`.
 *
 * @param choices `update`: ask for the digests of all images again; else those in the lock are kept and only new images are resolved.
 *   `check`: write nothing, only tell
 */
export async function lockImages(
  parts: EngineParts,
  params: BuildParams,
  choices: { readonly update: boolean; readonly check: boolean },
  follower: BuildFollower,
  signal: AbortSignal,
): Promise<LockResult> {
  const { kubefile, packed } = await resolveContainerImages(
    parts,
    withUpdate(params, choices.update),
    follower,
    signal,
  );
  const path = lockPath(kubefile);
  const { lock: before } = await readLock(path);
  const images = mergeLocked(packed.map(({ locked }) => locked));
  const after = { ...before, images };
  const changed = choices.check ? formatLock(after) !== formatLock(before) : await writeLock(path, after);
  const old = new Map(before.images.map((image) => [image.image, image]));
  const now = new Set(images.map(({ image }) => image));
  return {
    path,
    changed,
    images,
    added: images.flatMap(({ image }) => (old.has(image) ? [] : [image])),
    removed: before.images.flatMap(({ image }) => (now.has(image) ? [] : [image])),
    moved: images.flatMap(({ image, digest }) => {
      const from = old.get(image)?.digest;
      return from === undefined || from === digest ? [] : [{ image, from, to: digest }];
    }),
    unresolved: packed.flatMap(({ discovery }) =>
      discovery.unresolved.map(({ origin, text, reason }) => ({ file: origin.file, line: origin.line, text, reason })),
    ),
  };
}

function withUpdate(params: BuildParams, update: boolean): BuildParams {
  return { ...params, containerImages: { ...params.containerImages, ignoreLockedDigests: update } };
}

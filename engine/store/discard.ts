import { EngineError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { readBlob } from "./blobs.ts";
import { takeInventory } from "./inventory.ts";
import { blobPath, type Layout, recipePath, removeFile, segmentPath } from "./layout.ts";
import { Walker } from "./reachability.ts";

/** Takes away a damaged blob; see the contract. */
export async function discardDamaged(layout: Layout, digest: Digest, signal: AbortSignal): Promise<boolean> {
  if (!(await isDamaged(layout, digest, signal))) return false;
  const walker = new Walker(layout);
  const usedByOthers = new Set(
    takeInventory(layout).flatMap((held) =>
      held.kind === "recipe" && held.digest !== digest ? walker.segmentsOf(held.digest) : [],
    ),
  );
  const segments = walker.segmentsOf(digest).filter((id) => !usedByOthers.has(id));
  // The blob first: a recipe without its segments would be damage of another kind.
  const files = [
    blobPath(layout, digest),
    recipePath(layout, digest),
    ...segments.map((id) => segmentPath(layout, id)),
  ];
  return files.map(removeFile).includes(true);
}

async function isDamaged(layout: Layout, digest: Digest, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const _ of readBlob(layout, digest, {}, signal));
    return false;
  } catch (error) {
    if (error instanceof EngineError && error.code === "BLOB_CORRUPT") return true;
    if (error instanceof EngineError && error.code === "BLOB_MISSING") return false;
    throw error;
  }
}

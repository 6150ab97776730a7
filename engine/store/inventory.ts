import { statSync } from "node:fs";
import path from "node:path";
import { type Digest, isDigest } from "../oci/digest.ts";
import type { SegmentId } from "./contract.ts";
import { blobFolders, entriesOf, type Layout, recipeFolders } from "./layout.ts";

/** One file that holds image bytes. A blob may be held whole and as a recipe at once: two items. */
export type Held =
  | { readonly kind: "whole" | "recipe"; readonly digest: Digest; readonly file: HeldFile }
  | { readonly kind: "segment"; readonly segment: SegmentId; readonly file: HeldFile };

export interface HeldFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly writtenAtMs: number;
}

/** Every file of blobs, recipes and segments at this instant, in order of kind and name. */
export function takeInventory(layout: Layout): readonly Held[] {
  return [
    ...blobFolders.flatMap((folder) => blobsIn(layout, folder, "whole")),
    ...recipeFolders.flatMap((folder) => blobsIn(layout, folder, "recipe")),
    ...entriesOf(layout.segments)
      .toSorted()
      .flatMap((name): Held[] => {
        const file = heldFile(path.join(layout.segments, name));
        return file === undefined ? [] : [{ kind: "segment", segment: name as SegmentId, file }];
      }),
  ];
}

function blobsIn(layout: Layout, folder: string, kind: "whole" | "recipe"): readonly Held[] {
  const full = path.join(layout.root, folder);
  return entriesOf(full)
    .toSorted()
    .flatMap((name): Held[] => {
      const digest = `${path.basename(folder)}:${name}`;
      const file = isDigest(digest) ? heldFile(path.join(full, name)) : undefined;
      return file === undefined ? [] : [{ kind, digest: digest as Digest, file }];
    });
}

function heldFile(file: string): HeldFile | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? undefined : { path: file, sizeBytes: stat.size, writtenAtMs: Math.round(stat.mtimeMs) };
}

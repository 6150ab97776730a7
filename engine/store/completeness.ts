import { maxManifestBytes } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { parseManifestOrIndex } from "../oci/index.ts";
import { readBlobBytes, statBlob } from "./blobs.ts";
import type { Layout } from "./layout.ts";

/**
 * What an image needs and the store has not, in the size the descriptor says. Of an index one manifest is enough (people pull one
 * platform of many), every manifest that is there must be complete; layers that carry `urls` may be elsewhere.
 * Throws `DOCUMENT_INVALID` or `BLOB_CORRUPT` when a document on the way cannot be trusted.
 */
export function missingParts(layout: Layout, target: Descriptor): readonly Descriptor[] {
  if (!isThere(layout, target)) return [target];
  const bytes = readBlobBytes(layout, target.digest, maxManifestBytes);
  const document = parseManifestOrIndex(bytes, `manifest ${target.digest}`);
  if (document.kind === "index") {
    const { manifests } = document.index;
    const present = manifests.filter((manifest) => isThere(layout, manifest));
    if (present.length === 0) return manifests;
    return present.flatMap((manifest) => missingParts(layout, manifest));
  }
  const { config, layers } = document.manifest;
  return [config, ...layers].filter((part) => (part.urls ?? []).length === 0 && !isThere(layout, part));
}

function isThere(layout: Layout, descriptor: Descriptor): boolean {
  return statBlob(layout, descriptor.digest)?.sizeBytes === descriptor.size;
}

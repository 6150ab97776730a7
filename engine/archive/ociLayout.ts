import { canonicalJsonBytes } from "../oci/canonicalJson.ts";
import { annotationKeys } from "../oci/clusterImage.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestHex } from "../oci/digest.ts";
import { encodeIndex } from "../oci/index.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import { parseReference } from "../oci/reference.ts";
import type { Store } from "../store/contract.ts";
import { type ArchiveFile, fileOf, layoutMarker } from "./archiveFile.ts";
import type { ImageParts, NamedTarget } from "./imageParts.ts";

/**
 * The files of an OCI image layout: the index of names first, then documents, then everything else, so that a reader of the stream
 * knows early what comes. Blobs that are `leftOut` are not among them.
 * @see OCI image-spec v1.1 image-layout.md
 */
export function ociLayoutFiles(
  store: Store,
  images: readonly NamedTarget[],
  parts: readonly ImageParts[],
  leftOut: ReadonlySet<Digest>,
): readonly ArchiveFile[] {
  const index = encodeIndex({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: images.map((image) => namedDescriptor(image, images)),
  });
  const travelling = parts.flatMap((one) => one.parts).filter(({ digest }) => !leftOut.has(digest));
  const blobs = new Map(travelling.map((part) => [part.digest, part]));
  return [
    fileOf("oci-layout", Buffer.from(layoutMarker)),
    fileOf("index.json", index),
    ...[...blobs.values()].map((part) => blobFile(store, part)),
  ];
}

/** A blob of the store at its place in a layout. */
function blobFile(store: Store, part: Descriptor): ArchiveFile {
  return {
    path: `blobs/${digestAlgorithm(part.digest)}/${digestHex(part.digest)}`,
    sizeBytes: part.size,
    open: (signal) => store.readBlob(part, signal),
  };
}

/**
 * The descriptor with its names: containerd's and Docker's annotation has the whole reference, the specification's has the tag, which
 * is what people type after `oci:dir:`; two images of one tag in an archive have the whole reference in both.
 */
function namedDescriptor(image: NamedTarget, all: readonly NamedTarget[]): Descriptor {
  const { tag } = parseReference(image.name);
  const sameTag = all.filter((other) => parseReference(other.name).tag === tag);
  return {
    ...image.target,
    annotations: {
      ...image.target.annotations,
      [annotationKeys.containerdName]: image.name,
      [annotationKeys.refName]: tag !== undefined && sameTag.length === 1 ? tag : image.name,
    },
  };
}

/** JSON as a file of an archive. */
export function jsonFile(path: string, value: unknown): ArchiveFile {
  return fileOf(path, canonicalJsonBytes(value as never));
}

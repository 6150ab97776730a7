import { asList, asText, asTextMap, type Checked, decodeJson, member } from "../oci/checkedJson.ts";
import { type Descriptor, readDescriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { isIndexType, mediaTypes } from "../oci/mediaTypes.ts";

/** The type a manifest is served with: what it says of itself, else what its shape tells. */
export function mediaTypeOf(bytes: Uint8Array): string {
  const at = decodeJson(bytes, "the manifest");
  const declared = member(at, "mediaType");
  if (declared !== undefined) return asText(declared);
  if (member(at, "manifests") !== undefined) return mediaTypes.ociIndex;
  return member(at, "fsLayers") === undefined
    ? mediaTypes.ociManifest
    : "application/vnd.docker.distribution.manifest.v1+prettyjws";
}

/** Digests of all that a manifest or an index points at: configuration, layers, children. */
export function pointedAt(bytes: Uint8Array): {
  readonly manifests: readonly Digest[];
  readonly blobs: readonly Digest[];
} {
  const at = decodeJson(bytes, "the manifest");
  const config = member(at, "config");
  const blobs = [...(config === undefined ? [] : [readDescriptor(config)]), ...descriptors(at, "layers")];
  return {
    manifests: descriptors(at, "manifests").map((child) => child.digest),
    blobs: blobs.map((blob) => blob.digest),
  };
}

/** The descriptor that stands for a manifest in a list of referrers, with its subject; `undefined` when it refers to nothing. */
export function referrerOf(
  digest: Digest,
  bytes: Uint8Array,
): { readonly subject: Digest; readonly descriptor: Descriptor } | undefined {
  const at = decodeJson(bytes, "the manifest");
  const subject = member(at, "subject");
  if (subject === undefined) return undefined;
  const mediaType = mediaTypeOf(bytes);
  const written = member(at, "artifactType");
  const config = member(at, "config");
  const configType = config === undefined || isIndexType(mediaType) ? undefined : readDescriptor(config).mediaType;
  const artifactType = written === undefined ? configType : asText(written);
  const annotations = member(at, "annotations");
  return {
    subject: readDescriptor(subject).digest,
    descriptor: {
      mediaType,
      digest,
      size: bytes.length,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations: asTextMap(annotations) }),
    },
  };
}

function descriptors(at: Checked, key: string): readonly Descriptor[] {
  const value = member(at, key);
  return value === undefined ? [] : asList(value).map(readDescriptor);
}

import { canonicalJsonBytes } from "./canonicalJson.ts";
import {
  asList,
  asText,
  asTextMap,
  type Checked,
  decodeJson,
  member,
  optional,
  refuse,
  required,
} from "./checkedJson.ts";
import { type Descriptor, readDescriptor } from "./descriptor.ts";
import { type Manifest, readManifest, readSchema2 } from "./manifest.ts";
import { isIndexType, mediaTypes } from "./mediaTypes.ts";

/**
 * Several images under one name, one per platform; Docker calls it a manifest list.
 * @see OCI image-spec v1.1 image-index.md
 */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a name or a descriptor in an index may point at. */
export type ManifestOrIndex =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly index: Index };

/** Reads an index, OCI's or Docker's; throws `DOCUMENT_INVALID`. */
export function parseIndex(bytes: Uint8Array, document: string): Index {
  return readIndex(decodeJson(bytes, document));
}

/** Reads whichever of the two it is; throws `DOCUMENT_INVALID`. */
export function parseManifestOrIndex(bytes: Uint8Array, document: string): ManifestOrIndex {
  const at = decodeJson(bytes, document);
  const written = member(at, "mediaType");
  const isIndex = written === undefined ? member(at, "manifests") !== undefined : isIndexType(asText(written));
  return isIndex ? { kind: "index", index: readIndex(at) } : { kind: "manifest", manifest: readManifest(at) };
}

/** The bytes of an index we write: canonical JSON, entries in the order given. */
export function encodeIndex(index: Index): Uint8Array {
  return canonicalJsonBytes({ ...index } as never);
}

function readIndex(at: Checked): Index {
  const mediaType = readSchema2(at, mediaTypes.ociIndex);
  if (!isIndexType(mediaType)) refuse(at, `"${mediaType}" is not the media type of an index`);
  if (member(at, "layers") !== undefined || member(at, "config") !== undefined) {
    refuse(at, 'an index must not have "layers" or "config"');
  }
  return {
    schemaVersion: 2,
    mediaType,
    manifests: asList(required(at, "manifests")).map(readDescriptor),
    ...optional(at, "artifactType", asText),
    ...optional(at, "subject", readDescriptor),
    ...optional(at, "annotations", asTextMap),
  };
}

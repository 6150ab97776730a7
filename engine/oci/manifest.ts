import { canonicalJsonBytes } from "./canonicalJson.ts";
import {
  asCount,
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
import { isIndexType, isManifestType, mediaTypes } from "./mediaTypes.ts";

/**
 * One image: its configuration and its layers, lowest first. Docker's schema 2 has the same shape under other media types.
 * @see OCI image-spec v1.1 manifest.md
 */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Reads a manifest, OCI's or Docker's; throws `DOCUMENT_INVALID`.
 * `document` names it in the message. The manifest of an artifact without layers is accepted.
 */
export function parseManifest(bytes: Uint8Array, document: string): Manifest {
  return readManifest(decodeJson(bytes, document));
}

/** Reads a manifest from a decoded document; throws `DOCUMENT_INVALID`. */
export function readManifest(at: Checked): Manifest {
  const mediaType = readSchema2(at, mediaTypes.ociManifest);
  if (!isManifestType(mediaType)) refuse(at, `"${mediaType}" is not the media type of a manifest`);
  // One document must not read as an image for one tool and as an index for another (CVE-2021-41190).
  if (member(at, "manifests") !== undefined) refuse(at, 'a manifest must not have "manifests"');
  return {
    schemaVersion: 2,
    mediaType,
    config: readDescriptor(required(at, "config")),
    layers: asList(member(at, "layers") ?? { ...at, value: [], path: "layers" }).map(readDescriptor),
    ...optional(at, "artifactType", asText),
    ...optional(at, "subject", readDescriptor),
    ...optional(at, "annotations", asTextMap),
  };
}

/** The media type of a schema 2 document: as written, or `otherwise` where OCI lets it be absent. */
export function readSchema2(at: Checked, otherwise: string): string {
  const version = asCount(required(at, "schemaVersion"));
  if (version !== 2) {
    refuse(
      at,
      version === 1
        ? "Docker's schema 1 is not supported: pull and push the image once with a current tool"
        : `schemaVersion is ${version}, not 2`,
    );
  }
  const written = member(at, "mediaType");
  const mediaType = written === undefined ? otherwise : asText(written);
  if (!isManifestType(mediaType) && !isIndexType(mediaType)) refuse(at, `media type "${mediaType}" is not known`);
  return mediaType;
}

/** The bytes of a manifest we write: canonical JSON, so its digest depends on nothing else. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return canonicalJsonBytes({ ...manifest } as never);
}

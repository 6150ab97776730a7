import { asCount, asText, asTextMap, asTexts, type Checked, optional, refuse, required } from "./checkedJson.ts";
import { type Digest, isDigest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/**
 * What points at content: its type, digest and size.
 * @see OCI image-spec v1.1 descriptor.md
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** The content itself, base64. Read but never trusted before its digest was checked. */
  readonly data?: string;
  readonly artifactType?: string;
  /** In an index: what the manifest runs on. */
  readonly platform?: Platform;
}

/** Reads a descriptor from a decoded document; throws `DOCUMENT_INVALID`. */
export function readDescriptor(at: Checked): Descriptor {
  return {
    mediaType: asText(required(at, "mediaType")),
    digest: readDigest(required(at, "digest")),
    size: asCount(required(at, "size")),
    ...optional(at, "urls", asTexts),
    ...optional(at, "annotations", asTextMap),
    ...optional(at, "data", asText),
    ...optional(at, "artifactType", asText),
    ...optional(at, "platform", readPlatform),
  };
}

/** Reads a digest inside a decoded document; throws `DOCUMENT_INVALID` with the place. */
export function readDigest(at: Checked): Digest {
  const text = asText(at);
  return isDigest(text) ? text : refuse(at, `"${text.slice(0, 100)}" is not a digest`);
}

/** Reads a platform object as written, not normalised, so that it can be written back unchanged. */
export function readPlatform(at: Checked): Platform {
  return {
    architecture: asText(required(at, "architecture")),
    os: asText(required(at, "os")),
    ...optional(at, "variant", asText),
    ...optional(at, "os.version", asText),
    ...optional(at, "os.features", asTexts),
  };
}

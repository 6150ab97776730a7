import { canonicalJsonBytes } from "./canonicalJson.ts";
import {
  asBoolean,
  asCount,
  asList,
  asRecord,
  asText,
  asTextMap,
  asTexts,
  type Checked,
  decodeJson,
  optional,
  refuse,
  required,
} from "./checkedJson.ts";
import { readDigest } from "./descriptor.ts";
import type { Digest } from "./digest.ts";

/** How a container of the image runs, in the specification's own field names. */
export interface RuntimeConfig {
  readonly User?: string;
  /** Keys `80/tcp`; the values carry nothing. */
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  /** Docker's own, kept when a base image has them. */
  readonly Healthcheck?: Healthcheck;
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
}

/** Docker's HEALTHCHECK; durations in nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** One step of how the image came to be, lowest first. */
export interface History {
  /** RFC 3339. */
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  /** True for steps that made no layer, such as ENV. */
  readonly empty_layer?: boolean;
}

/**
 * The configuration of one image.
 * @see OCI image-spec v1.1 config.md
 */
export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly os: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  readonly variant?: string;
  readonly config?: RuntimeConfig;
  /** Digests of the uncompressed layers, lowest first: as many as the manifest has layers. */
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly History[];
}

/** Reads an image configuration, OCI's or Docker's; throws `DOCUMENT_INVALID`. Members unknown to us are left out. */
export function parseConfig(bytes: Uint8Array, document: string): ImageConfig {
  const at = decodeJson(bytes, document);
  const rootfs = required(at, "rootfs");
  const type = required(rootfs, "type");
  if (asText(type) !== "layers") refuse(type, 'only "layers" is known');
  return {
    architecture: asText(required(at, "architecture")),
    os: asText(required(at, "os")),
    ...optional(at, "created", asText),
    ...optional(at, "author", asText),
    ...optional(at, "os.version", asText),
    ...optional(at, "os.features", asTexts),
    ...optional(at, "variant", asText),
    ...optional(at, "config", readRuntimeConfig),
    rootfs: {
      type: "layers",
      diff_ids: optional(rootfs, "diff_ids", (ids) => asList(ids).map(readDigest)).diff_ids ?? [],
    },
    ...optional(at, "history", (list) => asList(list).map(readHistory)),
  };
}

/** The bytes of a configuration we write: canonical JSON. */
export function encodeConfig(config: ImageConfig): Uint8Array {
  return canonicalJsonBytes({ ...config } as never);
}

function readRuntimeConfig(at: Checked): RuntimeConfig {
  return {
    ...optional(at, "User", asText),
    ...optional(at, "ExposedPorts", asKeySet),
    ...optional(at, "Env", asTexts),
    ...optional(at, "Entrypoint", asTexts),
    ...optional(at, "Cmd", asTexts),
    ...optional(at, "Volumes", asKeySet),
    ...optional(at, "WorkingDir", asText),
    ...optional(at, "Labels", asTextMap),
    ...optional(at, "StopSignal", asText),
    ...optional(at, "Healthcheck", readHealthcheck),
    ...optional(at, "OnBuild", asTexts),
    ...optional(at, "Shell", asTexts),
  };
}

function readHealthcheck(at: Checked): Healthcheck {
  return {
    ...optional(at, "Test", asTexts),
    ...optional(at, "Interval", asCount),
    ...optional(at, "Timeout", asCount),
    ...optional(at, "StartPeriod", asCount),
    ...optional(at, "StartInterval", asCount),
    ...optional(at, "Retries", asCount),
  };
}

function readHistory(at: Checked): History {
  return {
    ...optional(at, "created", asText),
    ...optional(at, "created_by", asText),
    ...optional(at, "author", asText),
    ...optional(at, "comment", asText),
    ...optional(at, "empty_layer", asBoolean),
  };
}

/** Go's `map[string]struct{}`: only the keys carry meaning. */
function asKeySet(at: Checked): Readonly<Record<string, Record<string, never>>> {
  return Object.fromEntries(Object.keys(asRecord(at)).map((key): [string, Record<string, never>] => [key, {}]));
}

import { asCount, asText, decodeJson, required } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { parseManifestOrIndex } from "../oci/index.ts";
import { isIndexType } from "../oci/mediaTypes.ts";
import { choosePlatform, formatPlatform, type Platform } from "../oci/platform.ts";
import type { Store } from "../store/contract.ts";

/** What the store knows of a container image without asking anybody. */
export interface KnownImage {
  /** What its name stood for when it was last asked. */
  readonly digest: Digest;
  /** Bytes of its manifests and blobs for the platform; absent when a manifest is not here. */
  readonly sizeBytes: number | undefined;
  /** Whether everything is here, so that a build moves nothing. */
  readonly isComplete: boolean;
}

const recordKind = "container-image";
const maxManifestBytes = 4 * 1024 * 1024;

/** Remembers what a name stood for, so that the next build need not ask; the record keeps the image in the store. */
export function rememberImage(
  store: Store,
  image: string,
  root: Descriptor,
  platform: Platform,
  digests: readonly Digest[],
): void {
  const { mediaType, digest, size } = root;
  const payload = Buffer.from(JSON.stringify({ mediaType, digest, size }));
  store.writeRecord({ kind: recordKind, key: recordKey(image, platform), refs: digests, payload });
}

/** What a name stood for when it was last asked; that counts as use. */
export function recallImage(store: Store, image: string, platform: Platform): Descriptor | undefined {
  const found = readImage(store, image, platform);
  if (found !== undefined) store.touchRecord(recordKind, recordKey(image, platform));
  return found;
}

/**
 * Looks an image up in the store: as builds remember it, else as it was pulled under its name. Undefined when nothing is known.
 *
 * @param image normalised name
 */
export function knownImage(store: Store, image: string, platform: Platform): KnownImage | undefined {
  const root = readImage(store, image, platform) ?? store.lookup(image)?.target;
  return root === undefined ? undefined : describe(store, root, platform);
}

function readImage(store: Store, image: string, platform: Platform): Descriptor | undefined {
  const record = store.readRecord(recordKind, recordKey(image, platform));
  if (record === undefined) return undefined;
  const at = decodeJson(record.payload, `the record of ${image}`);
  const digest = asText(required(at, "digest"));
  if (!isDigest(digest)) return undefined;
  return { mediaType: asText(required(at, "mediaType")), digest, size: asCount(required(at, "size")) };
}

function recordKey(image: string, platform: Platform): string {
  return `${image} ${formatPlatform(platform)}`;
}

function describe(store: Store, root: Descriptor, platform: Platform): KnownImage {
  const unknown: KnownImage = { digest: root.digest, sizeBytes: undefined, isComplete: false };
  if (store.stat(root.digest) === undefined) return unknown;
  const document = parseManifestOrIndex(store.readBytes(root.digest, maxManifestBytes), root.digest);
  if (document.kind === "manifest") return weigh(store, root, [root.size, document.manifest]);
  const chosen = choosePlatform(document.index.manifests, platform);
  if (chosen === undefined || isIndexType(chosen.mediaType) || store.stat(chosen.digest) === undefined) return unknown;
  const inner = parseManifestOrIndex(store.readBytes(chosen.digest, maxManifestBytes), chosen.digest);
  return inner.kind === "manifest" ? weigh(store, root, [root.size + chosen.size, inner.manifest]) : unknown;
}

function weigh(
  store: Store,
  root: Descriptor,
  [documentBytes, manifest]: readonly [number, { readonly config: Descriptor; readonly layers: readonly Descriptor[] }],
): KnownImage {
  const blobs = [manifest.config, ...manifest.layers].filter(({ urls }) => urls === undefined || urls.length === 0);
  return {
    digest: root.digest,
    sizeBytes: blobs.reduce((sum, { size }) => sum + size, documentBytes),
    isComplete: blobs.every(({ digest }) => store.stat(digest) !== undefined),
  };
}

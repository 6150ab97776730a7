import type { RequiredImage } from "../discover/lock.ts";
import { EngineError, isEngineError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm } from "../oci/digest.ts";
import { parseManifestOrIndex } from "../oci/index.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { PackedImage, PackedManifest } from "../registry/distributionLayout.ts";
import type { RegistryClient } from "../remote/client.ts";
import { fetchBlob } from "../remote/fetchBlob.ts";
import { getManifest, headManifest } from "../remote/manifests.ts";
import { type RemoteRepository, repositoryOf } from "../remote/repository.ts";
import { collectImage } from "../remote/walk.ts";
import type { Lease, Store } from "../store/contract.ts";
import { recallImage, rememberImage } from "./knownImages.ts";

/** A required image, with the digest that the image lock holds it to. */
export interface ImageToCollect extends RequiredImage {
  readonly digest?: Digest;
}

export interface CollectOptions {
  readonly client: RegistryClient;
  readonly store: Store;
  readonly lease: Lease;
  readonly platform: Platform;
  /** Registry host of a name → host that is asked instead; the name stays. */
  readonly mirrors: ReadonlyMap<string, string>;
  /**
   * When registries are asked. `newer`: with a HEAD, whether a tag moved; one that cannot be reached leaves what is here. `missing`:
   * only for what is not here. `never`: not at all. An image held to a digest is asked for only when it is not here.
   */
  readonly freshness: "newer" | "missing" | "never";
  /** Resolve names and get manifests, but fetch no blob: for the image lock. */
  readonly documentsOnly: boolean;
  readonly onProgress: (progress: CollectProgress) => void;
  readonly signal: AbortSignal;
}

export interface CollectProgress {
  readonly doneImages: number;
  readonly totalImages: number;
  /** Bytes that came over the network. */
  readonly movedBytes: number;
}

export interface CollectedImages {
  readonly images: readonly CollectedImage[];
  /** Optional images that could not be had, with the reason. */
  readonly left: readonly { readonly image: string; readonly reason: string }[];
  readonly movedBytes: number;
}

export interface CollectedImage extends PackedImage {
  /** Digest of the manifest for the platform that was asked for. */
  readonly platformDigest: Digest;
  /** Bytes of the manifests and blobs that are carried. */
  readonly sizeBytes: number;
}

const imagesAtOnce = 4;
const maxManifestBytes = 4 * 1024 * 1024;

/**
 * Brings every container image into the store, for one platform, and pins it. What is there already is not fetched again.
 *
 * All images are tried before anything fails: `CONTAINER_IMAGES_UNAVAILABLE` lists every one that could not be had, why, and what asked
 * for it. Also throws `CANCELLED` and what the store throws.
 */
export async function collectImages(
  wanted: readonly ImageToCollect[],
  options: CollectOptions,
): Promise<CollectedImages> {
  const images: CollectedImage[] = [];
  const left: { image: string; reason: string }[] = [];
  const failures: { image: string; reason: string; askedBy: string }[] = [];
  let movedBytes = 0;
  const report = (): void =>
    options.onProgress({ doneImages: images.length + left.length, totalImages: wanted.length, movedBytes });
  const onMoved = (bytes: number): void => {
    movedBytes += bytes;
    report();
  };
  await forEachAtOnce(wanted, imagesAtOnce, async (image) => {
    try {
      images.push(await collectOne(image, options, onMoved));
    } catch (error) {
      if (!isEngineError(error) || error.code === "CANCELLED") throw error;
      const reason = error.message;
      if (image.optional) left.push({ image: image.image, reason });
      else failures.push({ image: image.image, reason, askedBy: askedBy(image) });
    }
    report();
  });
  if (failures.length > 0)
    throw new EngineError("CONTAINER_IMAGES_UNAVAILABLE", { failures: failures.sort(byImage), total: wanted.length });
  return { images: images.sort(byImage), left: left.sort(byImage), movedBytes };
}

function byImage(a: { readonly image: string }, b: { readonly image: string }): number {
  return a.image < b.image ? -1 : 1;
}

function askedBy(image: RequiredImage): string {
  const [first, ...others] = image.findings;
  if (first === undefined) return image.added ?? "the image lock";
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return `${first.origin.file}:${first.origin.line}${more}`;
}

async function collectOne(
  image: ImageToCollect,
  options: CollectOptions,
  onMoved: (bytes: number) => void,
): Promise<CollectedImage> {
  const { client, store, lease, signal } = options;
  const named = repositoryOf(parseReference(image.image), `pull ${image.image}`);
  const where = { ...named, host: options.mirrors.get(named.host) ?? named.host };
  const root = await resolveRoot(image, where, options);
  const read = async (descriptor: Descriptor): Promise<Uint8Array> => readDocument(descriptor, where, options);
  const choice = { kind: "one", platform: options.platform } as const;
  const graph = await collectImage(root, choice, where.what, read, signal);
  const blobs = graph.blobs.filter((blob) => blob.urls === undefined || blob.urls.length === 0);
  for (const blob of options.documentsOnly ? [] : blobs)
    await fetchBlob({ client, store, lease, onMoved }, where, blob, signal);
  const manifests = graph.documents.map(({ descriptor, bytes }) => packedManifest(descriptor, bytes));
  const platformDigest = manifests.find((manifest) => manifest.blobs.length > 0)?.digest ?? root.digest;
  rememberImage(
    store,
    image.image,
    root,
    options.platform,
    graph.documents.map(({ descriptor }) => descriptor.digest),
  );
  return {
    image: image.image,
    target: root.digest,
    mediaType: root.mediaType,
    manifests: manifests.map((manifest) => ({
      ...manifest,
      ...platformOf(manifest, platformDigest, options.platform),
    })),
    platformDigest,
    sizeBytes: [...manifests, ...blobs.map((blob) => ({ sizeBytes: blob.size }))].reduce(
      (sum, part) => sum + part.sizeBytes,
      0,
    ),
  };
}

function platformOf(manifest: PackedManifest, chosen: Digest, platform: Platform): { readonly platform?: string } {
  return manifest.digest === chosen ? { platform: formatPlatform(platform) } : {};
}

function packedManifest(descriptor: Descriptor, bytes: Uint8Array): PackedManifest {
  const parsed = parseManifestOrIndex(bytes, descriptor.digest);
  const blobs = parsed.kind === "index" ? [] : [parsed.manifest.config, ...parsed.manifest.layers];
  return {
    digest: descriptor.digest,
    sizeBytes: descriptor.size,
    blobs: blobs
      .filter((blob) => blob.urls === undefined || blob.urls.length === 0)
      .map((blob) => ({ digest: blob.digest, sizeBytes: blob.size })),
  };
}

/** What the reference stands for: what the lock says, what is known, or what the registry answers now. */
async function resolveRoot(
  image: ImageToCollect,
  where: RemoteRepository,
  options: CollectOptions,
): Promise<Descriptor> {
  const { client, store, signal, freshness } = options;
  const reference = parseReference(image.image);
  const pinned = image.digest ?? reference.digest;
  const known = recallImage(store, image.image, options.platform);
  if (known !== undefined && (pinned === undefined ? freshness !== "newer" : known.digest === pinned)) return known;
  if (freshness === "never") throw new EngineError("IMAGE_NOT_FOUND", { reference: image.image, where: "the store" });
  const asked = pinned ?? reference.tag ?? "latest";
  try {
    const head = await headManifest(client, where, asked, signal);
    return head ?? (await keepDocument(asked, where, options));
  } catch (error) {
    const isOutage = isEngineError(error) && error.retryable;
    if (known !== undefined && pinned === undefined && isOutage) return known;
    throw error;
  }
}

/** A manifest or an index: from the store, or fetched and kept. */
async function readDocument(
  descriptor: Descriptor,
  where: RemoteRepository,
  options: CollectOptions,
): Promise<Uint8Array> {
  const { store, lease, signal } = options;
  if ((await lease.pin(descriptor.digest, signal)) === undefined) await keepDocument(descriptor.digest, where, options);
  return store.readBytes(descriptor.digest, maxManifestBytes);
}

async function keepDocument(reference: string, where: RemoteRepository, options: CollectOptions): Promise<Descriptor> {
  const { descriptor, bytes } = await getManifest(options.client, where, reference, options.signal);
  await options.lease.putBytes(bytes, digestAlgorithm(descriptor.digest));
  return descriptor;
}

/** Like a loop, but several at once; the first defect ends it after those under way are through. */
async function forEachAtOnce<Item>(
  items: readonly Item[],
  atOnce: number,
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const entries = items.values();
  const work = async (): Promise<void> => {
    for (const item of entries) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
}

import { EngineError } from "../errors.ts";
import { annotationKeys } from "../oci/clusterImage.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import type { Lease, Store } from "../store/contract.ts";
import { referrersOf } from "../store/referrers.ts";
import type { ArchiveFile } from "./archiveFile.ts";
import { dockerArchiveFiles } from "./dockerArchive.ts";
import { collectParts, type ImageParts, type NamedTarget, narrow } from "./imageParts.ts";
import { ociLayoutFiles } from "./ociLayout.ts";
import { type Pack, writeOut } from "./output.ts";
import { type LayerCompressor, type Recompressed, recompress } from "./recompress.ts";
import { type Supplement, supplementFiles } from "./supplement.ts";

/** `oci-archive`: an image layout as tar, `oci-dir`: as a folder, `docker-archive`: what `docker load` reads. */
export type SaveFormat = "oci-archive" | "oci-dir" | "docker-archive";

export interface SaveRequest {
  /** References of images in the store, as people write them. */
  readonly references: readonly string[];
  readonly format: SaveFormat;
  /** Of an index only the manifest for this platform; absent: all that are in the store. */
  readonly platform?: Platform;
  /** Compresses uncompressed layers on their way out; absent: layers go as they are, which keeps every digest. */
  readonly compressor?: LayerCompressor;
  /** A file, or for `oci-dir` a folder that is not there or empty. An existing file is replaced when all is written. */
  readonly output: string;
  /** Compresses the whole archive; not for `oci-dir`. */
  readonly pack?: Pack;
  /** Cuts the archive into parts of so many bytes, `output.001` …, with a list of them; not for `oci-dir`. */
  readonly splitBytes?: number;
  /** Lets an image pass or throws, before anything is written. */
  readonly admit?: (image: NamedTarget) => void;
  /** What the other side has and the archive leaves out; not for `docker-archive`. */
  readonly since?: Since;
}

/** What is known to be there already. */
export interface Since {
  /** References of images whose parts are there, as this same save would write them. */
  readonly references: readonly string[];
  readonly digests: ReadonlySet<Digest>;
}

export interface Saved {
  readonly images: readonly NamedTarget[];
  /** Bytes written. */
  readonly sizeBytes: number;
  /** What was written: the file or folder, or the list of the parts and then the parts. */
  readonly paths: readonly string[];
  /** Blobs the archive leaves to the other side, with their sizes. */
  readonly needs: readonly Descriptor[];
  /** What the format or the store could not give, a sentence each. */
  readonly warnings: readonly string[];
}

export interface SaveProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/**
 * Writes images of the store to a file or a folder, all or nothing. The same images give the same bytes: no clock, no owner of this
 * machine. Throws `IMAGE_NOT_FOUND`, `IMAGE_PLATFORM_MISSING`, `ARCHIVE_ONE_PLATFORM`, `ARCHIVE_TARGET_UNUSABLE`, and what
 * reading the store throws.
 */
export async function saveImages(
  store: Store,
  request: SaveRequest,
  onProgress: (progress: SaveProgress) => void,
  signal: AbortSignal,
): Promise<Saved> {
  await using lease = store.lease(`save ${request.references.join(" ")}`);
  const saving: Saving = { store, lease, request, recompressed: new Map(), signal };
  const images: NamedTarget[] = [];
  for (const reference of request.references) images.push(await findImage(saving, reference));
  const parts: ImageParts[] = [];
  for (const image of images) parts.push(await collectParts(store, image.target, signal));
  const known = await knownElsewhere(saving);
  const referrers = request.format === "docker-archive" ? [] : await collectReferrers(saving, images, parts);
  const supplement: Supplement = { needs: leftOut(parts, known), referrers: referrers.map(({ listed }) => listed) };
  const carried = [...parts, ...referrers.map((each) => each.parts)];
  const files = await filesOf(store, request.format, images, carried, supplement, signal);
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const { pack, splitBytes } = request;
  const output = {
    path: request.output,
    asFolder: request.format === "oci-dir",
    ...(pack === undefined ? {} : { pack }),
    ...(splitBytes === undefined ? {} : { splitBytes }),
  };
  const counted = countedFiles(files, (doneBytes) => onProgress({ doneBytes, totalBytes }));
  const { sizeBytes, paths } = await writeOut(output, counted, signal);
  const warnings = [...warningsOf(request.format, images, parts), ...(await leftBehind(saving, images))];
  return { images, sizeBytes, paths, needs: supplement.needs, warnings };
}

/** One save under way. */
interface Saving {
  readonly store: Store;
  readonly lease: Lease;
  readonly request: SaveRequest;
  /** Layers compressed up to now: images share them. */
  readonly recompressed: Recompressed;
  readonly signal: AbortSignal;
}

/** Finds an image, pins it, lets it pass, picks the platform and compresses layers, as asked. */
async function findImage(saving: Saving, text: string): Promise<NamedTarget> {
  const named = await pinImage(saving, text);
  saving.request.admit?.(named);
  return await asSaved(saving, named);
}

async function pinImage({ store, lease, signal }: Saving, text: string): Promise<NamedTarget> {
  const name = formatReference(withDefaultTag(parseReference(text)));
  const target = await store.resolve(name, signal);
  const pinned = target === undefined ? undefined : await lease.pin(target.digest, signal);
  if (target === undefined || pinned === undefined) {
    throw new EngineError("IMAGE_NOT_FOUND", { reference: name, where: `the store ${store.dir}` });
  }
  return { name, target };
}

async function asSaved(saving: Saving, named: NamedTarget): Promise<NamedTarget> {
  const { store, lease, request, recompressed, signal } = saving;
  const narrowed = request.platform === undefined ? named : await narrow(store, named, request.platform, signal);
  if (request.compressor === undefined) return narrowed;
  const { compressor } = request;
  return {
    name: named.name,
    target: await recompress({ store, lease, compressor, recompressed, signal }, narrowed.target),
  };
}

/** The blobs that need not travel: those of an inventory, and those of images the other side got by a save like this one. */
async function knownElsewhere(saving: Saving): Promise<ReadonlySet<Digest>> {
  const { since } = saving.request;
  const known = new Set(since?.digests);
  for (const reference of since?.references ?? []) {
    const { target } = await asSaved(saving, await pinImage(saving, reference));
    const { parts } = await collectParts(saving.store, target, saving.signal);
    for (const { digest } of parts) known.add(digest);
  }
  return known;
}

/** Only layers are left out: documents are small, and with them a load can say all that is missing at once. */
function leftOut(parts: readonly ImageParts[], known: ReadonlySet<Digest>): readonly Descriptor[] {
  const layers = parts.flatMap(({ images }) => images.flatMap(({ manifest }) => manifest.layers));
  const unique = new Map(layers.map(({ mediaType, digest, size }) => [digest, { mediaType, digest, size }]));
  return [...unique.values()].filter(({ digest }) => known.has(digest));
}

/** What refers to the images and all below them, as a part of the archive and as it is listed in it. */
async function collectReferrers(
  { store, lease, signal }: Saving,
  images: readonly NamedTarget[],
  parts: readonly ImageParts[],
): Promise<readonly { readonly listed: Descriptor; readonly parts: ImageParts }[]> {
  const manifests = parts.flatMap((one) => one.images.map(({ descriptor }) => descriptor.digest));
  const subjects = new Set([...images.map(({ target }) => target.digest), ...manifests]);
  const found = new Map(
    [...subjects].flatMap((subject) => referrersOf(store, subject)).map((one) => [one.digest, one]),
  );
  const collected: { readonly listed: Descriptor; readonly parts: ImageParts }[] = [];
  for (const listed of found.values()) {
    await lease.pin(listed.digest, signal);
    collected.push({ listed, parts: await collectParts(store, listed, signal) });
  }
  return collected;
}

/** Whoever counts on signatures is told where they cannot follow: to a format without a place for them, and to another digest. */
async function leftBehind(
  { store, request, signal }: Saving,
  images: readonly NamedTarget[],
): Promise<readonly string[]> {
  const told: string[] = [];
  for (const { name, target } of images) {
    const original = (await store.resolve(name, signal)) ?? target;
    if (referrersOf(store, original.digest).length === 0) continue;
    if (request.format === "docker-archive")
      told.push(`${name}: docker-archive has no place for its signatures and SBOMs.`);
    else if (original.digest !== target.digest)
      told.push(
        `${name}: its signatures and SBOMs stay behind, for what is saved has another digest. Save it whole and uncompressed.`,
      );
  }
  return told;
}

function countedFiles(files: readonly ArchiveFile[], onBytes: (doneBytes: number) => void): readonly ArchiveFile[] {
  let done = 0;
  return files.map((file) => ({
    ...file,
    async *open(signal) {
      for await (const chunk of file.open(signal)) {
        done += chunk.byteLength;
        onBytes(done);
        yield chunk;
      }
    },
  }));
}

async function filesOf(
  store: Store,
  format: SaveFormat,
  images: readonly NamedTarget[],
  parts: readonly ImageParts[],
  supplement: Supplement,
  signal: AbortSignal,
): Promise<readonly ArchiveFile[]> {
  if (format !== "docker-archive") {
    const left = new Set(supplement.needs.map(({ digest }) => digest));
    return [...ociLayoutFiles(store, images, parts, left), ...supplementFiles(supplement)];
  }
  const singles = images.map((named, i) => {
    const [single, ...more] = parts[i]?.images ?? [];
    if (single === undefined || more.length > 0) {
      throw new EngineError("ARCHIVE_ONE_PLATFORM", {
        reference: named.name,
        platforms: `${1 + more.length} platforms`,
      });
    }
    return { named, single };
  });
  return dockerArchiveFiles(store, singles, signal);
}

function warningsOf(
  format: SaveFormat,
  images: readonly NamedTarget[],
  parts: readonly ImageParts[],
): readonly string[] {
  return images.flatMap(({ name }, i) => {
    const absent = parts[i]?.absent ?? [];
    const isCluster = parts[i]?.images.some(
      (image) => image.manifest.annotations?.[annotationKeys.imageExtension] !== undefined,
    );
    const left = absent.map((one) => (one.platform === undefined ? one.digest : formatPlatform(one.platform)));
    return [
      ...(left.length === 0
        ? []
        : [`${name}: ${left.join(", ")} of its index are not in the store and not in the archive.`]),
      ...(format === "docker-archive" && isCluster === true
        ? [
            `${name}: docker-archive has no place for what makes it a cluster image. "kubefile load" restores it from a label; ` +
              "other tools see a plain image. Save as oci-archive to keep it for all.",
          ]
        : []),
    ];
  });
}

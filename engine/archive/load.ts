import { createReadStream, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { EngineError, isEngineError } from "../errors.ts";
import { compareBytewise } from "../oci/canonicalJson.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import { parseConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { encodeIndex } from "../oci/index.ts";
import { parseManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import { formatPlatform, normalizePlatform } from "../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import type { Store } from "../store/contract.ts";
import { rememberReferrer } from "../store/referrers.ts";
import { type ArchiveContent, type Decompress, readArchive, readFolder } from "./archiveContent.ts";
import { bringImage, type Found, type Loading, layoutPlace, missing, readFileOf } from "./found.ts";
import { loadDockerArchive } from "./loadDocker.ts";
import { loadDirLayout, loadOciLayout } from "./loadOci.ts";
import { openParts, type PartedArchive } from "./splitInput.ts";
import { parseSupplement, type Supplement, supplementPath } from "./supplement.ts";

export interface LoadRequest {
  /** An archive (plain, gzip or zstd), a folder, or of an archive in parts the list, the first part or their folder. */
  readonly input: string;
  /** Names the image instead of the archive's own name; only for an archive of one image. */
  readonly name?: string;
  readonly decompress: Decompress;
  /** Lets an image pass or throws, before any is named. */
  readonly admit?: (image: Descriptor, label: string) => void;
}

export interface Loaded {
  readonly images: readonly LoadedImage[];
  readonly warnings: readonly string[];
}

export interface LoadedImage {
  /** Every name it was given. */
  readonly names: readonly string[];
  readonly target: Descriptor;
}

export interface LoadProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/**
 * Brings the images of an archive or folder into the store: OCI layouts, `docker save` archives old and new, containers/image's
 * folders, and sealer's archive of archives for several platforms. What it is, is seen from its content. Every digest is checked and
 * nothing is named before all images are whole.
 * Throws `ARCHIVE_UNREADABLE`, `ARCHIVE_NEEDS_MORE` for a delta, `ARCHIVE_PART_MISSING`, `ARCHIVE_PART_DAMAGED`, `DOCUMENT_INVALID`, `BLOB_MISMATCH`, `PATH_ESCAPES_ROOT`, `IMAGE_INCOMPLETE` and what the store throws.
 */
export async function loadImages(
  store: Store,
  request: LoadRequest,
  onProgress: (progress: LoadProgress) => void,
  signal: AbortSignal,
): Promise<Loaded> {
  await using lease = store.lease(`load ${request.input}`);
  const loading: Loading = { store, lease, decompress: request.decompress, signal };
  const content = await openInput(loading, request.input, onProgress);
  const supplement = await readSupplement(loading, content);
  await refuseUnmetNeeds(loading, content, supplement);
  const found = await interpret(loading, content);
  for (const referrer of supplement.referrers) await bringReferrer(loading, content, referrer);
  for (const { target } of found) request.admit?.(target, `load ${request.input}`);
  const images = nameAll(found, request);
  for (const image of images) for (const name of image.names) await store.tag(name, image.target, signal);
  return {
    images: images.map(({ names, target }) => ({ names, target })),
    warnings: images.flatMap((image) => (image.warning === undefined ? [] : [image.warning])),
  };
}

async function readSupplement(loading: Loading, content: ArchiveContent): Promise<Supplement> {
  const isThere = (await content.blob(supplementPath, loading.signal)) !== undefined;
  if (!isThere) return { needs: [], referrers: [] };
  const document = `${supplementPath} of ${content.label}`;
  return parseSupplement(await readFileOf(loading, content, supplementPath), document);
}

/** A signature or an SBOM, kept with the image it is about; an archive has no say about images that are not in it. */
async function bringReferrer(loading: Loading, content: ArchiveContent, referrer: Descriptor): Promise<void> {
  await bringImage(loading, content, layoutPlace, referrer);
  const bytes = loading.store.readBytes(referrer.digest, maxManifestBytes);
  const { subject } = parseManifest(bytes, `referrer ${referrer.digest}`);
  if (subject === undefined || (await content.blob(layoutPlace(subject), loading.signal)) === undefined) return;
  rememberReferrer(loading.store, subject.digest, referrer);
}

/** A delta is loaded only where what it leaves out is. */
async function refuseUnmetNeeds(loading: Loading, content: ArchiveContent, { needs }: Supplement): Promise<void> {
  const here = await loading.lease.pinAll(
    needs.map(({ digest }) => digest),
    loading.signal,
  );
  const absent = needs.filter(({ digest }) => !here.has(digest));
  if (absent.length === 0) return;
  throw new EngineError("ARCHIVE_NEEDS_MORE", {
    file: content.label,
    missing: absent.map(({ digest }) => digest),
    sizeBytes: absent.reduce((sum, { size }) => sum + size, 0),
  });
}

async function openInput(
  loading: Loading,
  input: string,
  onProgress: (progress: LoadProgress) => void,
): Promise<ArchiveContent> {
  try {
    const parts = openParts(input);
    if (parts !== undefined) return await readParted(loading, input, parts, onProgress);
    const stat = statSync(input);
    if (stat.isDirectory()) return await readFolder(input, readdirSync(input), loading.lease);
    const bytes = counted(createReadStream(input, { highWaterMark: 1 << 20 }), (doneBytes) =>
      onProgress({ doneBytes, totalBytes: stat.size }),
    );
    return await readArchive(input, bytes, loading.decompress, loading.lease, loading.signal);
  } catch (error) {
    if (isEngineError(error) || !(error instanceof Error) || !("code" in error)) throw error;
    const problem = error.code === "ENOENT" ? "there is no such file or folder" : error.message;
    throw new EngineError("ARCHIVE_UNREADABLE", { file: input, problem }, { cause: error });
  }
}

/** Every part is checked, and a damaged one is named even when what failed first was the archive in it. */
async function readParted(
  loading: Loading,
  input: string,
  parts: PartedArchive,
  onProgress: (progress: LoadProgress) => void,
): Promise<ArchiveContent> {
  const { decompress, lease, signal } = loading;
  const { totalBytes } = parts;
  const bytes = counted(parts.read(signal), (doneBytes) => onProgress({ doneBytes, totalBytes }));
  try {
    const content = await readArchive(input, bytes, decompress, lease, signal);
    await parts.checkRest(signal);
    return content;
  } catch (error) {
    const aboutContent = ["ARCHIVE_UNREADABLE", "BLOB_MISMATCH"] as const;
    if (aboutContent.some((code) => isEngineError(error, code))) await parts.checkRest(signal);
    throw error;
  }
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  onBytes: (doneBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of bytes) {
    done += chunk.byteLength;
    onBytes(done);
    yield chunk;
  }
}

/** Tells the formats apart by what is at the top. Docker's newest archives are both of two kinds; the layout says more. */
async function interpret(loading: Loading, content: ArchiveContent): Promise<readonly Found[]> {
  const has = (file: string): boolean => content.paths.includes(file);
  if (has("index.json")) return loadOciLayout(loading, content);
  const archives = content.paths.filter((file) => file.endsWith(".tar") && !file.includes("/"));
  if (has("Metadata") && archives.length > 0) return loadSealerList(loading, content, archives);
  if (has("manifest.json")) {
    const isList = Buffer.from(await readFileOf(loading, content, "manifest.json"))
      .toString("utf8")
      .trimStart()
      .startsWith("[");
    return isList ? loadDockerArchive(loading, content) : loadDirLayout(loading, content);
  }
  const problem = has("repositories")
    ? "it was saved by a Docker older than 1.10: load it there and save it again with a current one"
    : "it has neither index.json nor manifest.json, so it is no image archive known here";
  throw new EngineError("ARCHIVE_UNREADABLE", { file: content.label, problem });
}

/**
 * sealer's archive of a multi-platform image: an archive per platform, and `Metadata`, whose whole content is the name. They become one
 * index, in order of platform.
 * @see sealer v0.11 pkg/imageengine/buildah/save.go and load.go
 */
async function loadSealerList(
  loading: Loading,
  content: ArchiveContent,
  archives: readonly string[],
): Promise<readonly Found[]> {
  const name = Buffer.from(await readFileOf(loading, content, "Metadata"))
    .toString("utf8")
    .trim();
  const manifests: Descriptor[] = [];
  for (const file of archives.toSorted(compareBytewise)) {
    const stat = await content.blob(file, loading.signal);
    if (stat === undefined) throw missing(content, file);
    const bytes = loading.store.read(stat.digest, {}, loading.signal);
    const label = `${file} in ${content.label}`;
    const inner = await readArchive(label, bytes, loading.decompress, loading.lease, loading.signal);
    for (const { target } of await interpret(loading, inner)) manifests.push(withPlatform(loading, target));
  }
  const platformOf = (one: Descriptor): string => (one.platform === undefined ? "" : formatPlatform(one.platform));
  manifests.sort((a, b) => compareBytewise(platformOf(a), platformOf(b)) || compareBytewise(a.digest, b.digest));
  const bytes = encodeIndex({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const { digest, sizeBytes } = await loading.lease.putBytes(bytes);
  const target = { mediaType: mediaTypes.ociIndex, digest, size: sizeBytes };
  return [{ target, names: [formatReference(withDefaultTag(parseReference(name)))] }];
}

/** What a manifest runs on is said by its configuration. */
function withPlatform({ store }: Loading, { mediaType, digest, size }: Descriptor): Descriptor {
  const manifest = parseManifest(store.readBytes(digest, maxManifestBytes), `manifest ${digest}`);
  const config = parseConfig(store.readBytes(manifest.config.digest, maxManifestBytes), `configuration of ${digest}`);
  const { os, architecture, variant } = config;
  const platform = normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
  return { mediaType, digest, size, platform };
}

/** Gives every image a name, so that none is lost with the next prune. */
function nameAll(
  found: readonly Found[],
  request: LoadRequest,
): readonly (LoadedImage & { readonly warning?: string })[] {
  if (request.name !== undefined) {
    const [image, ...others] = found;
    if (image === undefined || others.length > 0) {
      const problem = `it holds ${found.length} images, so it cannot be loaded under one name`;
      throw new EngineError("ARCHIVE_UNREADABLE", { file: request.input, problem });
    }
    return [{ target: image.target, names: [formatReference(withDefaultTag(parseReference(request.name)))] }];
  }
  return found.map(({ target, names, tagOnly }) => {
    if (names.length > 0) return { target, names };
    const repository = `localhost/${stemOf(request.input)}`;
    if (tagOnly !== undefined && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tagOnly)) {
      return { target, names: [`${repository}:${tagOnly}`] };
    }
    const name = `${repository}@${target.digest}`;
    return {
      target,
      names: [name],
      warning: `An image had no name; it is ${name} now. Give it one with "kubefile tag".`,
    };
  });
}

/** The name of a file or folder without its endings, as a part of a repository. */
function stemOf(input: string): string {
  const base = path
    .basename(path.resolve(input))
    .toLowerCase()
    .replace(/\.(?:[0-9]{3}|parts\.json)$/, "");
  const stem = base.replace(/\.(?:tar|tgz|tar\.gz|tar\.zst)$/, "");
  const words = stem.split(/[^a-z0-9]+/).filter((word) => word !== "");
  return words.length === 0 ? "loaded" : words.join("-");
}

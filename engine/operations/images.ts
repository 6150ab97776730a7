import { recordKinds } from "../cache/stepMemory.ts";
import { EngineError } from "../errors.ts";
import { annotationKeys, parseImageExtension } from "../oci/clusterImage.ts";
import { type ImageConfig, parseConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { type Index, parseManifestOrIndex } from "../oci/index.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import { isIndexType } from "../oci/mediaTypes.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import type { ImageDetails, ImageSummary, LayerDetails, PlatformImageDetails } from "../protocol.ts";
import type { NamedImage, Store } from "../store/contract.ts";
import { containerImagesOf } from "./containerOrigins.ts";
import { originOf } from "./origins.ts";

const largestDocument = 4 * 1024 * 1024;

/** One image of one platform, its documents read. */
interface Loaded {
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** All images with a name, newest first; several names of one image are one row. An image that cannot be read is left out. */
export function listImages(store: Store): readonly ImageSummary[] {
  const byDigest = new Map<Digest, NamedImage[]>();
  for (const named of store.list()) {
    const rows = byDigest.get(named.target.digest) ?? [];
    rows.push(named);
    byDigest.set(named.target.digest, rows);
  }
  return [...byDigest.values()]
    .flatMap((names) => summaryOrNothing(store, names))
    .sort((a, b) => b.storedAt - a.storedAt || (a.digest < b.digest ? -1 : 1));
}

function summaryOrNothing(store: Store, names: readonly NamedImage[]): readonly ImageSummary[] {
  const [first] = names;
  if (first === undefined) return [];
  try {
    return [summaryOf(names, first.target, loadAll(store, first.target))];
  } catch (error) {
    if (error instanceof EngineError) return [];
    throw error;
  }
}

function summaryOf(names: readonly NamedImage[], target: Descriptor, images: readonly Loaded[]): ImageSummary {
  const [first] = images;
  const extension = first?.manifest.annotations?.[annotationKeys.imageExtension];
  const cluster = extension === undefined ? undefined : parseImageExtension(extension, target.digest);
  return {
    references: names.map(({ name }) => name),
    digest: target.digest,
    kind: isIndexType(target.mediaType) ? "index" : "image",
    platforms: images.map(({ config }) => formatPlatform(config)),
    sizeBytes: images.reduce((sum, image) => sum + sizeOf(image), 0),
    storedAt: Math.max(0, ...names.map(({ taggedAtMs }) => taggedAtMs)),
    ...(cluster === undefined ? {} : { type: cluster.type }),
    applications: (cluster?.applications ?? []).map(({ name }) => name),
  };
}

function sizeOf({ manifest }: Loaded): number {
  return manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size);
}

/** Everything about one image, by reference or digest. Throws `IMAGE_NOT_FOUND`. */
export function inspect(store: Store, written: string): ImageDetails {
  const { target, names } = findImage(store, written);
  const images = loadAll(store, target);
  const cached = new Set<string>(store.listRecords(recordKinds.layer).flatMap(({ refs }) => refs));
  return { ...summaryOf(names, target, images), images: images.map((image) => detailsOf(store, image, cached)) };
}

/** What a reference or digest means in the store, and the names it has. Throws `IMAGE_NOT_FOUND`, `REFERENCE_INVALID`. */
export function findImage(
  store: Store,
  written: string,
): { readonly target: Descriptor; readonly names: readonly NamedImage[] } {
  const target = isDigest(written) ? describe(store, written) : store.lookup(normalise(written))?.target;
  if (target === undefined) throw new EngineError("IMAGE_NOT_FOUND", { reference: written, where: "the store" });
  return { target, names: store.list().filter((named) => named.target.digest === target.digest) };
}

/** The whole form of a reference, `:latest` added. Throws `REFERENCE_INVALID`. */
export function normalise(written: string): string {
  return formatReference(withDefaultTag(parseReference(written)));
}

function describe(store: Store, digest: Digest): Descriptor | undefined {
  const stat = store.stat(digest);
  if (stat === undefined) return undefined;
  const document = parseManifestOrIndex(store.readBytes(digest, largestDocument), digest);
  const { mediaType } = document.kind === "index" ? document.index : document.manifest;
  return { mediaType, digest, size: stat.sizeBytes };
}

/** The manifests of a named image that are in the store: one for each platform. Empty when it cannot be read. */
export function manifestsOf(store: Store, target: Descriptor): readonly Digest[] {
  if (!isIndexType(target.mediaType)) return [target.digest];
  try {
    const document = parseManifestOrIndex(store.readBytes(target.digest, largestDocument), target.digest);
    return document.kind === "manifest"
      ? [target.digest]
      : presentManifests(store, document.index).map(({ digest }) => digest);
  } catch (error) {
    if (error instanceof EngineError) return [];
    throw error;
  }
}

function loadAll(store: Store, target: Descriptor): readonly Loaded[] {
  const document = parseManifestOrIndex(store.readBytes(target.digest, largestDocument), target.digest);
  if (document.kind === "manifest") return [load(store, target.digest, document.manifest)];
  return presentManifests(store, document.index).map(({ digest }) =>
    load(store, digest, parseManifest(store.readBytes(digest, largestDocument), digest)),
  );
}

/** An index may list platforms that were never pulled. */
function presentManifests(store: Store, index: Index): readonly Descriptor[] {
  return index.manifests.filter(({ digest, mediaType }) => !isIndexType(mediaType) && store.stat(digest) !== undefined);
}

function load(store: Store, digest: Digest, manifest: Manifest): Loaded {
  return { digest, manifest, config: parseConfig(store.readBytes(manifest.config.digest, largestDocument), digest) };
}

function detailsOf(store: Store, image: Loaded, cached: ReadonlySet<string>): PlatformImageDetails {
  const { manifest, config, digest } = image;
  const annotations = manifest.annotations ?? {};
  const runtime = config.config ?? {};
  return {
    digest,
    platform: formatPlatform(config),
    sizeBytes: sizeOf(image),
    ...(config.created === undefined ? {} : { created: config.created }),
    layers: layersOf(store, image, cached),
    labels: runtime.Labels ?? {},
    annotations,
    env: runtime.Env ?? [],
    ...(runtime.Entrypoint === undefined ? {} : { entrypoint: runtime.Entrypoint }),
    ...(runtime.Cmd === undefined ? {} : { cmd: runtime.Cmd }),
    ...clusterOf(annotations[annotationKeys.imageExtension], digest),
    containerImages: containerImagesOf(store, digest, annotations[annotationKeys.containerImages]),
  };
}

function layersOf(
  store: Store,
  { manifest, config, digest }: Loaded,
  cached: ReadonlySet<string>,
): readonly LayerDetails[] {
  const steps = (config.history ?? []).filter((step) => step.empty_layer !== true);
  const origins = originOf(store, digest);
  return manifest.layers.map((layer, index) => {
    const diffId = config.rootfs.diff_ids[index] ?? layer.digest;
    const at = origins.get(diffId);
    return {
      diffId,
      digest: layer.digest,
      mediaType: layer.mediaType,
      sizeBytes: layer.size,
      createdBy: steps[index]?.created_by ?? "",
      ...(at === undefined ? {} : { at }),
      cached: cached.has(layer.digest),
      present: store.stat(layer.digest) !== undefined,
    };
  });
}

function clusterOf(text: string | undefined, document: string): Pick<PlatformImageDetails, "clusterImage"> {
  if (text === undefined) return {};
  const { type, applications, env, launch } = parseImageExtension(text, document);
  return {
    clusterImage: {
      type,
      applications: (applications ?? []).map((application) => ({
        name: application.name,
        ...(application.type === undefined ? {} : { type: application.type }),
        files: application.files ?? [],
        env: application.env ?? {},
        cmds: application.cmds ?? [],
      })),
      env: env ?? {},
      launchApps: launch.app_names ?? [],
      launchCmds: launch.cmds ?? [],
    },
  };
}

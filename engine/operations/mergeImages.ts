/**
 * Several cluster images made one: their files, applications, launch lists and container images together. Nothing is lost in
 * silence: where two images disagree that is a conflict, and only a user who says so gets the later one's word.
 */

import { openImageTree } from "../bundle/imageTree.ts";
import { compareBytes, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { encodeConfig, type ImageConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { encodeIndex } from "../oci/index.ts";
import { encodeManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Lease, Store } from "../store/contract.ts";
import { splitPair, treeOf } from "./diffImages.ts";
import { normalise } from "./images.ts";
import { mergeAnnotations } from "./mergeAnnotations.ts";
import { type PlatformImage, platformImages } from "./platformImages.ts";
import { difference, type NamedTree } from "./sameFile.ts";

/** One thing the images do not agree on. */
export interface MergeConflict {
  readonly kind: "type" | "application" | "file" | "containerImage" | "environment";
  /** The application's name, the path, the image or the variable. */
  readonly what: string;
  /** The images that disagree, the later last. */
  readonly images: readonly [string, string];
}

export interface MergedImage {
  readonly reference: string;
  readonly descriptor: Descriptor;
  readonly platforms: readonly string[];
  /** Disagreements in which the later image had its way; empty unless that was asked for. */
  readonly conflicts: readonly MergeConflict[];
}

/**
 * Merges images of the store under a new name, in the order given. Of indexes, the platforms that all of them have.
 *
 * @param laterWins whether conflicts are settled for the later image; otherwise they end in `MERGE_CONFLICT`
 * @throws EngineError IMAGE_NOT_FOUND, IMAGE_PLATFORM_MISSING when no platform is common to all, MERGE_CONFLICT
 */
export async function mergeImages(
  store: Store,
  references: readonly string[],
  name: string,
  laterWins: boolean,
  signal: AbortSignal,
): Promise<MergedImage> {
  const reference = normalise(name);
  await using lease = store.lease(`merge ${reference}`);
  const groups = commonPlatforms(
    references.map((each) => platformImages(store, each)),
    references,
  );
  const merged: { readonly descriptor: Descriptor; readonly conflicts: readonly MergeConflict[] }[] = [];
  for (const group of groups) merged.push(await mergeOne(store, lease, group, signal));
  const conflicts = unique(merged.flatMap((each) => each.conflicts));
  if (conflicts.length > 0 && !laterWins) {
    throw new EngineError("MERGE_CONFLICT", { name: reference, conflicts: conflicts.map(conflictText) });
  }
  const [only] = merged;
  const descriptor =
    merged.length === 1 && only !== undefined
      ? only.descriptor
      : await putIndex(
          lease,
          groups.flatMap((group, i) => entryOf(group, merged[i]?.descriptor)),
        );
  await store.tag(reference, descriptor, signal);
  return { reference, descriptor, platforms: groups.map(([first]) => formatPlatform(first.platform)), conflicts };
}

/** A conflict in words. */
export function conflictText({ kind, what, images: [first, second] }: MergeConflict): string {
  const subject: Record<MergeConflict["kind"], string> = {
    type: "both install a cluster",
    application: `application ${what} differs`,
    file: `file ${what} differs`,
    containerImage: `container image ${what} has another digest`,
    environment: `variable ${what} has another value`,
  };
  return `${first} and ${second}: ${subject[kind]}`;
}

type Group = readonly [PlatformImage, ...PlatformImage[]];

function commonPlatforms(
  images: readonly (readonly PlatformImage[])[],
  references: readonly string[],
): readonly Group[] {
  const [first = [], ...others] = images;
  const groups = first.flatMap((image): readonly Group[] => {
    const key = formatPlatform(image.platform);
    const same = others.map((list) => list.find((other) => formatPlatform(other.platform) === key));
    return same.every((each) => each !== undefined) ? [[image, ...same]] : [];
  });
  if (groups.length > 0) return groups;
  const found = first.map((image) => formatPlatform(image.platform)).join(", ");
  throw new EngineError("IMAGE_PLATFORM_MISSING", {
    what: `merge ${references.join(", ")}`,
    wanted: "a platform all of them have",
    found,
  });
}

async function mergeOne(
  store: Store,
  lease: Lease,
  group: Group,
  signal: AbortSignal,
): Promise<{ readonly descriptor: Descriptor; readonly conflicts: readonly MergeConflict[] }> {
  const [first] = group;
  const layers = stackLayers(group);
  const config = mergeConfig(group, layers);
  const { annotations, conflicts } = mergeAnnotations(group);
  const stored = await lease.putBytes(encodeConfig(config));
  const manifest = {
    schemaVersion: 2 as const,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: stored.digest, size: stored.sizeBytes },
    layers: layers.map(({ descriptor }) => descriptor),
    annotations,
  };
  await lease.pinAll(
    layers.map(({ descriptor }) => descriptor.digest),
    signal,
  );
  const merged = { tree: await openImageTree(store, lease, manifest, config, signal), diffIds: config.rootfs.diff_ids };
  const files: MergeConflict[] = [];
  for (const image of group)
    files.push(...(await lostFiles(await treeOf(store, lease, image, signal), merged, image, group, signal)));
  const { digest, sizeBytes } = await lease.putBytes(encodeManifest(manifest));
  const descriptor = { mediaType: mediaTypes.ociManifest, digest, size: sizeBytes, platform: first.platform };
  return { descriptor, conflicts: [...conflicts, ...envConflicts(group), ...files] };
}

interface StackedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly image: PlatformImage;
}

/** All layers in order; those an image shares with an earlier one from the bottom up, its base, are there already. */
function stackLayers(group: Group): readonly StackedLayer[] {
  return group.flatMap((image, position) => {
    const diffIds = image.config.rootfs.diff_ids;
    const shared = Math.max(
      0,
      ...group.slice(0, position).map((earlier) => commonPrefix(earlier.config.rootfs.diff_ids, diffIds)),
    );
    return image.manifest.layers.flatMap((descriptor, i) => {
      const diffId = diffIds[i];
      return i < shared || diffId === undefined ? [] : [{ descriptor: asOci(descriptor), diffId, image }];
    });
  });
}

function commonPrefix(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((each, i) => each !== b[i]);
  return differs === -1 ? a.length : differs;
}

/** A manifest of ours lists layers in OCI's words; Docker's mean the same bytes. */
function asOci(layer: Descriptor): Descriptor {
  const words: Readonly<Record<string, string>> = {
    [mediaTypes.dockerLayer]: mediaTypes.ociLayer,
    [mediaTypes.dockerLayerGzip]: mediaTypes.ociLayerGzip,
    [mediaTypes.dockerLayerZstd]: mediaTypes.ociLayerZstd,
  };
  return { ...layer, mediaType: words[layer.mediaType] ?? layer.mediaType };
}

function mergeConfig(group: Group, layers: readonly StackedLayer[]): ImageConfig {
  const [first] = group;
  const runtime = group.map((image) => image.config.config ?? {});
  const Env = [...new Map(runtime.flatMap(({ Env = [] }) => Env.map(splitPair)))].map(
    ([key, value]) => `${key}=${value}`,
  );
  const Labels = Object.assign({}, ...runtime.map((each) => each.Labels ?? {})) as Record<string, string>;
  const created = group
    .flatMap((image) => image.config.created ?? [])
    .sort(compareBytes)
    .at(-1);
  return {
    architecture: first.config.architecture,
    os: first.config.os,
    ...(first.config.variant === undefined ? {} : { variant: first.config.variant }),
    ...(created === undefined ? {} : { created }),
    config: { ...Object.assign({}, ...runtime), ...(Env.length === 0 ? {} : { Env }), Labels },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ image }) => ({ created_by: `merged from ${image.reference}` })),
  };
}

function envConflicts(group: Group): readonly MergeConflict[] {
  const seen = new Map<string, { readonly value: string; readonly image: string }>();
  const conflicts: MergeConflict[] = [];
  for (const { config, reference } of group) {
    for (const [name, value] of (config.config?.Env ?? []).map(splitPair)) {
      const earlier = seen.get(name);
      // Every base sets PATH; a cluster image starts no process that would read it.
      if (earlier !== undefined && earlier.value !== value && name !== "PATH") {
        conflicts.push({ kind: "environment", what: name, images: [earlier.image, reference] });
      }
      seen.set(name, { value, image: reference });
    }
  }
  return conflicts;
}

/** Every file of an image must be in the merged tree as it was: overwritten or deleted by another, it is a conflict. */
async function lostFiles(
  own: NamedTree,
  merged: NamedTree,
  image: PlatformImage,
  group: Group,
  signal: AbortSignal,
): Promise<readonly MergeConflict[]> {
  const conflicts: MergeConflict[] = [];
  for (const [path, member] of own.tree.members) {
    const there = merged.tree.members.get(path);
    if (member.kind === "directory" && there?.kind === "directory") continue;
    if (there !== undefined && (await difference(path, own, merged, signal)) === undefined) continue;
    const text = textOfBytes(path);
    const other = group.at(-1) === image ? group[0] : (group.at(-1) ?? image);
    const images = [image.reference, winnerOf(there?.layer, group)?.reference ?? other.reference] as const;
    const tag = /^registry\/docker\/registry\/v2\/repositories\/(.+)\/_manifests\/tags\/([^/]+)\/current\/link$/.exec(
      text,
    );
    if (tag !== null) conflicts.push({ kind: "containerImage", what: `${tag[1]}:${tag[2]}`, images });
    else conflicts.push({ kind: "file", what: text, images });
  }
  return conflicts;
}

/** The image whose layer a merged path comes from. */
function winnerOf(layer: number | undefined, group: Group): PlatformImage | undefined {
  return layer === undefined ? undefined : stackLayers(group)[layer]?.image;
}

function unique(conflicts: readonly MergeConflict[]): readonly MergeConflict[] {
  const sorted = [...new Map(conflicts.map((each) => [conflictText(each), each]))];
  return sorted.sort(([a], [b]) => compareBytes(a, b)).map(([, conflict]) => conflict);
}

function entryOf(group: Group, descriptor: Descriptor | undefined): readonly Descriptor[] {
  return descriptor === undefined ? [] : [{ ...descriptor, platform: group[0].platform }];
}

async function putIndex(lease: Lease, manifests: readonly Descriptor[]): Promise<Descriptor> {
  const { digest, sizeBytes } = await lease.putBytes(
    encodeIndex({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
  );
  return { mediaType: mediaTypes.ociIndex, digest, size: sizeBytes };
}

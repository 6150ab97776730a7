/** What differs between two images: layers, files, applications, container images, configuration. */

import { openImageTree } from "../bundle/imageTree.ts";
import { compareBytes, textOfBytes } from "../byteString.ts";
import { annotationKeys, parseContainerImages, parseImageExtension } from "../oci/clusterImage.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Lease, Store } from "../store/contract.ts";
import { imageFor, type PlatformImage } from "./platformImages.ts";
import { difference, type NamedTree } from "./sameFile.ts";

/** Things that are in one image only, and things in both that differ. All sorted bytewise. */
export interface Changes {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

export interface ImageDiff {
  readonly platform: string;
  readonly layers: { readonly shared: number; readonly added: readonly Digest[]; readonly removed: readonly Digest[] };
  readonly files: Changes;
  readonly applications: Changes;
  readonly containerImages: Changes;
  readonly labels: Changes;
  readonly env: Changes;
}

/**
 * Compares two images of the store, from `before` to `after`. No root file system is unpacked.
 *
 * @throws EngineError IMAGE_NOT_FOUND, IMAGE_PLATFORM_MISSING, and what reading layers throws
 */
export async function diffImages(
  store: Store,
  before: string,
  after: string,
  platform: Platform,
  signal: AbortSignal,
): Promise<ImageDiff> {
  await using lease = store.lease(`diff ${before} ${after}`);
  const a = imageFor(store, before, platform);
  const b = imageFor(store, after, platform);
  const [from, to] = [a.config.rootfs.diff_ids, b.config.rootfs.diff_ids];
  const removed = from.filter((layer) => !to.includes(layer));
  const added = to.filter((layer) => !from.includes(layer));
  return {
    platform: formatPlatform(b.platform),
    layers: { shared: to.length - added.length, added, removed },
    files: await diffFiles(await treeOf(store, lease, a, signal), await treeOf(store, lease, b, signal), signal),
    applications: diffMaps(applicationsOf(a), applicationsOf(b)),
    containerImages: diffMaps(containerImagesOf(a), containerImagesOf(b)),
    labels: diffMaps(labelsOf(a), labelsOf(b)),
    env: diffMaps(envOf(a), envOf(b)),
  };
}

/** The root file system of an image with its layers' names. */
export async function treeOf(
  store: Store,
  lease: Lease,
  image: PlatformImage,
  signal: AbortSignal,
): Promise<NamedTree> {
  const tree = await openImageTree(store, lease, image.manifest, image.config, signal);
  return { tree, diffIds: image.config.rootfs.diff_ids };
}

async function diffFiles(a: NamedTree, b: NamedTree, signal: AbortSignal): Promise<Changes> {
  const left = [...a.tree.members.keys()];
  const right = [...b.tree.members.keys()];
  const changed: string[] = [];
  for (const path of left.filter((each) => b.tree.members.has(each)).sort(compareBytes)) {
    const what = await difference(path, a, b, signal);
    if (what !== undefined) changed.push(textOfBytes(path));
  }
  const only = (paths: typeof left, other: NamedTree): readonly string[] =>
    paths
      .filter((path) => !other.tree.members.has(path))
      .sort(compareBytes)
      .map(textOfBytes);
  return { added: only(right, a), removed: only(left, b), changed };
}

/** Compares by key; the value says whether something is still the same. */
function diffMaps(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Changes {
  const keys = (map: ReadonlyMap<string, string>): readonly string[] => [...map.keys()].sort(compareBytes);
  return {
    added: keys(after).filter((key) => !before.has(key)),
    removed: keys(before).filter((key) => !after.has(key)),
    changed: keys(after).filter((key) => before.has(key) && before.get(key) !== after.get(key)),
  };
}

function applicationsOf({ manifest, reference }: PlatformImage): ReadonlyMap<string, string> {
  const text = manifest.annotations?.[annotationKeys.imageExtension];
  const applications = text === undefined ? [] : (parseImageExtension(text, reference).applications ?? []);
  return new Map(applications.map((application) => [application.name, JSON.stringify(application)]));
}

function containerImagesOf({ manifest, reference }: PlatformImage): ReadonlyMap<string, string> {
  const text = manifest.annotations?.[annotationKeys.containerImages];
  const images = text === undefined ? [] : parseContainerImages(text, reference);
  return new Map(images.map(({ image }) => [image, ""]));
}

function labelsOf({ config }: PlatformImage): ReadonlyMap<string, string> {
  return new Map(Object.entries(config.config?.Labels ?? {}));
}

function envOf({ config }: PlatformImage): ReadonlyMap<string, string> {
  return new Map((config.config?.Env ?? []).map(splitPair));
}

/** `NAME=value`; a pair without `=` has an empty value. */
export function splitPair(pair: string): [name: string, value: string] {
  const at = pair.indexOf("=");
  return at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
}

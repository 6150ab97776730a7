import type { Digest } from "../oci/digest.ts";
import { parseReference } from "../oci/reference.ts";
import { bundleIndexPath, encodeBundleIndex } from "./bundleIndex.ts";

/**
 * The file layout of the distribution registry, as sealer puts it into a cluster image's `registry/` folder: nodes made by sealer and an
 * unmodified `docker-registry` serve it as it is.
 *
 * The layout has no place for the registry's host: `a.io/x:1` and `b.io/x:1` share a folder and a tag. Both keep their manifests there, by
 * digest; the tag goes to one of them, and `kubefile-index.json` keeps both names.
 *
 * @see distribution v2.8, registry/storage/paths.go
 */

/** A container image whose blobs are at hand. */
export interface PackedImage {
  /** Normalised reference, with tag or digest. */
  readonly image: string;
  /** What the reference stands for: digest of an index or of a manifest. */
  readonly target: Digest;
  readonly mediaType: string;
  /** Every manifest and index that is carried, `target` among them, with the blobs each needs. */
  readonly manifests: readonly PackedManifest[];
}

export interface PackedManifest {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Config and layers of a manifest; empty for an index. */
  readonly blobs: readonly { readonly digest: Digest; readonly sizeBytes: number }[];
  /** `os/arch[/variant]` of a manifest that an index lists. */
  readonly platform?: string;
}

/** One file of the layout: its bytes are a blob, or a short text. */
export type LayoutFile =
  | { readonly kind: "blob"; readonly path: string; readonly digest: Digest; readonly sizeBytes: number }
  | { readonly kind: "text"; readonly path: string; readonly text: string };

/**
 * The files of a `registry/` folder that carries the images, sorted by path; paths are relative to that folder.
 * The same images in any order give the same files.
 */
export function distributionLayout(images: readonly PackedImage[]): readonly LayoutFile[] {
  const files = new Map<string, LayoutFile>();
  const add = (file: LayoutFile): void => {
    files.set(file.path, file);
  };
  for (const image of images) {
    const { repository } = parseReference(image.image);
    for (const manifest of image.manifests) addManifest(repository, manifest, add);
  }
  for (const [key, image] of taggedImages(images)) addTag(key.repository, key.tag, image.target, add);
  if (images.length > 0) add({ kind: "text", path: bundleIndexPath, text: encodeBundleIndex(images) });
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

type Add = (file: LayoutFile) => void;

function addManifest(repository: string, manifest: PackedManifest, add: Add): void {
  const folder = `${root}/repositories/${repository}`;
  add(blobFile(manifest));
  add(link(`${folder}/_manifests/revisions/${slashed(manifest.digest)}/link`, manifest.digest));
  for (const blob of manifest.blobs) {
    add(blobFile(blob));
    add(link(`${folder}/_layers/${slashed(blob.digest)}/link`, blob.digest));
  }
}

function addTag(repository: string, tag: string, target: Digest, add: Add): void {
  const folder = `${root}/repositories/${repository}/_manifests/tags/${tag}`;
  add(link(`${folder}/current/link`, target));
  add(link(`${folder}/index/${slashed(target)}/link`, target));
}

/** Which image gets a tag that several hosts claim: Docker Hub's, because runtimes ask for it without a host; else the first by name. */
function taggedImages(
  images: readonly PackedImage[],
): readonly (readonly [{ readonly repository: string; readonly tag: string }, PackedImage])[] {
  const owners = new Map<string, readonly [{ repository: string; tag: string }, PackedImage]>();
  const rank = (image: string): string => (image.startsWith("docker.io/") ? ` ${image}` : image);
  for (const image of [...images].sort((a, b) => (rank(a.image) < rank(b.image) ? -1 : 1))) {
    const { repository, tag } = parseReference(image.image);
    if (tag !== undefined && !owners.has(`${repository}:${tag}`))
      owners.set(`${repository}:${tag}`, [{ repository, tag }, image]);
  }
  return [...owners.values()];
}

const root = "docker/registry/v2";

function blobFile(blob: { readonly digest: Digest; readonly sizeBytes: number }): LayoutFile {
  const [algorithm = "", hex = ""] = blob.digest.split(":");
  const path = `${root}/blobs/${algorithm}/${hex.slice(0, 2)}/${hex}/data`;
  return { kind: "blob", path, digest: blob.digest, sizeBytes: blob.sizeBytes };
}

function link(path: string, digest: Digest): LayoutFile {
  return { kind: "text", path, text: digest };
}

function slashed(digest: Digest): string {
  return digest.replace(":", "/");
}

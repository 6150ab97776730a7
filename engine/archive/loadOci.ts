import { EngineError, isEngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import { annotationKeys } from "../oci/clusterImage.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { encodeIndex, type Index, parseIndex, parseManifestOrIndex } from "../oci/index.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import type { ArchiveContent } from "./archiveContent.ts";
import { bringImage, type Found, type Loading, layoutPlace, missing, readFileOf } from "./found.ts";

/**
 * The images of an OCI image layout. Names come from containerd's annotation, else from the specification's; a layout that lists
 * several images without any name is one image of several platforms.
 * @see OCI image-spec v1.1 image-layout.md
 */
export async function loadOciLayout(loading: Loading, content: ArchiveContent): Promise<readonly Found[]> {
  const index = parseIndex(await readFileOf(loading, content, "index.json"), `index.json of ${content.label}`);
  for (const entry of index.manifests) await bringImage(loading, content, layoutPlace, entry);
  const [first, ...others] = index.manifests;
  if (first === undefined)
    throw new EngineError("ARCHIVE_UNREADABLE", { file: content.label, problem: "it holds no image" });
  const isOneImage = others.length > 0 && index.manifests.every((entry) => nameOf(entry) === undefined);
  if (isOneImage) return [{ target: await putIndex(loading, index), names: [] }];
  return index.manifests.map((entry) => ({ target: withoutNames(entry), ...namesOf(entry) }));
}

/**
 * The image of containers/image's `dir:` layout: one folder with `manifest.json` as the manifest itself and blobs by their
 * hexadecimal digits; of a list `<hex>.manifest.json` are the instances.
 * @see github.com/containers/image v5, directory/directory_transport.go
 */
export async function loadDirLayout(loading: Loading, content: ArchiveContent): Promise<readonly Found[]> {
  const stat = await content.blob("manifest.json", loading.signal);
  if (stat === undefined) throw missing(content, "manifest.json");
  const bytes = loading.store.readBytes(stat.digest, maxManifestBytes);
  const document = parseManifestOrIndex(bytes, `manifest.json of ${content.label}`);
  const isIndex = document.kind === "index";
  const mediaType = isIndex ? document.index.mediaType : document.manifest.mediaType;
  const target = { mediaType, digest: stat.digest, size: stat.sizeBytes };
  const instances = new Set(isIndex ? document.index.manifests.map((one) => one.digest) : []);
  const place = ({ digest }: Descriptor): string => {
    const hex = digest.slice(digest.indexOf(":") + 1);
    if (digest === target.digest) return "manifest.json";
    return instances.has(digest) ? `${hex}.manifest.json` : hex;
  };
  await bringImage(loading, content, place, target);
  return [{ target, names: [] }];
}

async function putIndex(loading: Loading, { annotations: _, ...index }: Index): Promise<Descriptor> {
  const bytes = encodeIndex({ ...index, mediaType: mediaTypes.ociIndex });
  const { digest, sizeBytes } = await loading.lease.putBytes(bytes);
  return { mediaType: mediaTypes.ociIndex, digest, size: sizeBytes };
}

function nameOf(entry: Descriptor): string | undefined {
  return entry.annotations?.[annotationKeys.containerdName] ?? entry.annotations?.[annotationKeys.refName];
}

/** A text with a slash or a colon is a reference; any other is a tag alone. */
function namesOf(entry: Descriptor): { readonly names: readonly string[]; readonly tagOnly?: string } {
  const name = nameOf(entry);
  if (name === undefined) return { names: [] };
  if (!/[/:@]/.test(name)) return { names: [], tagOnly: name };
  try {
    return { names: [formatReference(withDefaultTag(parseReference(name)))] };
  } catch (error) {
    // The specification allows more in a name than a reference may be; such an image is loaded and named by its digest.
    if (isEngineError(error, "REFERENCE_INVALID")) return { names: [] };
    throw error;
  }
}

/** The names belong to the layout, not to the image. */
function withoutNames({ annotations, ...descriptor }: Descriptor): Descriptor {
  const kept = Object.entries(annotations ?? {}).filter(
    ([key]) => key !== annotationKeys.containerdName && key !== annotationKeys.refName,
  );
  return kept.length === 0 ? descriptor : { ...descriptor, annotations: Object.fromEntries(kept) };
}

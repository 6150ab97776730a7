import { asCount, asList, asText, decodeJson, optional, required } from "../oci/checkedJson.ts";
import { parseContainerImages } from "../oci/clusterImage.ts";
import type { Digest } from "../oci/digest.ts";
import type { PackedContainerImage } from "../protocol.ts";
import type { Store } from "../store/contract.ts";

/** Kind of the records that say which container images a build packed, and why. */
export const containerOriginKind: string = "container-origins";

/** Notes beside an image which container images it carries and why; the note goes when the image does. */
export function rememberContainerImages(store: Store, image: Digest, images: readonly PackedContainerImage[]): void {
  if (images.length === 0) return;
  const payload = Buffer.from(JSON.stringify(images), "utf8");
  store.writeRecord({ kind: containerOriginKind, key: image, refs: [], keptWith: image, payload });
}

/**
 * The container images of a cluster image: with all that is known where it was built here, else the names of its annotation.
 *
 * @param annotation text of `sealer.image.container.images`; absent when the image has none
 */
export function containerImagesOf(
  store: Store,
  manifest: Digest,
  annotation: string | undefined,
): readonly PackedContainerImage[] {
  if (annotation === undefined) return [];
  const named = parseContainerImages(annotation, manifest);
  const known = new Map(recall(store, manifest).map((entry) => [entry.image, entry]));
  return named.map(
    ({ image, appName }) => known.get(image) ?? { image, ...(appName === undefined ? {} : { appName }), found: [] },
  );
}

function recall(store: Store, manifest: Digest): readonly PackedContainerImage[] {
  const record = store.readRecord(containerOriginKind, manifest);
  if (record === undefined) return [];
  return asList(decodeJson(record.payload, `the record of ${manifest}`)).map((entry) => ({
    image: asText(required(entry, "image")),
    ...optional(entry, "appName", asText),
    ...optional(entry, "digest", asText),
    ...optional(entry, "platformDigest", asText),
    ...optional(entry, "sizeBytes", asCount),
    found: asList(required(entry, "found")).map(asText),
  }));
}

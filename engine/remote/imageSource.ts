/** A repository as a source of images, for whoever reads images and never asks where they are. */
import { EngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import type { ImageSource } from "../oci/imageSource.ts";
import { isIndexType, isManifestType } from "../oci/mediaTypes.ts";
import { parseReference, withDefaultTag } from "../oci/reference.ts";
import { readBlob, readSmallBlob } from "./blobs.ts";
import type { RegistryClient } from "./client.ts";
import { getManifest } from "./manifests.ts";
import type { RemoteRepository } from "./repository.ts";

/**
 * Images of one repository, read without storing. `resolve` answers names of this repository only; digests and sizes are checked
 * as everywhere, so a descriptor in gives its content or an error, REMOTE_ codes among them.
 */
export function remoteImages(client: RegistryClient, where: RemoteRepository): ImageSource {
  return {
    async resolve(text, signal) {
      const reference = withDefaultTag(parseReference(text));
      if (reference.host !== where.host || reference.repository !== where.repository) return undefined;
      try {
        return (await getManifest(client, where, reference.digest ?? reference.tag ?? "latest", signal)).descriptor;
      } catch (error) {
        if (error instanceof EngineError && error.code === "REMOTE_NOT_FOUND") return undefined;
        throw error;
      }
    },
    async readDocument(descriptor, signal) {
      const { digest, size, mediaType } = descriptor;
      if (size > maxManifestBytes) {
        throw new EngineError("BLOB_TOO_LARGE", { digest, sizeBytes: size, limitBytes: maxManifestBytes });
      }
      if (!isManifestType(mediaType) && !isIndexType(mediaType))
        return await readSmallBlob(client, where, descriptor, signal);
      return (await getManifest(client, where, digest, signal)).bytes;
    },
    readBlob: (descriptor, signal) => readBlob(client, where, descriptor, signal),
  };
}

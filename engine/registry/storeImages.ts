import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { isIndexType } from "../oci/mediaTypes.ts";
import type { NamedImage, Store } from "../store/contract.ts";
import type { Content, RepositoryName, StoredManifest } from "./content.ts";
import { Lru } from "./lru.ts";
import { mediaTypeOf, pointedAt } from "./servedManifest.ts";
import { openStoredBlob } from "./storedBlob.ts";
import { upstreamOf } from "./upstream.ts";

const maxManifestBytes = 4 * 1024 * 1024;

/** What one image is made of. */
interface Parts {
  readonly manifests: ReadonlyMap<Digest, Descriptor["mediaType"]>;
  readonly blobs: ReadonlySet<Digest>;
}

/**
 * The images that have a name in the store, as a registry's content: what was built or pulled here is pulled from here, under its name.
 * A name without a host is Docker Hub's, as everywhere.
 */
export function openStoreImages(store: Store): Content {
  const parts = new Lru<Digest, Parts>(512);

  const imagesOf = (name: RepositoryName): readonly NamedImage[] => {
    const { host, repository } = upstreamOf(name);
    const start = `${host}/${repository}`;
    return store.list().filter((image) => repositoryOf(image.name) === start);
  };
  const partsOf = (target: Descriptor): Parts => {
    const known = parts.get(target.digest);
    if (known !== undefined) return known;
    const read = readParts(store, target);
    parts.set(target.digest, read);
    return read;
  };
  const stored = (digest: Digest): StoredManifest => {
    const bytes = store.readBytes(digest, maxManifestBytes);
    return { digest, mediaType: mediaTypeOf(bytes), bytes };
  };

  return {
    async manifest(name, reference) {
      const { host, repository } = upstreamOf(name);
      if (!isDigest(reference)) {
        const named = store.lookup(`${host}/${repository}:${reference}`);
        return named === undefined ? undefined : stored(named.target.digest);
      }
      const here = imagesOf(name).some(({ target }) => partsOf(target).manifests.has(reference));
      return here && store.stat(reference) !== undefined ? stored(reference) : undefined;
    },
    async blob(name, digest, signal) {
      const here = imagesOf(name).some(({ target }) => {
        const { blobs, manifests } = partsOf(target);
        return blobs.has(digest) || manifests.has(digest);
      });
      return here ? openStoredBlob(store, digest, signal) : undefined;
    },
    async tags(name) {
      const images = imagesOf(name);
      if (images.length === 0) return undefined;
      return images.flatMap((image) => tagOf(image.name) ?? []).sort();
    },
    referrers: async () => [],
    repositories: () => [...new Set(store.list().map((image) => repositoryOf(image.name)))].sort(),
  };
}

function readParts(store: Store, target: Descriptor): Parts {
  const manifests = new Map<Digest, string>();
  const blobs = new Set<Digest>();
  const waiting: Digest[] = [target.digest];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (manifests.has(digest) || store.stat(digest) === undefined) continue;
    const bytes = store.readBytes(digest, maxManifestBytes);
    const mediaType = mediaTypeOf(bytes);
    manifests.set(digest, mediaType);
    const below = pointedAt(bytes);
    for (const blob of below.blobs) blobs.add(blob);
    if (isIndexType(mediaType)) waiting.push(...below.manifests);
  }
  return { manifests, blobs };
}

function repositoryOf(name: string): string {
  const plain = name.split("@", 1)[0] ?? "";
  const colon = plain.lastIndexOf(":");
  return colon > plain.lastIndexOf("/") ? plain.slice(0, colon) : plain;
}

function tagOf(name: string): string | undefined {
  const plain = name.split("@", 1)[0] ?? "";
  const colon = plain.lastIndexOf(":");
  return colon > plain.lastIndexOf("/") ? plain.slice(colon + 1) : undefined;
}

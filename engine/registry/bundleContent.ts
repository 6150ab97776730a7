import { EngineError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestOf, isDigest } from "../oci/digest.ts";
import type { BundleFiles } from "./bundleFiles.ts";
import { bundleIndexPath, parseBundleIndex } from "./bundleIndex.ts";
import { bundleNames } from "./bundleNames.ts";
import type { BlobBody, Content, RepositoryName, StoredManifest } from "./content.ts";
import { Lru } from "./lru.ts";
import { mediaTypeOf, referrerOf } from "./servedManifest.ts";
import { type ReadName, readingsOf } from "./upstream.ts";

const root = "docker/registry/v2";
const maxManifestBytes = 4 * 1024 * 1024;
const maxIndexBytes = 64 * 1024 * 1024;
const maxLinkBytes = 256;
/** A blob up to this size is hashed before it is served; larger ones are checked by every client. */
const checkedBlobBytes = 1024 * 1024;
const keptManifestBytes = 32 * 1024 * 1024;

/**
 * A `registry/` folder of sealer's layout as a registry's content, read-only and in place.
 *
 * `kubefile-index.json` keeps apart what the layout mixes: `a.io/x:1` and `b.io/x:1` each answer under their own host. A folder without it
 * (made by sealer) answers every host by path alone, as sealer's own registry does.
 *
 * Manifests and small blobs are verified before they are served: `BLOB_CORRUPT`. Throws `BUNDLE_UNREADABLE`.
 *
 * @see distribution v2.8, registry/storage/paths.go
 */
export async function openBundleContent(files: BundleFiles, signal: AbortSignal): Promise<Content> {
  const index = await readSmall(files, bundleIndexPath, maxIndexBytes, signal);
  const names = bundleNames((index === undefined ? undefined : parseBundleIndex(index.toString("utf8"))) ?? []);
  const manifests = new Lru<Digest, StoredManifest>(keptManifestBytes);
  const checked = new Lru<Digest, true>(65_536);
  const referrers = new Map<string, Promise<ReadonlyMap<Digest, readonly Descriptor[]>>>();
  const layoutRepositories = await listRepositories(files);

  const linked = async (link: string): Promise<Digest | undefined> => {
    const text = (await readSmall(files, `${link}/link`, maxLinkBytes, signal))?.toString("latin1").trim();
    return text !== undefined && isDigest(text) ? text : undefined;
  };
  const hasManifest = async ({ repository }: ReadName, digest: Digest): Promise<boolean> =>
    (await linked(`${folderOf(repository)}/_manifests/revisions/${digest.replace(":", "/")}`)) === digest;
  const hasLayer = async ({ repository }: ReadName, digest: Digest): Promise<boolean> =>
    (await linked(`${folderOf(repository)}/_layers/${digest.replace(":", "/")}`)) === digest;

  const readManifest = async (digest: Digest): Promise<StoredManifest | undefined> => {
    const known = manifests.get(digest);
    if (known !== undefined) return known;
    const bytes = await readSmall(files, blobPath(digest), maxManifestBytes, signal);
    if (bytes === undefined) return undefined;
    verify(files, digest, bytes);
    const manifest = { digest, mediaType: mediaTypeOf(bytes), bytes };
    manifests.set(digest, manifest, bytes.length);
    return manifest;
  };

  const targetOf = async (name: ReadName, reference: string): Promise<Digest | undefined> => {
    if (isDigest(reference)) return (await hasManifest(name, reference)) ? reference : undefined;
    const target = names.target(name, reference);
    if (target !== "unlisted") return target;
    return linked(`${folderOf(name.repository)}/_manifests/tags/${reference}/current`);
  };

  const tagsOf = async (name: ReadName): Promise<readonly string[]> => {
    const { own, others } = names.tags(name);
    const listed = await files.list(`${folderOf(name.repository)}/_manifests/tags`);
    return [...new Set([...own, ...listed.filter((tag) => !others.has(tag))])].sort();
  };

  const revisionsOf = async (repository: string): Promise<readonly Digest[]> => {
    const folder = `${folderOf(repository)}/_manifests/revisions`;
    const found: string[] = [];
    for (const algorithm of await files.list(folder))
      for (const hex of await files.list(`${folder}/${algorithm}`)) found.push(`${algorithm}:${hex}`);
    return found.filter(isDigest);
  };

  const referrersIn = async (repository: string): Promise<ReadonlyMap<Digest, readonly Descriptor[]>> => {
    const found = new Map<Digest, Descriptor[]>();
    for (const digest of await revisionsOf(repository)) {
      const manifest = await readManifest(digest);
      const referrer = manifest === undefined ? undefined : referrerOf(digest, manifest.bytes);
      if (referrer === undefined) continue;
      found.set(referrer.subject, [...(found.get(referrer.subject) ?? []), referrer.descriptor]);
    }
    return found;
  };

  const openBlob = async (digest: Digest): Promise<BlobBody | undefined> => {
    const file = blobPath(digest);
    const sizeBytes = await files.sizeOf(file);
    if (sizeBytes === undefined) return undefined;
    if (sizeBytes <= checkedBlobBytes && checked.get(digest) === undefined) {
      const bytes = await readSmall(files, file, checkedBlobBytes, signal);
      if (bytes === undefined) return undefined;
      verify(files, digest, bytes);
      checked.set(digest, true);
    }
    return {
      digest,
      sizeBytes,
      read: (start, end, aborted) => files.read(file, start, end, aborted),
      close: async () => undefined,
    };
  };

  /** The first reading of the name under which there is something. */
  const first = async <Result>(
    name: RepositoryName,
    ask: (reading: ReadName) => Promise<Result | undefined>,
  ): Promise<Result | undefined> => {
    for (const reading of readingsOf(name)) {
      const found = await ask(reading);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  return {
    manifest: (name, reference) =>
      first(name, async (reading) => {
        const digest = await targetOf(reading, reference);
        return digest === undefined ? undefined : readManifest(digest);
      }),
    blob: (name, digest) =>
      first(name, async (reading) => {
        const here = (await hasLayer(reading, digest)) || (await hasManifest(reading, digest));
        return here ? openBlob(digest) : undefined;
      }),
    tags: (name) =>
      first(name, async (reading) => {
        const tags = await tagsOf(reading);
        return tags.length > 0 || layoutRepositories.has(reading.repository) ? tags : undefined;
      }),
    async referrers(name, digest) {
      const found = new Map<Digest, Descriptor>();
      for (const { repository } of readingsOf(name)) {
        const known = referrers.get(repository) ?? referrersIn(repository);
        referrers.set(repository, known);
        for (const descriptor of (await known).get(digest) ?? []) found.set(descriptor.digest, descriptor);
      }
      return [...found.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    },
    repositories: () => (names.repositories.length > 0 ? names.repositories : [...layoutRepositories].sort()),
  };
}

function folderOf(repository: string): string {
  return `${root}/repositories/${repository}`;
}

function blobPath(digest: Digest): string {
  const [algorithm = "", hex = ""] = digest.split(":");
  return `${root}/blobs/${algorithm}/${hex.slice(0, 2)}/${hex}/data`;
}

/** Every folder of `repositories/` that holds manifests. */
async function listRepositories(files: BundleFiles): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const walk = async (repository: string): Promise<void> => {
    const inside = await files.list(repository === "" ? `${root}/repositories` : folderOf(repository));
    if (inside.includes("_manifests")) found.add(repository);
    for (const name of inside)
      if (!name.startsWith("_")) await walk(repository === "" ? name : `${repository}/${name}`);
  };
  await walk("");
  return found;
}

/** A whole small file; `undefined` when there is none. Throws `BUNDLE_UNREADABLE` when it is larger than it can rightly be. */
async function readSmall(
  files: BundleFiles,
  file: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const size = await files.sizeOf(file);
  if (size === undefined) return undefined;
  if (size > maxBytes)
    throw new EngineError("BUNDLE_UNREADABLE", { where: files.where, problem: `${file} has ${size} bytes` });
  const chunks: Buffer[] = [];
  for await (const chunk of files.read(file, 0, size, signal)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function verify(files: BundleFiles, digest: Digest, bytes: Uint8Array): void {
  const found = digestOf(bytes, digestAlgorithm(digest));
  if (found === digest) return;
  throw new EngineError("BLOB_CORRUPT", { digest, where: files.where, problem: `its content has digest ${found}` });
}

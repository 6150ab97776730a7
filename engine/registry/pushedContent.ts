import { isEngineError } from "../errors.ts";
import { type Digest, digestAlgorithm } from "../oci/digest.ts";
import type { Lease, Store } from "../store/contract.ts";
import type { BlobBody, NewManifest, RepositoryName, StoredManifest, Upload, WritableContent } from "./content.ts";
import { Lru } from "./lru.ts";
import {
  decodeRepository,
  encodeRepository,
  isEmptyRepository,
  type ManifestFacts,
  noRepository,
  type RepositoryState,
  referrersOf,
  repositoryRecordKind,
  withManifest,
  withoutManifest,
} from "./repositoryState.ts";
import { openStoredBlob } from "./storedBlob.ts";

const maxManifestBytes = 4 * 1024 * 1024;
const keptStates = 4096;
const keptManifestBytes = 64 * 1024 * 1024;

/**
 * Repositories that were pushed to this registry: their blobs lie in the store, each repository's links and tags in one record.
 *
 * Only one server at a time may write them; it holds the store's lock for that. Reading needs nothing.
 *
 * @param access `shared` when whoever may read one repository may read all: then a blob can be mounted without naming its repository
 */
export function openPushedContent(store: Store, access: "shared" | "separate"): WritableContent {
  const states = new Lru<string, RepositoryState>(keptStates);
  const manifests = new Lru<Digest, Uint8Array>(keptManifestBytes);
  const turns = new Map<string, Promise<unknown>>();

  const load = (path: string): RepositoryState => {
    const known = states.get(path);
    if (known !== undefined) return known;
    const record = store.readRecord(repositoryRecordKind, path);
    const state = record === undefined ? noRepository : decodeRepository(record.payload);
    states.set(path, state);
    return state;
  };

  const save = (path: string, state: RepositoryState): void => {
    if (isEmptyRepository(state)) store.removeRecord(repositoryRecordKind, path);
    else {
      const refs = [...state.blobs, ...state.manifests.keys()];
      store.writeRecord({ kind: repositoryRecordKind, key: path, refs, payload: encodeRepository(state) });
    }
    states.set(path, state);
  };

  /** Changes of one repository happen one after the other; `change` answers the new state, or undefined to leave it. */
  const change = async (
    path: string,
    act: (state: RepositoryState) => RepositoryState | undefined | Promise<RepositoryState | undefined>,
  ): Promise<boolean> => {
    const turn = (turns.get(path) ?? Promise.resolve()).then(async () => {
      const next = await act(load(path));
      if (next !== undefined) save(path, next);
      return next !== undefined;
    });
    const settled = turn.catch(() => undefined);
    turns.set(path, settled);
    try {
      return await turn;
    } finally {
      if (turns.get(path) === settled) turns.delete(path);
    }
  };

  const manifestBytes = (digest: Digest): Uint8Array => {
    const known = manifests.get(digest);
    if (known !== undefined) return known;
    const bytes = store.readBytes(digest, maxManifestBytes);
    manifests.set(digest, bytes, bytes.length);
    return bytes;
  };

  return {
    async manifest(name, reference): Promise<StoredManifest | undefined> {
      const state = load(name.path);
      const digest = reference.includes(":") ? (reference as Digest) : state.tags.get(reference);
      const facts = digest === undefined ? undefined : state.manifests.get(digest);
      if (digest === undefined || facts === undefined) return undefined;
      return { digest, mediaType: facts.mediaType, bytes: manifestBytes(digest) };
    },

    async blob(name, digest, signal): Promise<BlobBody | undefined> {
      const state = load(name.path);
      if (!state.blobs.has(digest) && !state.manifests.has(digest)) return undefined;
      return openStoredBlob(store, digest, signal);
    },

    async tags(name): Promise<readonly string[] | undefined> {
      const state = load(name.path);
      return isEmptyRepository(state) ? undefined : [...state.tags.keys()].sort();
    },

    async referrers(name, digest) {
      return referrersOf(load(name.path), digest);
    },

    repositories(): readonly string[] {
      return store
        .listRecords(repositoryRecordKind)
        .map((record) => record.key)
        .sort();
    },

    async putManifest(name, manifest: NewManifest, signal): Promise<void> {
      await using lease = store.lease(`push ${name.path}`);
      await lease.putBytes(manifest.bytes, digestAlgorithm(manifest.digest));
      await change(name.path, async (state) => {
        await pinRepository(lease, state, signal);
        return withManifest(state, manifest.digest, factsOf(manifest), manifest.tags);
      });
    },

    deleteTag(name, tag): Promise<boolean> {
      return change(name.path, (state) => {
        if (!state.tags.has(tag)) return undefined;
        const tags = new Map(state.tags);
        tags.delete(tag);
        return { ...state, tags };
      });
    },

    deleteManifest(name, digest): Promise<boolean> {
      manifests.delete(digest);
      return change(name.path, (state) => (state.manifests.has(digest) ? withoutManifest(state, digest) : undefined));
    },

    deleteBlob(name, digest): Promise<boolean> {
      return change(name.path, (state) => {
        if (!state.blobs.has(digest)) return undefined;
        const blobs = new Set(state.blobs);
        blobs.delete(digest);
        return { ...state, blobs };
      });
    },

    async mountBlob(name, digest, from, signal): Promise<boolean> {
      const source = from === undefined ? undefined : load(from);
      if (source === undefined && access === "separate") return false;
      if (source !== undefined && !source.blobs.has(digest)) return false;
      await using lease = store.lease(`mount into ${name.path}`);
      if ((await lease.pin(digest, signal)) === undefined) return false;
      return link(name, digest);
    },

    startUpload: () => openUpload(store, link),
  };

  function link(name: RepositoryName, digest: Digest): Promise<boolean> {
    return change(name.path, (state) => ({ ...state, blobs: new Set(state.blobs).add(digest) }));
  }
}

/** A record keeps what it refers to from the moment it is written; until then the lease does. */
async function pinRepository(lease: Lease, state: RepositoryState, signal: AbortSignal): Promise<void> {
  await lease.pinAll([...state.blobs, ...state.manifests.keys()], signal);
}

function factsOf(manifest: NewManifest): ManifestFacts {
  return {
    mediaType: manifest.mediaType,
    sizeBytes: manifest.bytes.length,
    ...(manifest.subject === undefined ? {} : { subject: manifest.subject }),
    ...(manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  };
}

function openUpload(store: Store, link: (name: RepositoryName, digest: Digest) => Promise<boolean>): Upload {
  const lease = store.lease("upload");
  const writer = lease.createBlob();
  return {
    get receivedBytes() {
      return writer.sizeBytes;
    },
    write: (chunk) => writer.write(chunk),
    async finish(name, digest, signal): Promise<boolean> {
      const { digest: written } = await writer.commit();
      const right = written === digest || (await isAlso(store, lease, written, digest, signal));
      return right && link(name, digest);
    },
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await lease[Symbol.asyncDispose]();
    },
  };
}

/** Keeps the bytes of one blob under a digest of the other algorithm too; false when they do not have it. */
async function isAlso(
  store: Store,
  lease: Lease,
  written: Digest,
  digest: Digest,
  signal: AbortSignal,
): Promise<boolean> {
  if (digestAlgorithm(written) === digestAlgorithm(digest)) return false;
  await using writer = lease.createBlob({ digest });
  try {
    for await (const chunk of store.read(written, {}, signal)) await writer.write(chunk);
    await writer.commit();
    return true;
  } catch (error) {
    if (isEngineError(error, "BLOB_MISMATCH")) return false;
    throw error;
  }
}

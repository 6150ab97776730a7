/** Pulling: from a registry into the store, moving only what the store lacks. */
import { EngineError, isEngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { digestAlgorithm } from "../oci/digest.ts";
import { isIndexType, layerCompression } from "../oci/mediaTypes.ts";
import { formatReference, type Reference, withDefaultTag } from "../oci/reference.ts";
import type { Lease, Store } from "../store/contract.ts";
import { cancellable } from "./cancellable.ts";
import type { RegistryClient } from "./client.ts";
import { fetchBlob } from "./fetchBlob.ts";
import { inParallel } from "./inParallel.ts";
import { getManifest, headManifest, type RemoteDocument } from "./manifests.ts";
import { rememberOrigin } from "./origins.ts";
import { TransferMeter, type TransferProgress } from "./progress.ts";
import { type RemoteRepository, repositoryOf } from "./repository.ts";
import { collectImage, fromRegistry, type GetDocument, type PlatformChoice } from "./walk.ts";

/**
 * When the registry is asked. `missing`: only for what the store does not have. `newer`: for what its tag points at now, and a
 * registry that cannot be reached leaves what is here. `always`: the same, and then it must be reached. `never`: not at all.
 */
export type PullPolicy = "always" | "missing" | "newer" | "never";

export interface PullRequest {
  readonly reference: Reference;
  readonly platforms: PlatformChoice;
  readonly policy: PullPolicy;
  /** Lets the image pass or throws, before anything of it is fetched or named. */
  readonly admit?: (image: Descriptor, lease: Lease, signal: AbortSignal) => Promise<void>;
}

export interface Pulled {
  /** The name in the store. */
  readonly name: string;
  readonly descriptor: Descriptor;
  /** `present`: the store had all of it under this name. */
  readonly how: "present" | "pulled";
  /** Bytes of blobs that came over the network. */
  readonly movedBytes: number;
  /** Why the registry's word was not heard, with policy `newer`. */
  readonly notAsked?: EngineError;
}

const blobsAtOnce = 4;

/**
 * Pulls an image and names it. Nothing is named before all of it is in the store and checked: every digest from the tag down to
 * the last layer. Layers are kept as they came; that they unpack to their diffIDs is checked by whoever unpacks them.
 *
 * @throws EngineError IMAGE_NOT_FOUND with policy `never`, IMAGE_PLATFORM_MISSING, REMOTE_ codes, and what the store throws
 */
export async function pull(
  client: RegistryClient,
  store: Store,
  request: PullRequest,
  onProgress: (progress: TransferProgress) => void,
  signal: AbortSignal,
): Promise<Pulled> {
  const reference = withDefaultTag(request.reference);
  const name = formatReference(reference);
  const where = repositoryOf(reference, `pull ${name}`);
  return await cancellable(
    where.what,
    async () => {
      await using lease = store.lease(where.what);
      return await pullNamed({ client, store, lease, where, name }, { ...request, reference }, onProgress, signal);
    },
    signal,
  );
}

/**
 * `pull` under a lease of the caller, which pins the image before its name could change again: for a build's base images.
 *
 * @throws what `pull` throws
 */
export async function pullUnderLease(
  client: RegistryClient,
  store: Store,
  lease: Lease,
  request: PullRequest,
  signal: AbortSignal,
): Promise<Pulled> {
  const reference = withDefaultTag(request.reference);
  const name = formatReference(reference);
  const where = repositoryOf(reference, `pull ${name}`);
  const named = { ...request, reference };
  const act = () => pullNamed({ client, store, lease, where, name }, named, () => undefined, signal);
  return await cancellable(where.what, act, signal);
}

interface PullContext {
  readonly client: RegistryClient;
  readonly store: Store;
  readonly lease: Lease;
  readonly where: RemoteRepository;
  readonly name: string;
}

async function pullNamed(
  { client, store, lease, where, name }: PullContext,
  request: PullRequest,
  onProgress: (progress: TransferProgress) => void,
  signal: AbortSignal,
): Promise<Pulled> {
  const here = await findHere(store, lease, name, request.platforms, signal);
  if (request.policy === "never" || (request.policy === "missing" && here !== undefined)) {
    if (here === undefined) throw new EngineError("IMAGE_NOT_FOUND", { reference: name, where: "the store" });
    await request.admit?.(here, lease, signal);
    return { name, descriptor: here, how: "present", movedBytes: 0 };
  }
  const known = store.lookup(name)?.target;
  let root: Resolved;
  try {
    root = await resolve(client, where, request.reference, known, signal);
  } catch (error) {
    const outage = error instanceof EngineError && error.retryable;
    if (request.policy !== "newer" || here === undefined || !outage) throw error;
    await request.admit?.(here, lease, signal);
    return { name, descriptor: here, how: "present", movedBytes: 0, notAsked: error };
  }
  await request.admit?.(root.descriptor, lease, signal);
  if (here !== undefined && here.digest === root.descriptor.digest) {
    return { name, descriptor: here, how: "present", movedBytes: 0 };
  }
  const meter = new TransferMeter(onProgress);
  await fetchImage({ client, store, lease, meter }, where, root, request.platforms, signal);
  await store.tag(name, root.descriptor, signal);
  return { name, descriptor: root.descriptor, how: "pulled", movedBytes: meter.movedBytes };
}

interface Resolved {
  readonly descriptor: Descriptor;
  /** There when finding out brought it along. */
  readonly document?: RemoteDocument;
}

/** Where the store knows the name, asking for the digest alone is enough most times, and registries do not count it as a pull. */
async function resolve(
  client: RegistryClient,
  where: RemoteRepository,
  reference: Reference,
  known: Descriptor | undefined,
  signal: AbortSignal,
): Promise<Resolved> {
  const text = reference.digest ?? reference.tag ?? "latest";
  if (known !== undefined) {
    const descriptor = await headManifest(client, where, text, signal);
    if (descriptor?.digest === known.digest) return { descriptor: known };
  }
  const document = await getManifest(client, where, text, signal);
  return { descriptor: document.descriptor, document };
}

/** What the name points at in the store, when the platforms that are asked for are here too. Pins what it finds. */
async function findHere(
  store: Store,
  lease: Lease,
  name: string,
  choice: PlatformChoice,
  signal: AbortSignal,
): Promise<Descriptor | undefined> {
  const target = store.lookup(name)?.target;
  if (target === undefined || (await lease.pin(target.digest, signal)) === undefined) return undefined;
  if (!isIndexType(target.mediaType)) return target;
  try {
    const graph = await collectImage(target, choice, name, fromStore(store), signal);
    const pinned = await lease.pinAll(
      graph.blobs.map((blob) => blob.digest),
      signal,
    );
    const whole = graph.blobs.every((blob) => pinned.has(blob.digest) || blob.urls !== undefined);
    return whole ? target : undefined;
  } catch (error) {
    const absent = ["BLOB_MISSING", "IMAGE_PLATFORM_MISSING"] as const;
    if (absent.some((code) => isEngineError(error, code))) return undefined;
    throw error;
  }
}

function fromStore(store: Store): GetDocument {
  return async (descriptor) => store.readBytes(descriptor.digest, maxManifestBytes);
}

interface FetchImageContext {
  readonly client: RegistryClient;
  readonly store: Store;
  readonly lease: Lease;
  readonly meter: TransferMeter;
}

/** Documents first, then all blobs that are not here, the largest first so that none is left alone at the end. */
async function fetchImage(
  context: FetchImageContext,
  where: RemoteRepository,
  root: Resolved,
  choice: PlatformChoice,
  signal: AbortSignal,
): Promise<void> {
  const { client, store, lease, meter } = context;
  const get = documentsOnce(store, lease, root, fromRegistry(client, where));
  const graph = await collectImage(root.descriptor, choice, where.what, get, signal);
  for (const { descriptor, bytes } of graph.documents) await lease.putBytes(bytes, digestAlgorithm(descriptor.digest));
  const blobs = graph.blobs.filter((blob) => blob.urls === undefined || blob.urls.length === 0);
  for (const blob of blobs) meter.expect(blob.size);
  const here = await lease.pinAll(
    blobs.map((blob) => blob.digest),
    signal,
  );
  for (const blob of blobs.filter((each) => here.has(each.digest))) {
    meter.done(blob.size);
    meter.finished();
  }
  const missing = blobs.filter((blob) => !here.has(blob.digest)).sort((a, b) => b.size - a.size);
  await inParallel(
    missing,
    blobsAtOnce,
    async (blob, both) => {
      let counted = 0;
      const onMoved = (bytes: number): void => {
        counted += bytes;
        meter.moved(bytes);
        meter.done(bytes);
      };
      await fetchBlob({ client, store, lease, onMoved }, where, blob, both);
      meter.done(blob.size - counted);
      meter.finished();
      if (layerCompression(blob.mediaType) !== undefined) {
        rememberOrigin(store, where.host, where.repository, blob.digest, blob.digest);
      }
    },
    signal,
  );
}

/** A document that is here, or came along with the answer to its name, is not asked for again. */
function documentsOnce(store: Store, lease: Lease, root: Resolved, remote: GetDocument): GetDocument {
  return async (descriptor, signal) => {
    if (root.document !== undefined && descriptor.digest === root.document.descriptor.digest)
      return root.document.bytes;
    if ((await lease.pin(descriptor.digest, signal)) !== undefined) {
      return store.readBytes(descriptor.digest, maxManifestBytes);
    }
    return await remote(descriptor, signal);
  };
}

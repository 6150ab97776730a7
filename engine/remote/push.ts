/** Pushing: from the store to a registry, compressing layers on their way and moving only what the registry lacks. */
import { EngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { encodeIndex, parseManifestOrIndex } from "../oci/index.ts";
import { encodeManifest, type Manifest } from "../oci/manifest.ts";
import { isIndexType, isManifestType, layerCompression, mediaTypes } from "../oci/mediaTypes.ts";
import { formatReference, type Reference, withDefaultTag } from "../oci/reference.ts";
import type { Lease, Store } from "../store/contract.ts";
import { cancellable } from "./cancellable.ts";
import type { RegistryClient } from "./client.ts";
import { readCompressed, rememberCompressed } from "./compressedLayers.ts";
import { type Compression, compressedContent } from "./compression.ts";
import { CompressionThreads } from "./compressionThreads.ts";
import { describedContent } from "./content.ts";
import { inParallel } from "./inParallel.ts";
import { headManifest, type RemoteDocument } from "./manifests.ts";
import { originsOf, rememberOrigin } from "./origins.ts";
import { TransferMeter, type TransferProgress } from "./progress.ts";
import { publish } from "./publish.ts";
import { type PushedReferrers, pushReferrers } from "./pushReferrers.ts";
import { type RemoteRepository, repositoryOf } from "./repository.ts";
import { type SentBlob, sendBlob } from "./sendBlob.ts";
import { chosenChildren, type PlatformChoice } from "./walk.ts";

export interface PushRequest {
  /** What to push: a manifest or an index of the store. */
  readonly source: Descriptor;
  readonly destination: Reference;
  /** Of an index: `all` pushes it with every image, `one` only that image, without the index. */
  readonly platforms: PlatformChoice;
  /** For layers the store holds uncompressed; those that came compressed go as they came. `none` sends all as they are. */
  readonly compression: Compression | "none";
}

export interface Pushed {
  readonly reference: string;
  /** What the destination points at now. Its digest differs from the source's where layers were compressed. */
  readonly descriptor: Descriptor;
  /** Bytes of blobs that went over the network. */
  readonly movedBytes: number;
  readonly blobs: { readonly present: number; readonly mounted: number; readonly uploaded: number };
  /** SBOMs and signatures of the store that went along, and signatures that could not. */
  readonly referrers: PushedReferrers;
}

const blobsAtOnce = 4;

/**
 * Pushes an image. The tag moves last, after the registry has confirmed every blob.
 *
 * @throws EngineError IMAGE_INCOMPLETE when the store has only part of an index that is pushed whole, IMAGE_PLATFORM_MISSING,
 *   REMOTE_INCOMPLETE, other REMOTE_ codes, and what the store throws
 */
export async function push(
  client: RegistryClient,
  store: Store,
  request: PushRequest,
  onProgress: (progress: TransferProgress) => void,
  signal: AbortSignal,
): Promise<Pushed> {
  const destination = withDefaultTag(request.destination);
  const reference = formatReference(destination);
  const where = repositoryOf(destination, `push ${reference}`);
  return await cancellable(
    where.what,
    () => pushTo({ client, store, where, reference }, { ...request, destination }, onProgress, signal),
    signal,
  );
}

interface Destination {
  readonly client: RegistryClient;
  readonly store: Store;
  readonly where: RemoteRepository;
  readonly reference: string;
}

async function pushTo(
  { client, store, where, reference }: Destination,
  request: PushRequest,
  onProgress: (progress: TransferProgress) => void,
  signal: AbortSignal,
): Promise<Pushed> {
  await using lease = store.lease(where.what);
  if ((await lease.pin(request.source.digest, signal)) === undefined) {
    throw new EngineError("IMAGE_NOT_FOUND", { reference, where: `the store ${store.dir}` });
  }
  await using threads = new CompressionThreads();
  const context = {
    client,
    store,
    lease,
    where,
    compression: request.compression,
    threads,
    meter: new TransferMeter(onProgress),
  };
  const sender = new ImageSender(context);
  const descriptor = await sender.send(request.source, request.platforms, signal);
  const { documents, sent } = sender;
  const blobs = [...sent.values()];
  await publish(
    client,
    where,
    {
      documents,
      blobs: blobs.map((blob) => ({ digest: blob.digest, size: blob.sizeBytes })),
      seen: new Set(blobs.flatMap((blob) => (blob.how === "present" ? [blob.digest] : []))),
      tag: request.destination.tag,
    },
    signal,
  );
  const referrers = await pushReferrers({ client, store, lease, where }, sender.pushedAs, signal);
  const count = (how: SentBlob["how"]): number => blobs.filter((blob) => blob.how === how).length;
  return {
    reference,
    descriptor,
    movedBytes: context.meter.movedBytes,
    blobs: { present: count("present"), mounted: count("mounted"), uploaded: count("uploaded") },
    referrers,
  };
}

interface PushContext {
  readonly client: RegistryClient;
  readonly store: Store;
  readonly lease: Lease;
  readonly where: RemoteRepository;
  readonly compression: Compression | "none";
  readonly threads: CompressionThreads;
  readonly meter: TransferMeter;
}

/** Sends the blobs of an image and collects the manifests that name them as they were sent. */
class ImageSender {
  readonly #context: PushContext;
  /** Manifests and indexes in the order they are to be put. */
  readonly documents: RemoteDocument[] = [];
  /** By the digest the store has them under: images of several platforms share layers. */
  readonly sent = new Map<string, SentBlob>();
  /** Manifests and indexes: digest in the store → what it is at the registry. */
  readonly pushedAs = new Map<Digest, Descriptor>();

  constructor(context: PushContext) {
    this.#context = context;
  }

  async send(source: Descriptor, choice: PlatformChoice, signal: AbortSignal): Promise<Descriptor> {
    const pushed = await this.#send(source, choice, signal);
    this.pushedAs.set(source.digest, pushed);
    return pushed;
  }

  async #send(source: Descriptor, choice: PlatformChoice, signal: AbortSignal): Promise<Descriptor> {
    const bytes = this.#context.store.readBytes(source.digest, maxManifestBytes);
    const parsed = parseManifestOrIndex(bytes, `manifest ${source.digest}`);
    if (parsed.kind === "manifest")
      return await this.#sendManifest({ descriptor: source, bytes }, parsed.manifest, signal);
    const { index } = parsed;
    if (choice.kind === "one") {
      const [chosen] = chosenChildren(index.manifests, choice, this.#context.where.what);
      if (chosen !== undefined) return await this.send(chosen, choice, signal);
    }
    const children: Descriptor[] = [];
    for (const child of index.manifests) children.push(await this.#sendChild(child, choice, signal));
    const changed = children.some((child, i) => child.digest !== index.manifests[i]?.digest);
    if (!changed) return this.#add({ descriptor: source, bytes });
    return this.#add(documentOf(source, encodeIndex({ ...index, manifests: children })));
  }

  async #sendChild(child: Descriptor, choice: PlatformChoice, signal: AbortSignal): Promise<Descriptor> {
    const { client, lease, where } = this.#context;
    if ((await lease.pin(child.digest, signal)) !== undefined) {
      if (!isManifestType(child.mediaType) && !isIndexType(child.mediaType)) {
        await this.#sendBlobs([child], signal);
        return child;
      }
      const { digest, size, mediaType } = await this.send(child, choice, signal);
      return { ...child, digest, size, mediaType };
    }
    // Not here, as with an index of which one platform was pulled: fine when the registry has it.
    if ((await headManifest(client, where, child.digest, signal)) !== undefined) return child;
    throw new EngineError("IMAGE_INCOMPLETE", { what: where.what, missing: [child.digest] });
  }

  async #sendManifest(document: RemoteDocument, manifest: Manifest, signal: AbortSignal): Promise<Descriptor> {
    await this.#sendBlobs([manifest.config, ...manifest.layers], signal);
    const layers = manifest.layers.map((layer) => this.#asSent(layer));
    const changed = layers.some((layer, i) => layer !== manifest.layers[i]);
    if (!changed) return this.#add(document);
    return this.#add(documentOf(document.descriptor, encodeManifest({ ...manifest, layers })));
  }

  #add(document: RemoteDocument): Descriptor {
    this.documents.push(document);
    return document.descriptor;
  }

  async #sendBlobs(blobs: readonly Descriptor[], signal: AbortSignal): Promise<void> {
    const { lease, store, meter, where } = this.#context;
    const fresh = blobs.filter((blob, i) => {
      const first = blobs.findIndex((each) => each.digest === blob.digest) === i;
      return first && !this.sent.has(blob.digest);
    });
    const here = await lease.pinAll(
      fresh.map((blob) => blob.digest),
      signal,
    );
    const absent = fresh.filter((blob) => !here.has(blob.digest));
    // Layers that may not be distributed are named by the manifest and fetched from elsewhere: they are nobody's to push.
    const lost = absent.filter((blob) => blob.urls === undefined || blob.urls.length === 0);
    if (lost.length > 0) {
      throw new EngineError("BLOB_MISSING", { digest: lost[0]?.digest ?? "", where: `the store ${store.dir}` });
    }
    const outgoing = fresh.filter((blob) => here.has(blob.digest)).sort((a, b) => b.size - a.size);
    for (const blob of outgoing) meter.expect(blob.size);
    await inParallel(
      outgoing,
      blobsAtOnce,
      async (blob, both) => {
        const sent = await this.#sendOne(blob, both);
        this.sent.set(blob.digest, sent);
        rememberOrigin(store, where.host, where.repository, sent.digest, blob.digest);
        meter.finished();
      },
      signal,
    );
  }

  async #sendOne(blob: Descriptor, signal: AbortSignal): Promise<SentBlob> {
    const { client, store, where, compression, meter } = this.#context;
    const read = countedRead(store, blob, meter);
    const onSent = (bytes: number): void => meter.moved(bytes);
    if (compression === "none" || layerCompression(blob.mediaType) !== "none") {
      const expected = { digest: blob.digest, sizeBytes: blob.size };
      const content = describedContent(blob, read.open);
      const mountFrom = neighbours(store, where, blob.digest);
      const sent = await sendBlob(client, where, { expected, content, mountFrom, onSent }, signal);
      read.finish();
      return sent;
    }
    const remembered = readCompressed(store, blob.digest, compression);
    const outgoing = {
      ...(remembered === undefined ? {} : { expected: remembered }),
      content: compressedContent(read.open, compression, this.#context.threads),
      mountFrom: remembered === undefined ? [] : neighbours(store, where, remembered.digest),
      onSent,
    };
    const sent = await sendBlob(client, where, outgoing, signal);
    read.finish();
    rememberCompressed(store, blob.digest, compression, sent);
    return sent;
  }

  /** A layer's descriptor as the registry has it; the same object when nothing changed. */
  #asSent(layer: Descriptor): Descriptor {
    const sent = this.sent.get(layer.digest);
    const { compression } = this.#context;
    if (sent === undefined || sent.digest === layer.digest || compression === "none") return layer;
    const mediaType = compressedType(layer.mediaType, compression.algorithm);
    return { ...layer, mediaType, digest: sent.digest, size: sent.sizeBytes };
  }
}

function documentOf(like: Descriptor, bytes: Uint8Array): RemoteDocument {
  const { mediaType } = like;
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytes };
}

/** The compressed spelling of an uncompressed layer's media type, in the same family. */
function compressedType(mediaType: string, algorithm: Compression["algorithm"]): string {
  const gzip = algorithm === "gzip";
  switch (mediaType) {
    case mediaTypes.dockerLayer:
      return gzip ? mediaTypes.dockerLayerGzip : mediaTypes.dockerLayerZstd;
    case mediaTypes.ociForeignLayer:
      return gzip ? mediaTypes.ociForeignLayerGzip : mediaTypes.ociForeignLayerZstd;
    default:
      return gzip ? mediaTypes.ociLayerGzip : mediaTypes.ociLayerZstd;
  }
}

function neighbours(store: Store, where: RemoteRepository, digest: Descriptor["digest"]): readonly string[] {
  return originsOf(store, where.host, digest).filter((repository) => repository !== where.repository);
}

/** Reads a blob of the store and tells the meter how far it is, once for each byte. */
function countedRead(
  store: Store,
  blob: Descriptor,
  meter: TransferMeter,
): { readonly open: (offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>; readonly finish: () => void } {
  let counted = 0;
  const reach = (position: number): void => {
    if (position <= counted) return;
    meter.done(position - counted);
    counted = position;
  };
  return {
    async *open(offset, signal) {
      let position = offset;
      for await (const chunk of store.read(blob.digest, offset === 0 ? {} : { start: offset }, signal)) {
        yield chunk;
        position += chunk.byteLength;
        reach(position);
      }
    },
    finish: () => reach(blob.size),
  };
}

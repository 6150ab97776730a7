import { type ByteString, textOfBytes } from "../byteString.ts";
import type { FileTree } from "../discover/rootfs.ts";
import { EngineError } from "../errors.ts";
import { readLayerTar } from "../layer/decompress.ts";
import { type LayerListing, type ListedMember, listLayer } from "../layer/listing.ts";
import { contentMember, type MergedMember, mergeLayers } from "../layer/mergedTree.ts";
import type { ImageConfig } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import { layerCompression } from "../oci/mediaTypes.ts";
import type { Lease, Store } from "../store/contract.ts";

/** The root file system of an image in the store, read in place: nothing is unpacked. */
export interface ImageTree extends FileTree {
  /** Every path with the layer it comes from, index 0 the lowest. */
  readonly members: ReadonlyMap<ByteString, MergedMember>;
  /** What each layer holds, lowest first. */
  readonly listings: readonly LayerListing[];
  /** Bytes of a file's content; undefined for what is no file. */
  sizeOf(path: string): number | undefined;
  /** A stretch of a file's content. Throws `FILE_NOT_IN_IMAGE` for what is no file. */
  readRange(path: string, start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

const recordKind = "layer-listing";
const largestFile = 64 * 1024 * 1024;

/**
 * Opens the root file system of an image. Each layer is listed once and remembered; a compressed layer is decompressed into the store
 * once, checked against its diffId, so that any file of it can be read.
 *
 * @param lease keeps the layers as long as the tree is used
 */
export async function openImageTree(
  store: Store,
  lease: Lease,
  manifest: Pick<Manifest, "layers">,
  config: Pick<ImageConfig, "rootfs">,
  signal: AbortSignal,
): Promise<ImageTree> {
  const layers: { readonly digest: Digest; readonly listing: LayerListing }[] = [];
  for (const [index, descriptor] of manifest.layers.entries()) {
    const diffId = config.rootfs.diff_ids[index];
    if (diffId === undefined)
      throw new EngineError("DOCUMENT_INVALID", {
        document: "the image's configuration",
        path: "rootfs.diff_ids",
        problem: `it names ${config.rootfs.diff_ids.length} layers, the manifest ${manifest.layers.length}`,
      });
    const compressed = layerCompression(descriptor.mediaType) !== "none" && descriptor.digest !== diffId;
    if (compressed) await uncompress(store, lease, descriptor.digest, diffId, signal);
    else await lease.pin(diffId, signal);
    layers.push({ digest: diffId, listing: await listingOf(store, diffId, signal) });
  }
  const listings = layers.map(({ listing }) => listing);
  const members = mergeLayers(listings);
  const paths = [...members.values()].flatMap((member) =>
    contentMember(members, member.path) === undefined ? [] : [textOfBytes(member.path)],
  );
  const byText = new Map([...members.keys()].map((path) => [textOfBytes(path), path]));
  const find = (path: string): MergedMember => {
    const known = byText.get(path);
    const member = known === undefined ? undefined : contentMember(members, known);
    if (member === undefined || member.contentOffset === -1) throw new EngineError("FILE_NOT_IN_IMAGE", { path });
    return member;
  };
  const readRange = (path: string, start: number, end: number, aborted: AbortSignal): AsyncIterable<Uint8Array> => {
    const { contentOffset, layer } = find(path);
    const digest = layers[layer]?.digest;
    if (digest === undefined) throw new EngineError("FILE_NOT_IN_IMAGE", { path });
    return store.read(digest, { start: contentOffset + start, end: contentOffset + end }, aborted);
  };
  return {
    paths,
    members,
    listings,
    readRange,
    sizeOf: (path) => {
      const known = byText.get(path);
      return known === undefined ? undefined : contentMember(members, known)?.size;
    },
    async read(path, aborted) {
      const { size } = find(path);
      if (size > largestFile)
        throw new EngineError("FILE_TOO_LARGE", { path, sizeBytes: size, limitBytes: largestFile });
      const chunks: Uint8Array[] = [];
      for await (const chunk of readRange(path, 0, size, aborted)) chunks.push(Uint8Array.from(chunk));
      return Buffer.concat(chunks);
    },
  };
}

async function uncompress(
  store: Store,
  lease: Lease,
  digest: Digest,
  diffId: Digest,
  signal: AbortSignal,
): Promise<void> {
  if ((await lease.pin(diffId, signal)) !== undefined) return;
  await lease.pin(digest, signal);
  await using writer = lease.createBlob({ digest: diffId });
  for await (const chunk of readLayerTar(store.read(digest, {}, signal), { diffId })) await writer.write(chunk);
  await writer.commit();
  // Kept as long as the layer it was made from is.
  store.writeRecord({
    kind: "uncompressed-layer",
    key: diffId,
    refs: [diffId],
    keptWith: digest,
    payload: Buffer.alloc(0),
  });
}

async function listingOf(store: Store, diffId: Digest, signal: AbortSignal): Promise<LayerListing> {
  const record = store.readRecord(recordKind, diffId);
  if (record !== undefined) {
    store.touchRecord(recordKind, diffId);
    return JSON.parse(Buffer.from(record.payload).toString("utf8")) as LayerListing;
  }
  const listing = await listLayer(store.read(diffId, {}, signal));
  const payload = Buffer.from(JSON.stringify(listing satisfies { readonly members: readonly ListedMember[] }));
  store.writeRecord({ kind: recordKind, key: diffId, refs: [], keptWith: diffId, payload });
  return listing;
}

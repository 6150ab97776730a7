import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { encodeIndex, type Index, parseManifestOrIndex } from "../oci/index.ts";
import { encodeManifest, type Manifest } from "../oci/manifest.ts";
import { type LayerCompression, layerCompression, mediaTypes, ociLayerType } from "../oci/mediaTypes.ts";
import type { Lease, Store } from "../store/contract.ts";

/** How layers are compressed on their way out. */
export interface LayerCompressor {
  readonly compression: Exclude<LayerCompression, "none">;
  /** The compressed form of a layer's bytes; the same bytes in give the same bytes out. */
  compress(layer: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Layers by digest, as they are on their way out. */
export type Recompressed = Map<Digest, Descriptor>;

/** What compressing needs at every level. */
export interface Recompressing {
  readonly store: Store;
  readonly lease: Lease;
  readonly compressor: LayerCompressor;
  /** Each layer is compressed once. */
  readonly recompressed: Recompressed;
  readonly signal: AbortSignal;
}

/**
 * The same image with its uncompressed layers compressed: new layers, manifests and index are written under the lease and go with
 * it. The configuration, and so the image's id, stays. Manifests an index lists and the store lacks are left out of the new index.
 */
export async function recompress(at: Recompressing, target: Descriptor): Promise<Descriptor> {
  const document = parseManifestOrIndex(await at.store.readDocument(target, at.signal), `manifest ${target.digest}`);
  const bytes =
    document.kind === "index"
      ? encodeIndex(await recompressIndex(at, document.index))
      : encodeManifest(await recompressManifest(at, document.manifest));
  const { digest, sizeBytes } = await at.lease.putBytes(bytes);
  return {
    ...target,
    mediaType: document.kind === "index" ? mediaTypes.ociIndex : mediaTypes.ociManifest,
    digest,
    size: sizeBytes,
  };
}

async function recompressIndex(at: Recompressing, index: Index): Promise<Index> {
  const manifests: Descriptor[] = [];
  for (const manifest of index.manifests) {
    if (at.store.stat(manifest.digest) === undefined) continue;
    manifests.push(await recompress(at, manifest));
  }
  return { ...index, mediaType: mediaTypes.ociIndex, manifests };
}

async function recompressManifest(at: Recompressing, manifest: Manifest): Promise<Manifest> {
  const layers: Descriptor[] = [];
  for (const layer of manifest.layers) {
    const known = at.recompressed.get(layer.digest) ?? (await recompressLayer(at, layer));
    at.recompressed.set(layer.digest, known);
    layers.push({ ...layer, mediaType: known.mediaType, digest: known.digest, size: known.size });
  }
  const config =
    manifest.config.mediaType === mediaTypes.dockerConfig
      ? { ...manifest.config, mediaType: mediaTypes.ociConfig }
      : manifest.config;
  return { ...manifest, mediaType: mediaTypes.ociManifest, config, layers };
}

async function recompressLayer(at: Recompressing, layer: Descriptor): Promise<Descriptor> {
  const { store, lease, compressor, signal } = at;
  const compression = layerCompression(layer.mediaType);
  if (compression === undefined || store.stat(layer.digest) === undefined) return layer;
  if (compression !== "none") return { ...layer, mediaType: ociLayerType(compression) };
  await using writer = lease.createBlob();
  for await (const chunk of compressor.compress(store.readBlob(layer, signal), signal)) await writer.write(chunk);
  const { digest, sizeBytes } = await writer.commit();
  return { ...layer, mediaType: ociLayerType(compressor.compression), digest, size: sizeBytes };
}

import type { Descriptor } from "../oci/descriptor.ts";
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

/**
 * The same image with its uncompressed layers compressed: new layers, manifests and index are written under the lease and go with
 * it. The configuration, and so the image's id, stays. Manifests an index lists and the store lacks are left out of the new index.
 */
export async function recompress(
  store: Store,
  lease: Lease,
  target: Descriptor,
  compressor: LayerCompressor,
  signal: AbortSignal,
): Promise<Descriptor> {
  const document = parseManifestOrIndex(await store.readDocument(target, signal), `manifest ${target.digest}`);
  const bytes =
    document.kind === "index"
      ? encodeIndex(await recompressIndex(store, lease, document.index, compressor, signal))
      : encodeManifest(await recompressManifest(store, lease, document.manifest, compressor, signal));
  const { digest, sizeBytes } = await lease.putBytes(bytes);
  return {
    ...target,
    mediaType: document.kind === "index" ? mediaTypes.ociIndex : mediaTypes.ociManifest,
    digest,
    size: sizeBytes,
  };
}

async function recompressIndex(
  store: Store,
  lease: Lease,
  index: Index,
  compressor: LayerCompressor,
  signal: AbortSignal,
): Promise<Index> {
  const manifests: Descriptor[] = [];
  for (const manifest of index.manifests) {
    if (store.stat(manifest.digest) === undefined) continue;
    manifests.push(await recompress(store, lease, manifest, compressor, signal));
  }
  return { ...index, mediaType: mediaTypes.ociIndex, manifests };
}

async function recompressManifest(
  store: Store,
  lease: Lease,
  manifest: Manifest,
  compressor: LayerCompressor,
  signal: AbortSignal,
): Promise<Manifest> {
  const layers: Descriptor[] = [];
  for (const layer of manifest.layers) layers.push(await recompressLayer(store, lease, layer, compressor, signal));
  const config =
    manifest.config.mediaType === mediaTypes.dockerConfig
      ? { ...manifest.config, mediaType: mediaTypes.ociConfig }
      : manifest.config;
  return { ...manifest, mediaType: mediaTypes.ociManifest, config, layers };
}

async function recompressLayer(
  store: Store,
  lease: Lease,
  layer: Descriptor,
  compressor: LayerCompressor,
  signal: AbortSignal,
): Promise<Descriptor> {
  const compression = layerCompression(layer.mediaType);
  if (compression === undefined || store.stat(layer.digest) === undefined) return layer;
  if (compression !== "none") return { ...layer, mediaType: ociLayerType(compression) };
  await using writer = lease.createBlob();
  for await (const chunk of compressor.compress(store.readBlob(layer, signal), signal)) await writer.write(chunk);
  const { digest, sizeBytes } = await writer.commit();
  return { ...layer, mediaType: ociLayerType(compressor.compression), digest, size: sizeBytes };
}

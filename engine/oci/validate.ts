import { isEngineError } from "../errors.ts";
import { annotationKeys, parseContainerImages, parseImageExtension } from "./clusterImage.ts";
import { type ImageConfig, parseConfig } from "./config.ts";
import type { Descriptor } from "./descriptor.ts";
import { type Digest, Digester, digestAlgorithm, digestOf } from "./digest.ts";
import type { ImageSource } from "./imageSource.ts";
import { parseManifestOrIndex } from "./index.ts";
import type { Manifest } from "./manifest.ts";
import { isConfigType, layerCompression } from "./mediaTypes.ts";
import { formatPlatform } from "./platform.ts";

/** A claim of an image that is not true. */
export interface FalseClaim {
  /** Where: the way of digests from the target, shortened by nothing. */
  readonly where: string;
  readonly problem: string;
}

/** Undoes the compression of a layer, all members and frames of it. */
type Decompress = (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/**
 * Recomputes every claim an image makes, from any source: digests and sizes of all it points at, diffIDs of the layers, that the
 * configuration has as many layers and as much history as the manifest, that an index tells the true platform, and that the cluster
 * image's annotations can be read. An empty list means all of it is true. Trusts no check of the source; reads all bytes.
 * Manifests an index lists and the source lacks are skipped (people pull one platform of many) unless none is there.
 */
export async function validateImage(
  source: ImageSource,
  target: Descriptor,
  decompress: Decompress,
  signal: AbortSignal,
): Promise<readonly FalseClaim[]> {
  const validation = new Validation(source, decompress, signal);
  await validation.target(target, target.digest);
  return validation.claims;
}

class Validation {
  readonly claims: FalseClaim[] = [];
  readonly #source: ImageSource;
  readonly #decompress: Decompress;
  readonly #signal: AbortSignal;

  constructor(source: ImageSource, decompress: Decompress, signal: AbortSignal) {
    this.#source = source;
    this.#decompress = decompress;
    this.#signal = signal;
  }

  async target(descriptor: Descriptor, where: string): Promise<void> {
    const bytes = await this.#document(descriptor, where);
    if (bytes === undefined) return;
    const document = await this.#read(where, () => parseManifestOrIndex(bytes, where));
    if (document === undefined) return;
    const written = document.kind === "index" ? document.index.mediaType : document.manifest.mediaType;
    if (written !== descriptor.mediaType) this.#claim(where, `it is ${written}, not ${descriptor.mediaType}`);
    if (document.kind === "manifest") return this.#image(document.manifest, descriptor, where);
    let present = 0;
    for (const manifest of document.index.manifests) {
      if (!(await this.#isThere(manifest))) continue;
      present += 1;
      await this.target(manifest, `${where} → ${manifest.digest}`);
    }
    if (present === 0 && document.index.manifests.length > 0) this.#claim(where, "none of its manifests is there");
  }

  async #image(manifest: Manifest, descriptor: Descriptor, where: string): Promise<void> {
    await this.#annotations(manifest, where);
    const configAt = `${where} → ${manifest.config.digest}`;
    const bytes = await this.#document(manifest.config, configAt);
    const isImage = isConfigType(manifest.config.mediaType);
    const config =
      bytes === undefined || !isImage ? undefined : await this.#read(configAt, () => parseConfig(bytes, configAt));
    if (config !== undefined) this.#config(config, manifest, descriptor, configAt);
    for (const [i, layer] of manifest.layers.entries()) {
      await this.#layer(layer, config?.rootfs.diff_ids[i], `${where} → ${layer.digest}`);
    }
  }

  #config(config: ImageConfig, manifest: Manifest, { platform }: Descriptor, where: string): void {
    const { diff_ids: diffIds } = config.rootfs;
    const count = manifest.layers.length;
    if (diffIds.length !== count) this.#claim(where, `it lists ${diffIds.length} layers, the manifest ${count}`);
    const made = config.history?.filter((step) => step.empty_layer !== true).length;
    if (made !== undefined && made !== 0 && made !== count)
      this.#claim(where, `its history made ${made} layers, the manifest has ${count}`);
    if (platform === undefined) return;
    const { os, architecture, variant } = config;
    const actual = formatPlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
    // Configurations often leave the variant to the index.
    const said = formatPlatform(
      variant === undefined ? { os: platform.os, architecture: platform.architecture } : platform,
    );
    if (actual !== said) this.#claim(where, `it is for ${actual}, the index says ${said}`);
  }

  async #layer(layer: Descriptor, diffId: Digest | undefined, where: string): Promise<void> {
    const compression = layerCompression(layer.mediaType);
    if ((layer.urls ?? []).length > 0 && !(await this.#isThere(layer))) return;
    await this.#read(where, async () => {
      const blob = new Digester(digestAlgorithm(layer.digest));
      const content = this.#hashed(layer, blob);
      const tar = new Digester(diffId === undefined ? "sha256" : digestAlgorithm(diffId));
      const inner = compression === undefined || compression === "none" ? content : this.#decompress(content);
      for await (const chunk of inner) tar.update(chunk);
      // What a decompressor leaves behind the end still belongs to the blob.
      for await (const _ of content);
      this.#compare(layer, blob.finish(), blob.sizeBytes, where);
      const actual = tar.finish();
      if (compression !== undefined && diffId !== undefined && actual !== diffId) {
        this.#claim(where, `unpacked it is ${actual}, the configuration says ${diffId}`);
      }
    });
  }

  async *#hashed(layer: Descriptor, digester: Digester): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#source.readBlob(layer, this.#signal)) {
      digester.update(chunk);
      yield chunk;
    }
  }

  async #annotations({ annotations }: Manifest, where: string): Promise<void> {
    const extension = annotations?.[annotationKeys.imageExtension];
    if (extension !== undefined)
      await this.#read(where, () => parseImageExtension(extension, annotationKeys.imageExtension));
    const images = annotations?.[annotationKeys.containerImages];
    if (images !== undefined)
      await this.#read(where, () => parseContainerImages(images, annotationKeys.containerImages));
  }

  async #document(descriptor: Descriptor, where: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#read(where, () => this.#source.readDocument(descriptor, this.#signal));
    if (bytes === undefined) return undefined;
    this.#compare(descriptor, digestOf(bytes, digestAlgorithm(descriptor.digest)), bytes.byteLength, where);
    return bytes;
  }

  #compare(descriptor: Descriptor, digest: Digest, sizeBytes: number, where: string): void {
    if (digest !== descriptor.digest) this.#claim(where, `its content has digest ${digest}`);
    if (sizeBytes !== descriptor.size) this.#claim(where, `it has ${sizeBytes} bytes, not ${descriptor.size}`);
  }

  async #isThere(descriptor: Descriptor): Promise<boolean> {
    try {
      for await (const _ of this.#source.readBlob(descriptor, this.#signal)) break;
      return true;
    } catch (error) {
      if (isEngineError(error) && error.code === "BLOB_MISSING") return false;
      if (isEngineError(error) && error.code !== "CANCELLED") return true;
      throw error;
    }
  }

  /** An error that is about the image is a claim; any other (cancelled, network) ends the validation. */
  async #read<T>(where: string, act: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!isEngineError(error) || !aboutTheImage.test(error.code)) throw error;
      this.#claim(where, error.message);
      return undefined;
    }
  }

  #claim(where: string, problem: string): void {
    this.claims.push({ where, problem });
  }
}

const aboutTheImage = /^(?:BLOB_|DOCUMENT_|LAYER_|DIGEST_|TAR_|REMOTE_DIGEST_|REMOTE_NOT_FOUND)/;

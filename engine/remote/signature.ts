/**
 * Signatures of images, made and checked with a key and nothing else: no clock, no log, no service. They lie where cosign looks for
 * them, under the tag `sha256-<hex>.sig`, and are referrers of the image as well.
 *
 * @see cosign specs/SIGNATURE_SPEC.md
 */
import type { KeyObject } from "node:crypto";
import { EngineError, isEngineError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import {
  type FoundSignature,
  isValidSignature,
  makeSignature,
  signatureArtifactType,
  signatureClaims,
  signatureLayers,
  signatureTag,
  signatureText,
} from "../oci/signature.ts";
import { readSmallBlob } from "./blobs.ts";
import type { RegistryClient } from "./client.ts";
import { bytesContent } from "./content.ts";
import { getManifest, putManifest, type RemoteDocument } from "./manifests.ts";
import { listReferrers, putReferrer } from "./referrers.ts";
import type { RemoteRepository } from "./repository.ts";
import { sendBlob } from "./sendBlob.ts";

/** A signature found at an image. */
export interface ImageSignature {
  /** Digest of what was signed: a text that names the image. */
  readonly payload: Digest;
  /** What the signer called the image. */
  readonly identity: string;
}

/**
 * Signs an image and stores the signature beside it. An image that carries a signature by this key is left as it is.
 *
 * @param image the manifest or index as the registry has it
 * @param identity the image's name without tag, `ghcr.io/a/b`
 * @param key a private key: ECDSA P-256, Ed25519 or RSA
 */
export async function signImage(
  client: RegistryClient,
  where: RemoteRepository,
  image: Descriptor,
  identity: string,
  key: KeyObject,
  signal: AbortSignal,
): Promise<"signed" | "already signed"> {
  const known = await readSignatures(client, where, image.digest, signal);
  const made = makeSignature(image, identity, key, known);
  if (made === undefined) return "already signed";
  for (const bytes of made.blobs) {
    const digest = digestOf(bytes);
    const expected = { digest, sizeBytes: bytes.byteLength };
    await sendBlob(
      client,
      where,
      { expected, content: bytesContent(bytes, digest), mountFrom: [], onSent: () => undefined },
      signal,
    );
  }
  const document = { descriptor: made.descriptor, bytes: made.manifest };
  await putReferrer(client, where, document, signal);
  await putManifest(client, where, signatureTag(image.digest), document, signal);
  return "signed";
}

/**
 * Checks that an image carries a signature by a key, and says whose.
 *
 * @param key a public key
 * @throws EngineError SIGNATURE_MISSING when it carries none at all, SIGNATURE_INVALID when none is by this key
 */
export async function verifySignature(
  client: RegistryClient,
  where: RemoteRepository,
  image: Digest,
  key: KeyObject,
  signal: AbortSignal,
): Promise<readonly ImageSignature[]> {
  const found = await readSignatures(client, where, image, signal);
  if (found.length === 0) throw new EngineError("SIGNATURE_MISSING", { what: where.what, digest: image });
  const valid = found.filter((each) => isValidSignature(each, image, key));
  if (valid.length === 0)
    throw new EngineError("SIGNATURE_INVALID", { what: where.what, digest: image, found: found.length });
  return valid.map(({ layer, payload }) => ({
    payload: layer.digest,
    identity: signatureClaims(payload, layer.digest).identity,
  }));
}

async function readSignatures(
  client: RegistryClient,
  where: RemoteRepository,
  image: Digest,
  signal: AbortSignal,
): Promise<readonly FoundSignature[]> {
  const found = new Map<string, FoundSignature>();
  for (const { manifest } of await signatureManifests(client, where, image, signal)) {
    for (const layer of signatureLayers(manifest)) {
      const text = signatureText(layer);
      if (!found.has(text)) found.set(text, { layer, payload: await readSmallBlob(client, where, layer, signal) });
    }
  }
  return [...found.values()];
}

/** The manifests of an image's signatures at its registry, with the blobs they name. Throws REMOTE_ codes. */
export async function signatureDocuments(
  client: RegistryClient,
  where: RemoteRepository,
  image: Digest,
  signal: AbortSignal,
): Promise<readonly (RemoteDocument & { readonly blobs: readonly Uint8Array[] })[]> {
  const documents: (RemoteDocument & { readonly blobs: readonly Uint8Array[] })[] = [];
  for (const { manifest, document } of await signatureManifests(client, where, image, signal)) {
    if (documents.some(({ descriptor }) => descriptor.digest === document.descriptor.digest)) continue;
    const blobs: Uint8Array[] = [];
    for (const part of [manifest.config, ...manifest.layers])
      blobs.push(await readSmallBlob(client, where, part, signal));
    documents.push({ ...document, blobs });
  }
  return documents;
}

async function signatureManifests(
  client: RegistryClient,
  where: RemoteRepository,
  image: Digest,
  signal: AbortSignal,
): Promise<readonly { readonly document: RemoteDocument; readonly manifest: Manifest }[]> {
  const referrers = await listReferrers(client, where, image, signatureArtifactType, signal);
  const manifests: { readonly document: RemoteDocument; readonly manifest: Manifest }[] = [];
  for (const name of [signatureTag(image), ...referrers.map((each) => each.digest)]) {
    try {
      const document = await getManifest(client, where, name, signal);
      manifests.push({ document, manifest: parseManifest(document.bytes, `signature ${name}`) });
    } catch (error) {
      if (!isEngineError(error, "REMOTE_NOT_FOUND")) throw error;
    }
  }
  return manifests;
}

/**
 * Signatures of images, made and checked with a key and nothing else: no clock, no log, no service. They lie where cosign looks for
 * them, under the tag `sha256-<hex>.sig`, and are referrers of the image as well.
 *
 * @see cosign specs/SIGNATURE_SPEC.md
 */
import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { EngineError, isEngineError } from "../errors.ts";
import { canonicalJsonBytes } from "../oci/canonicalJson.ts";
import { decodeJson, member } from "../oci/checkedJson.ts";
import { encodeConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { encodeManifest, type Manifest, parseManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import { readSmallBlob } from "./blobs.ts";
import type { RegistryClient } from "./client.ts";
import { bytesContent } from "./content.ts";
import { getManifest, putManifest } from "./manifests.ts";
import { listReferrers, putReferrer } from "./referrers.ts";
import type { RemoteRepository } from "./repository.ts";
import { sendBlob } from "./sendBlob.ts";

const artifactType = "application/vnd.dev.cosign.artifact.sig.v1+json";
const payloadType = "application/vnd.dev.cosign.simplesigning.v1+json";
const signatureKey = "dev.cosignproject.cosign/signature";

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
  const publicKey = createPublicKey(key);
  if (known.some((each) => isValid(each, image.digest, publicKey))) return "already signed";
  const payload = payloadOf(image.digest, identity);
  const layer: Descriptor = {
    mediaType: payloadType,
    digest: digestOf(payload),
    size: payload.byteLength,
    annotations: { [signatureKey]: sign(hashOf(key), payload, key).toString("base64") },
  };
  // Signatures by other keys stay: they are the layers before ours.
  const layers = [...known.map((each) => each.layer), layer];
  const diff_ids = layers.map((each) => each.digest);
  const config = encodeConfig({ architecture: "", os: "", rootfs: { type: "layers", diff_ids } });
  for (const bytes of [payload, config]) {
    const digest = digestOf(bytes);
    const expected = { digest, sizeBytes: bytes.byteLength };
    await sendBlob(
      client,
      where,
      { expected, content: bytesContent(bytes, digest), mountFrom: [], onSent: () => undefined },
      signal,
    );
  }
  const bytes = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.byteLength },
    layers,
    subject: { mediaType: image.mediaType, digest: image.digest, size: image.size },
  });
  const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.byteLength };
  await putReferrer(client, where, { descriptor, bytes }, signal);
  await putManifest(client, where, signatureTag(image.digest), { descriptor, bytes }, signal);
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
  const valid = found.filter((each) => isValid(each, image, key));
  if (valid.length === 0)
    throw new EngineError("SIGNATURE_INVALID", { what: where.what, digest: image, found: found.length });
  return valid.map(({ layer, payload }) => ({
    payload: layer.digest,
    identity: claimsOf(payload, layer.digest).identity,
  }));
}

/** The tag cosign keeps the signatures of a digest under. */
export function signatureTag(digest: Digest): string {
  return `${digest.replace(":", "-")}.sig`;
}

interface FoundSignature {
  readonly layer: Descriptor;
  readonly payload: Uint8Array;
}

async function readSignatures(
  client: RegistryClient,
  where: RemoteRepository,
  image: Digest,
  signal: AbortSignal,
): Promise<readonly FoundSignature[]> {
  const found = new Map<string, FoundSignature>();
  for (const manifest of await signatureManifests(client, where, image, signal)) {
    for (const layer of manifest.layers) {
      const signature = layer.annotations?.[signatureKey];
      if (layer.mediaType !== payloadType || signature === undefined || found.has(signature)) continue;
      found.set(signature, { layer, payload: await readSmallBlob(client, where, layer, signal) });
    }
  }
  return [...found.values()];
}

async function signatureManifests(
  client: RegistryClient,
  where: RemoteRepository,
  image: Digest,
  signal: AbortSignal,
): Promise<readonly Manifest[]> {
  const referrers = await listReferrers(client, where, image, artifactType, signal);
  const manifests: Manifest[] = [];
  for (const name of [signatureTag(image), ...referrers.map((each) => each.digest)]) {
    try {
      manifests.push(parseManifest((await getManifest(client, where, name, signal)).bytes, `signature ${name}`));
    } catch (error) {
      if (!isEngineError(error, "REMOTE_NOT_FOUND")) throw error;
    }
  }
  return manifests;
}

function isValid({ layer, payload }: FoundSignature, image: Digest, key: KeyObject): boolean {
  const signature = Buffer.from(layer.annotations?.[signatureKey] ?? "", "base64");
  if (!verify(hashOf(key), payload, key, signature)) return false;
  // A signature is good for the image it names, wherever it was put.
  return claimsOf(payload, layer.digest).digest === image;
}

/** Ed25519 hashes by itself. */
function hashOf(key: KeyObject): "sha256" | null {
  return key.asymmetricKeyType === "ed25519" ? null : "sha256";
}

function payloadOf(digest: Digest, identity: string): Uint8Array {
  return canonicalJsonBytes({
    critical: {
      identity: { "docker-reference": identity },
      image: { "docker-manifest-digest": digest },
      type: "cosign container image signature",
    },
    optional: null,
  });
}

function claimsOf(payload: Uint8Array, digest: Digest): { readonly digest: unknown; readonly identity: string } {
  const critical = member(decodeJson(payload, `signature ${digest}`), "critical");
  const image = critical === undefined ? undefined : member(critical, "image");
  const identity = critical === undefined ? undefined : member(critical, "identity");
  const name = identity === undefined ? undefined : member(identity, "docker-reference")?.value;
  return {
    digest: image === undefined ? undefined : member(image, "docker-manifest-digest")?.value,
    identity: typeof name === "string" ? name : "",
  };
}

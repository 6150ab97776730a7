/**
 * Signatures of images as cosign writes them: a text that names the image, signed with a key. Made and checked with the key and
 * nothing else: no clock, no log, no service.
 *
 * @see cosign specs/SIGNATURE_SPEC.md
 */
import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { canonicalJsonBytes } from "./canonicalJson.ts";
import { decodeJson, member } from "./checkedJson.ts";
import { encodeConfig } from "./config.ts";
import type { Descriptor } from "./descriptor.ts";
import { type Digest, digestOf } from "./digest.ts";
import { encodeManifest, type Manifest } from "./manifest.ts";
import { mediaTypes } from "./mediaTypes.ts";

/** Artifact type of the manifests that hold signatures. */
export const signatureArtifactType = "application/vnd.dev.cosign.artifact.sig.v1+json";
const payloadType = "application/vnd.dev.cosign.simplesigning.v1+json";
const signatureKey = "dev.cosignproject.cosign/signature";

/** The tag cosign keeps the signatures of a digest under. */
export function signatureTag(digest: Digest): string {
  return `${digest.replace(":", "-")}.sig`;
}

/** A layer of a signature's manifest, and the text it holds. */
export interface FoundSignature {
  readonly layer: Descriptor;
  readonly payload: Uint8Array;
}

/** The layers of a manifest that are signatures. */
export function signatureLayers({ layers }: Manifest): readonly Descriptor[] {
  return layers.filter((layer) => layer.mediaType === payloadType && layer.annotations?.[signatureKey] !== undefined);
}

/** What tells signatures apart: the signature itself. */
export function signatureText({ annotations }: Descriptor): string {
  return annotations?.[signatureKey] ?? "";
}

/** Whether a signature is by a key, and of this image. */
export function isValidSignature({ layer, payload }: FoundSignature, image: Digest, key: KeyObject): boolean {
  const signature = Buffer.from(signatureText(layer), "base64");
  if (!verify(hashOf(key), payload, key, signature)) return false;
  // A signature is good for the image it names, wherever it was put.
  return signatureClaims(payload, layer.digest).digest === image;
}

/** What a signed text says. Throws `DOCUMENT_INVALID`. */
export function signatureClaims(
  payload: Uint8Array,
  digest: Digest,
): { readonly digest: unknown; readonly identity: string } {
  const critical = member(decodeJson(payload, `signature ${digest}`), "critical");
  const image = critical === undefined ? undefined : member(critical, "image");
  const identity = critical === undefined ? undefined : member(critical, "identity");
  const name = identity === undefined ? undefined : member(identity, "docker-reference")?.value;
  return {
    digest: image === undefined ? undefined : member(image, "docker-manifest-digest")?.value,
    identity: typeof name === "string" ? name : "",
  };
}

/** A signature's manifest, and the blobs it names. */
export interface SignatureDocuments {
  readonly manifest: Uint8Array;
  readonly descriptor: Descriptor;
  readonly blobs: readonly Uint8Array[];
}

/**
 * Signs an image. Undefined when one of the signatures known is by this key already; the others stay beside the new one.
 *
 * @param identity the image's name without tag, `ghcr.io/a/b`
 * @param key a private key: ECDSA P-256, Ed25519 or RSA
 */
export function makeSignature(
  image: Descriptor,
  identity: string,
  key: KeyObject,
  known: readonly FoundSignature[],
): SignatureDocuments | undefined {
  const publicKey = createPublicKey(key);
  if (known.some((each) => isValidSignature(each, image.digest, publicKey))) return undefined;
  const payload = payloadOf(image.digest, identity);
  const layer: Descriptor = {
    mediaType: payloadType,
    digest: digestOf(payload),
    size: payload.byteLength,
    annotations: { [signatureKey]: sign(hashOf(key), payload, key).toString("base64") },
  };
  const layers = [...known.map((each) => each.layer), layer];
  const diff_ids = layers.map((each) => each.digest);
  const config = encodeConfig({ architecture: "", os: "", rootfs: { type: "layers", diff_ids } });
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: signatureArtifactType,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.byteLength },
    layers,
    subject: { mediaType: image.mediaType, digest: image.digest, size: image.size },
  });
  const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(manifest), size: manifest.byteLength };
  return { manifest, descriptor, blobs: [...known.map((each) => each.payload), payload, config] };
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

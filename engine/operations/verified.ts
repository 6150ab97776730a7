/** The rule "only what verifies": an image is used when it carries a signature by a key that is trusted, and not otherwise. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { EngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm } from "../oci/digest.ts";
import { parseManifest } from "../oci/manifest.ts";
import { type FoundSignature, isValidSignature, signatureArtifactType, signatureLayers } from "../oci/signature.ts";
import type { RegistryClient } from "../remote/client.ts";
import type { RemoteRepository } from "../remote/repository.ts";
import { signatureDocuments } from "../remote/signature.ts";
import type { Lease, Store } from "../store/contract.ts";
import { referrersOf, rememberReferrer } from "../store/referrers.ts";

/** As a setting has it: off, or the public keys one of which must have signed. */
export type VerifyPolicy =
  | { readonly mode: "off" }
  | { readonly mode: "require"; readonly keys: readonly { readonly path: string; readonly pem: string }[] };

/** Nothing is asked of images. */
export const verifyNothing: VerifyPolicy = { mode: "off" };

/**
 * Lets an image pass, or throws: `SIGNATURE_MISSING` when the store has no signature of it, `SIGNATURE_INVALID` when none is by a key of
 * the policy, `KEY_UNREADABLE` for a key that is none. Asks nobody: the signatures came with the image, by pull or load.
 *
 * @param image the manifest or index itself: a signature of an index holds for the index, and by its digests for all below
 */
export function requireVerified(store: Store, image: Descriptor, what: string, policy: VerifyPolicy): void {
  if (policy.mode === "off") return;
  const keys = readKeys(policy);
  const found = storedSignatures(store, image.digest);
  if (found.length === 0) throw new EngineError("SIGNATURE_MISSING", { what, digest: image.digest });
  const valid = found.some((each) => keys.some((key) => isValidSignature(each, image.digest, key)));
  if (!valid) throw new EngineError("SIGNATURE_INVALID", { what, digest: image.digest, found: found.length });
}

/** Brings the signatures of an image from its registry into the store, where they stay as long as the image. Throws REMOTE_ codes. */
export async function bringSignatures(
  from: { readonly client: RegistryClient; readonly where: RemoteRepository },
  to: { readonly store: Store; readonly lease: Lease },
  image: Digest,
  signal: AbortSignal,
): Promise<void> {
  for (const { bytes, descriptor, blobs } of await signatureDocuments(from.client, from.where, image, signal)) {
    for (const blob of blobs) await to.lease.putBytes(blob, "sha256");
    await to.lease.putBytes(bytes, digestAlgorithm(descriptor.digest));
    rememberReferrer(to.store, image, { ...descriptor, artifactType: signatureArtifactType });
  }
}

function readKeys(policy: Extract<VerifyPolicy, { readonly mode: "require" }>): readonly KeyObject[] {
  return policy.keys.map(({ path, pem }) => {
    try {
      return createPublicKey(pem);
    } catch {
      // What the library says of it may quote the text.
      throw new EngineError("KEY_UNREADABLE", { path, reason: "it is not a public key in PEM" });
    }
  });
}

function storedSignatures(store: Store, image: Digest): readonly FoundSignature[] {
  return referrersOf(store, image)
    .filter(({ artifactType }) => artifactType === signatureArtifactType)
    .flatMap(({ digest }) =>
      signatureLayers(parseManifest(store.readBytes(digest, maxManifestBytes), `signature ${digest}`)),
    )
    .map((layer) => ({ layer, payload: store.readBytes(layer.digest, maxManifestBytes) }));
}

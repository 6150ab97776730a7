/** What refers to an image goes along with it: SBOMs and signatures that the store has. */
import { maxManifestBytes } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { encodeManifest, parseManifest } from "../oci/manifest.ts";
import { signatureArtifactType, signatureTag } from "../oci/signature.ts";
import type { Lease, Store } from "../store/contract.ts";
import { referrersOf } from "../store/referrers.ts";
import type { RegistryClient } from "./client.ts";
import { describedContent } from "./content.ts";
import { headManifest, putManifest, type RemoteDocument } from "./manifests.ts";
import { putReferrer } from "./referrers.ts";
import type { RemoteRepository } from "./repository.ts";
import { sendBlob } from "./sendBlob.ts";

export interface PushedReferrers {
  readonly sent: number;
  /** Signatures that stayed: what they sign has another digest there, because its layers were compressed. */
  readonly signaturesLeft: number;
}

interface Destination {
  readonly client: RegistryClient;
  readonly store: Store;
  readonly lease: Lease;
  readonly where: RemoteRepository;
}

/**
 * Sends the referrers of every manifest that was pushed. One whose subject changed on the way names the new one; a signature
 * cannot, and stays.
 *
 * @param pushed digest in the store → what it became at the registry
 */
export async function pushReferrers(
  to: Destination,
  pushed: ReadonlyMap<Digest, Descriptor>,
  signal: AbortSignal,
): Promise<PushedReferrers> {
  let sent = 0;
  let signaturesLeft = 0;
  for (const [subject, there] of pushed) {
    for (const referrer of referrersOf(to.store, subject)) {
      if (referrer.artifactType === signatureArtifactType && there.digest !== subject) signaturesLeft += 1;
      else {
        await pushReferrer(to, referrer, there, signal);
        sent += 1;
      }
    }
  }
  return { sent, signaturesLeft };
}

async function pushReferrer(
  { client, store, lease, where }: Destination,
  referrer: Descriptor,
  { mediaType, digest, size }: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  await lease.pin(referrer.digest, signal);
  const bytes = store.readBytes(referrer.digest, maxManifestBytes);
  const manifest = parseManifest(bytes, `referrer ${referrer.digest}`);
  for (const blob of [manifest.config, ...manifest.layers]) {
    const content = describedContent(blob, (offset, inner) => store.read(blob.digest, offsetRange(offset), inner));
    const expected = { digest: blob.digest, sizeBytes: blob.size };
    await sendBlob(client, where, { expected, content, mountFrom: [], onSent: () => undefined }, signal);
  }
  const same = manifest.subject?.digest === digest;
  const outgoing = same ? bytes : encodeManifest({ ...manifest, subject: { mediaType, digest, size } });
  const document: RemoteDocument = {
    descriptor: { mediaType: manifest.mediaType, digest: digestOf(outgoing), size: outgoing.byteLength },
    bytes: outgoing,
  };
  await putReferrer(client, where, document, signal);
  if (referrer.artifactType !== signatureArtifactType) return;
  // cosign looks under its own tag; signatures that are there already stay.
  const tag = signatureTag(digest);
  if ((await headManifest(client, where, tag, signal)) === undefined)
    await putManifest(client, where, tag, document, signal);
}

function offsetRange(offset: number): { readonly start?: number } {
  return offset === 0 ? {} : { start: offset };
}

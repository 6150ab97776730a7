/**
 * What refers to images of the store: signatures, SBOMs. A manifest with a subject is kept as long as its subject is, and found
 * from there.
 * @see OCI image-spec v1.1 manifest.md, "subject"
 */
import { canonicalJsonBytes } from "../oci/canonicalJson.ts";
import { decodeJson } from "../oci/checkedJson.ts";
import { type Descriptor, readDescriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Store } from "./contract.ts";

/** Kind of the records that tie a referrer to its subject; their keys start with the subject. */
export const referrerKind = "referrer";

/** Ties a manifest to the image that is its subject. The caller holds the manifest under a lease. */
export function rememberReferrer(store: Store, subject: Digest, referrer: Descriptor): void {
  store.writeRecord({
    kind: referrerKind,
    key: `${subject} ${referrer.digest}`,
    refs: [referrer.digest],
    keptWith: subject,
    payload: canonicalJsonBytes({ ...referrer } as never),
  });
}

/** Lets go of a referrer; its blobs go with the next prune. */
export function forgetReferrer(store: Store, subject: Digest, referrer: Digest): void {
  store.removeRecord(referrerKind, `${subject} ${referrer}`);
}

/** The manifests that refer to an image and are in the store, sorted by digest. */
export function referrersOf(store: Store, subject: Digest): readonly Descriptor[] {
  return store
    .listRecords(referrerKind)
    .filter(({ key }) => key.startsWith(`${subject} `))
    .flatMap(({ key }) => {
      const record = store.readRecord(referrerKind, key);
      if (record === undefined) return [];
      const descriptor = readDescriptor(decodeJson(record.payload, `the referrers of ${subject}`));
      return store.stat(descriptor.digest) === undefined ? [] : [descriptor];
    })
    .sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

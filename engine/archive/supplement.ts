/**
 * What an image layout has no place for: which blobs a delta leaves to the store it is loaded into, and which manifests refer to
 * its images. Lies in the archive as `kubefile.json`, only where there is something to say; other tools pass over it.
 */
import { canonicalJsonBytes, type Json } from "../oci/canonicalJson.ts";
import { asCount, asList, decodeJson, member, refuse, required } from "../oci/checkedJson.ts";
import { type Descriptor, readDescriptor } from "../oci/descriptor.ts";
import { type ArchiveFile, fileOf } from "./archiveFile.ts";

export interface Supplement {
  /** Blobs the images need and the archive leaves out. */
  readonly needs: readonly Descriptor[];
  /** Manifests whose subject is an image of the archive: signatures, SBOMs. */
  readonly referrers: readonly Descriptor[];
}

export const supplementPath = "kubefile.json";

/** The file, or nothing when there is nothing to say. */
export function supplementFiles({ needs, referrers }: Supplement): readonly ArchiveFile[] {
  if (needs.length === 0 && referrers.length === 0) return [];
  const plain = (list: readonly Descriptor[]): Json => list.map((one) => ({ ...one })) as never;
  const bytes = canonicalJsonBytes({ schemaVersion: 1, needs: plain(needs), referrers: plain(referrers) });
  return [fileOf(supplementPath, bytes)];
}

/** Reads the file; throws `DOCUMENT_INVALID`. */
export function parseSupplement(bytes: Uint8Array, document: string): Supplement {
  const at = decodeJson(bytes, document);
  const version = required(at, "schemaVersion");
  if (asCount(version) !== 1) refuse(version, "it is of a newer kind: update Kubefile");
  const read = (name: string): readonly Descriptor[] => {
    const list = member(at, name);
    return list === undefined ? [] : asList(list).map(readDescriptor);
  };
  return { needs: read("needs"), referrers: read("referrers") };
}

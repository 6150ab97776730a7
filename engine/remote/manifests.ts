/**
 * Manifests and indexes of a repository, by tag or digest. Bytes are kept as they came, for their digest is their name.
 *
 * @see distribution-spec v1.1, "Pulling manifests" and "Pushing Manifests"
 */
import { EngineError } from "../errors.ts";
import { decodeJson, maxManifestBytes, member } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestOf, isDigest } from "../oci/digest.ts";
import { isIndexType, isManifestType, mediaTypes } from "../oci/mediaTypes.ts";
import type { RegistryClient } from "./client.ts";
import { type Answer, headerText } from "./exchange.ts";
import type { RemoteRepository } from "./repository.ts";
import { toPull, toPush } from "./scope.ts";

/** A manifest or index as a registry gave it, checked against its digest. */
export interface RemoteDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

const acceptHeader = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifestList,
  mediaTypes.dockerManifest,
].join(", ");

/**
 * What a tag or digest points at, without its bytes: one request that registries do not count as a pull. Undefined when the registry
 * has no such manifest, or does not say its digest.
 *
 * @param reference a tag or a digest
 */
export async function headManifest(
  client: RegistryClient,
  where: RemoteRepository,
  reference: string,
  signal: AbortSignal,
): Promise<Descriptor | undefined> {
  const answer = await client.request({ ...manifestRequest(where, "HEAD", reference), accept: [200, 404] }, signal);
  await answer.discard();
  if (answer.status === 404) return undefined;
  const digest = isDigest(reference) ? reference : headerText(answer, "docker-content-digest");
  const size = Number(headerText(answer, "content-length") ?? Number.NaN);
  const mediaType = mediaTypeOf(answer);
  if (digest === undefined || !isDigest(digest) || !Number.isSafeInteger(size) || mediaType === undefined)
    return undefined;
  return { mediaType, digest, size };
}

/**
 * Fetches a manifest or index.
 *
 * @param expected a descriptor that led here: its digest and size are checked
 * @throws EngineError REMOTE_NOT_FOUND, REMOTE_TOO_LARGE above 4 MiB, REMOTE_DIGEST_MISMATCH, and other REMOTE_ codes
 */
export async function getManifest(
  client: RegistryClient,
  where: RemoteRepository,
  reference: string,
  signal: AbortSignal,
): Promise<RemoteDocument> {
  const answer = await client.request({ ...manifestRequest(where, "GET", reference), accept: [200] }, signal);
  const bytes = await answer.read(maxManifestBytes);
  const expected = expectedDigest(reference, answer);
  const digest = digestOf(bytes, expected === undefined ? "sha256" : digestAlgorithm(expected));
  if (expected !== undefined && digest !== expected) {
    throw new EngineError("REMOTE_DIGEST_MISMATCH", {
      what: where.what,
      registry: where.host,
      expected,
      actual: digest,
    });
  }
  const mediaType = mediaTypeOf(answer) ?? writtenMediaType(bytes, digest);
  return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes };
}

/**
 * Stores a manifest or index, byte for byte. Everything it points at must be there first.
 *
 * @param reference a tag, or the digest of the bytes
 * @returns whether the registry itself links `subject` to its referrers
 * @throws EngineError REMOTE_DIGEST_MISMATCH when the registry stored something else
 */
export async function putManifest(
  client: RegistryClient,
  where: RemoteRepository,
  reference: string,
  document: RemoteDocument,
  signal: AbortSignal,
): Promise<{ readonly linksSubject: boolean }> {
  const { descriptor, bytes } = document;
  const answer = await client.request(
    {
      ...manifestRequest(where, "PUT", reference),
      scopes: [toPush(where.repository)],
      headers: { "content-type": descriptor.mediaType },
      body: { kind: "bytes", bytes },
      accept: [200, 201, 202],
    },
    signal,
  );
  await answer.discard();
  const stored = headerText(answer, "docker-content-digest");
  if (stored !== undefined && stored !== descriptor.digest && isDigest(stored)) {
    // A registry may name the same bytes by another algorithm; another digest of the same one is another document.
    if (digestAlgorithm(stored) === digestAlgorithm(descriptor.digest)) {
      const { what, host: registry } = where;
      throw new EngineError("REMOTE_DIGEST_MISMATCH", { what, registry, expected: descriptor.digest, actual: stored });
    }
  }
  return { linksSubject: headerText(answer, "oci-subject") !== undefined };
}

/** Deletes a tag, or a manifest with all its tags when given a digest. False when the registry does not have it. */
export async function deleteManifest(
  client: RegistryClient,
  where: RemoteRepository,
  reference: string,
  signal: AbortSignal,
): Promise<boolean> {
  const scope = { repository: where.repository, actions: ["pull", "push", "delete"] } as const;
  const request = { ...manifestRequest(where, "DELETE", reference), scopes: [scope], accept: [200, 202, 404] };
  const answer = await client.request(request, signal);
  await answer.discard();
  return answer.status !== 404;
}

function manifestRequest<Method extends "GET" | "HEAD" | "PUT" | "DELETE">(
  where: RemoteRepository,
  method: Method,
  reference: string,
) {
  return {
    what: where.what,
    registry: where.host,
    method,
    target: `${where.repository}/manifests/${reference}`,
    scopes: [toPull(where.repository)],
    headers: { accept: acceptHeader },
  };
}

function expectedDigest(reference: string, answer: Answer): Digest | undefined {
  if (isDigest(reference)) return reference;
  const told = headerText(answer, "docker-content-digest");
  return told !== undefined && isDigest(told) ? told : undefined;
}

/** The type from the header, where it is one of an image: some registries answer with `application/json` or `text/plain`. */
function mediaTypeOf(answer: Answer): string | undefined {
  const mediaType = headerText(answer, "content-type")?.split(";")[0]?.trim();
  return mediaType !== undefined && (isManifestType(mediaType) || isIndexType(mediaType)) ? mediaType : undefined;
}

function writtenMediaType(bytes: Uint8Array, digest: Digest): string {
  const document = decodeJson(bytes, `manifest ${digest}`);
  const written = member(document, "mediaType")?.value;
  if (typeof written === "string") return written;
  return member(document, "manifests") === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
}

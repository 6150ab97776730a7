import { EngineError, isEngineError } from "../errors.ts";
import { asList, asText, asTextMap, type Checked, decodeJson, member } from "../oci/checkedJson.ts";
import { type Descriptor, readDescriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestOf, isDigest } from "../oci/digest.ts";
import { isIndexType } from "../oci/mediaTypes.ts";
import { type Answer, empty, refuse } from "./answer.ts";
import type { Content, NewManifest, RepositoryName, WritableContent } from "./content.ts";
import { type RegistryRequest, readBody } from "./request.ts";

/** Every registry must take manifests of 4 MiB; nobody has a reason to send larger ones. */
const maxManifestBytes = 4 * 1024 * 1024;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const maxTagParameters = 32;

/** `GET` and `HEAD` of a manifest: the bytes and the type exactly as they were pushed. */
export async function getManifest(
  content: Content,
  name: RepositoryName,
  reference: string,
  request: RegistryRequest,
): Promise<Answer> {
  const known = isDigest(reference) || tagPattern.test(reference);
  const manifest = known ? await content.manifest(name, reference, request.signal) : undefined;
  if (manifest === undefined) return refuse("MANIFEST_UNKNOWN", `${name.path} has no manifest ${reference}.`);
  const headers = {
    "Docker-Content-Digest": manifest.digest,
    ETag: `"${manifest.digest}"`,
    "Content-Type": manifest.mediaType,
    "Content-Length": String(manifest.bytes.length),
  };
  if (request.headers["if-none-match"] === headers.ETag) return { status: 304, headers };
  return { status: 200, headers, body: manifest.bytes };
}

/** `DELETE` of a tag, which leaves the manifest, or of a manifest, which takes its tags along. */
export async function deleteManifest(
  content: WritableContent,
  name: RepositoryName,
  reference: string,
  request: RegistryRequest,
): Promise<Answer> {
  const found = isDigest(reference)
    ? await content.deleteManifest(name, reference, request.signal)
    : await content.deleteTag(name, reference, request.signal);
  return found ? empty(202) : refuse("MANIFEST_UNKNOWN", `${name.path} has no manifest ${reference}.`);
}

/**
 * `PUT` of a manifest under a tag, or under its digest with any number of `tag` parameters.
 *
 * @see OCI distribution-spec 1.1, "Pushing Manifests" and "Pushing Manifests with Subject"
 */
export async function putManifest(
  content: WritableContent,
  name: RepositoryName,
  reference: string,
  request: RegistryRequest & { readonly allowSparse: boolean },
): Promise<Answer> {
  const bytes = await readBody(request, maxManifestBytes);
  if (bytes === undefined)
    return refuse("SIZE_INVALID", `A manifest may have ${maxManifestBytes} bytes at most.`, { status: 413 });
  const target = readTarget(reference, request.query, bytes);
  if ("status" in target) return target;
  const read = readManifest(bytes, request.headers["content-type"]);
  if ("status" in read) return read;
  const needs = request.allowSparse ? [] : read.needs;
  const missing = await firstMissing(content, name, needs, request.signal);
  if (missing !== undefined)
    return refuse("MANIFEST_BLOB_UNKNOWN", `${name.path} has no blob ${missing}: push it before the manifest.`);
  const { digest, tags } = target;
  await content.putManifest(name, { ...read.manifest, digest, bytes, tags }, request.signal);
  return empty(201, {
    Location: `/v2/${name.path}/manifests/${digest}`,
    "Docker-Content-Digest": digest,
    ...(read.manifest.subject === undefined ? {} : { "OCI-Subject": read.manifest.subject }),
    ...(request.query.has("tag") ? { "OCI-Tag": tags.join(", ") } : {}),
  });
}

interface Target {
  readonly digest: Digest;
  readonly tags: readonly string[];
}

function readTarget(reference: string, query: URLSearchParams, bytes: Uint8Array): Target | Answer {
  if (!reference.includes(":")) {
    if (!tagPattern.test(reference)) return refuse("MANIFEST_INVALID", `${reference} is no tag.`);
    return { digest: digestOf(bytes), tags: [reference] };
  }
  if (!isDigest(reference)) return refuse("DIGEST_INVALID", `${reference} is not a digest.`);
  const digest = digestOf(bytes, digestAlgorithm(reference));
  if (digest !== reference) return refuse("DIGEST_INVALID", `The manifest has the digest ${digest}, not ${reference}.`);
  const tags = query.getAll("tag");
  if (tags.length > maxTagParameters)
    return refuse("UNSUPPORTED", `At most ${maxTagParameters} tags can be given at once.`, { status: 414 });
  const wrong = tags.find((tag) => !tagPattern.test(tag));
  return wrong === undefined ? { digest, tags } : refuse("MANIFEST_INVALID", `${wrong} is no tag.`);
}

interface ReadManifest {
  readonly manifest: Omit<NewManifest, "digest" | "bytes" | "tags">;
  /** Blobs that must be in the repository before the manifest. */
  readonly needs: readonly Digest[];
}

function readManifest(bytes: Uint8Array, contentType: string | undefined): ReadManifest | Answer {
  try {
    return manifestFacts(decodeJson(bytes, "the manifest"), contentType);
  } catch (error) {
    if (isEngineError(error)) return refuse("MANIFEST_INVALID", error.message);
    throw error;
  }
}

function manifestFacts(at: Checked, contentType: string | undefined): ReadManifest {
  const declared = member(at, "mediaType");
  const sent = contentType?.split(";", 1)[0]?.trim();
  const mediaType = declared === undefined ? (sent ?? "") : asText(declared);
  if (mediaType === "" || (sent !== undefined && sent !== mediaType))
    throw new EngineError("DOCUMENT_INVALID", {
      document: "the manifest",
      path: "mediaType",
      problem: `it is sent as "${sent ?? ""}" and says it is "${mediaType}"`,
    });
  const one = (key: string): Descriptor | undefined => {
    const value = member(at, key);
    return value === undefined ? undefined : readDescriptor(value);
  };
  const list = (key: string): readonly Descriptor[] => {
    const value = member(at, key);
    return value === undefined ? [] : asList(value).map(readDescriptor);
  };
  const config = one("config");
  const subject = one("subject");
  const artifact = member(at, "artifactType");
  const annotations = member(at, "annotations");
  const artifactType =
    artifact === undefined ? (isIndexType(mediaType) ? undefined : config?.mediaType) : asText(artifact);
  // Children of an index may come later or never: an index of some platforms is how a mirror keeps only what is asked for.
  list("manifests");
  const blobs = [...(config === undefined ? [] : [config]), ...list("layers")].filter((blob) => isDistributed(blob));
  return {
    manifest: {
      mediaType,
      ...(subject === undefined ? {} : { subject: subject.digest }),
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations: asTextMap(annotations) }),
    },
    needs: blobs.map((blob) => blob.digest),
  };
}

/** Layers that must not be pushed are fetched from their own addresses. */
function isDistributed(blob: Descriptor): boolean {
  return !/nondistributable|\.foreign\./.test(blob.mediaType) && (blob.urls === undefined || blob.urls.length === 0);
}

async function firstMissing(
  content: Content,
  name: RepositoryName,
  digests: readonly Digest[],
  signal: AbortSignal,
): Promise<Digest | undefined> {
  for (const digest of new Set(digests)) {
    const blob = await content.blob(name, digest, signal);
    if (blob === undefined) return digest;
    await blob.close();
  }
  return undefined;
}

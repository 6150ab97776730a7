/**
 * What refers to an image: signatures, SBOMs, provenance. Asked of the referrers API, and where a registry has none, kept by
 * the client in an index under the tag the specification sets aside for it.
 *
 * @see distribution-spec v1.1, "Listing Referrers", "Referrers Tag Schema" and "Pushing Manifests with Subject"
 */
import { isEngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestHex, digestOf } from "../oci/digest.ts";
import { encodeIndex, type Index, parseIndex, parseManifestOrIndex } from "../oci/index.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import type { RegistryClient } from "./client.ts";
import { resolveLocation } from "./exchange.ts";
import { nextLink } from "./link.ts";
import { getManifest, putManifest, type RemoteDocument } from "./manifests.ts";
import type { RemoteRepository } from "./repository.ts";
import { toPull } from "./scope.ts";

/**
 * The manifests that have `subject` as their subject; none for an image nobody refers to.
 *
 * @param artifactType only these, filtered here as well for registries that do not
 */
export async function listReferrers(
  client: RegistryClient,
  where: RemoteRepository,
  subject: Digest,
  artifactType: string | undefined,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const found =
    (await askApi(client, where, subject, artifactType, signal)) ?? (await readTag(client, where, subject, signal));
  return found.filter((each) => artifactType === undefined || each.artifactType === artifactType);
}

/**
 * Stores a manifest that has a subject, by its digest, and makes sure it is found from there: by the registry when it says so,
 * else in the index under the subject's tag.
 */
export async function putReferrer(
  client: RegistryClient,
  where: RemoteRepository,
  document: RemoteDocument,
  signal: AbortSignal,
): Promise<void> {
  const { linksSubject } = await putManifest(client, where, document.descriptor.digest, document, signal);
  if (linksSubject) return;
  const parsed = parseManifestOrIndex(document.bytes, `manifest ${document.descriptor.digest}`);
  const referrer = parsed.kind === "manifest" ? parsed.manifest : parsed.index;
  if (referrer.subject === undefined) return;
  const { artifactType = parsed.kind === "manifest" ? parsed.manifest.config.mediaType : undefined, annotations } =
    referrer;
  const entry: Descriptor = {
    ...document.descriptor,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const subject = referrer.subject.digest;
  const known = await readTag(client, where, subject, signal);
  if (known.some((each) => each.digest === entry.digest)) return;
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...known, entry] };
  const bytes = encodeIndex(index);
  const descriptor = { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.byteLength };
  await putManifest(client, where, referrersTag(subject), { descriptor, bytes }, signal);
}

/** The tag the specification sets aside for the referrers of a digest. */
export function referrersTag(subject: Digest): string {
  return `${digestAlgorithm(subject)}-${digestHex(subject).slice(0, 64)}`;
}

/** The API's answer, all pages; undefined where the registry does not have it. */
async function askApi(
  client: RegistryClient,
  where: RemoteRepository,
  subject: Digest,
  artifactType: string | undefined,
  signal: AbortSignal,
): Promise<readonly Descriptor[] | undefined> {
  const { what, host: registry, repository } = where;
  const query = artifactType === undefined ? "" : `?${new URLSearchParams({ artifactType })}`;
  let target: string | URL | undefined = `${repository}/referrers/${subject}${query}`;
  const found: Descriptor[] = [];
  const seen = new Set<string>();
  while (target !== undefined) {
    const answer = await client.request(
      { what, registry, method: "GET", target, scopes: [toPull(repository)], accept: [200, 404, 400, 405, 501] },
      signal,
    );
    const type = answer.headers["content-type"];
    if (answer.status !== 200 || !String(type).startsWith(mediaTypes.ociIndex)) {
      await answer.discard();
      return undefined;
    }
    found.push(...parseIndex(await answer.read(maxManifestBytes), `referrers of ${subject}`).manifests);
    const link = nextLink(answer.headers["link"]);
    target =
      link === undefined
        ? undefined
        : resolveLocation(link, answer.url, { what, registry }, client.options.insecureRegistries);
    if (target instanceof URL && seen.has(target.href)) return found;
    if (target instanceof URL) seen.add(target.href);
  }
  return found;
}

async function readTag(
  client: RegistryClient,
  where: RemoteRepository,
  subject: Digest,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  try {
    const { bytes } = await getManifest(client, where, referrersTag(subject), signal);
    const document = parseManifestOrIndex(bytes, `referrers of ${subject}`);
    return document.kind === "index" ? document.index.manifests : [];
  } catch (error) {
    if (isEngineError(error, "REMOTE_NOT_FOUND")) return [];
    throw error;
  }
}

import { isDigest } from "../oci/digest.ts";
import { mediaTypes } from "../oci/mediaTypes.ts";
import { type Answer, json, refuse } from "./answer.ts";
import type { Content, RepositoryName } from "./content.ts";
import type { RegistryRequest } from "./request.ts";

/**
 * `GET …/tags/list`: sorted bytewise, in pages of `n` behind `last`.
 *
 * @see OCI distribution-spec 1.1, "Listing Tags"
 */
export async function listTags(content: Content, name: RepositoryName, request: RegistryRequest): Promise<Answer> {
  const all = await content.tags(name, request.signal);
  if (all === undefined) return refuse("NAME_UNKNOWN", `There is no repository ${name.path}.`);
  const { page, link } = pageOf(all, request.query, `/v2/${name.path}/tags/list`);
  return json(200, { name: name.path, tags: page }, link);
}

/** `GET /v2/_catalog`, which Docker's registry has and the specification reserves: all repositories, in pages. */
export function listRepositories(content: Content, request: RegistryRequest): Answer {
  const { page, link } = pageOf(content.repositories(), request.query, "/v2/_catalog");
  return json(200, { repositories: page }, link);
}

function pageOf(
  all: readonly string[],
  query: URLSearchParams,
  path: string,
): { readonly page: readonly string[]; readonly link: Readonly<Record<string, string>> } {
  const last = query.get("last");
  const rest = last === null ? all : all.filter((entry) => entry > last);
  const asked = query.get("n");
  const count = asked !== null && /^\d+$/.test(asked) ? Number(asked) : rest.length;
  const page = rest.slice(0, count);
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return { page, link: {} };
  return { page, link: { Link: `<${path}?n=${count}&last=${encodeURIComponent(end)}>; rel="next"` } };
}

/**
 * `GET …/referrers/<digest>`: an index of the manifests whose subject it is; empty, never 404, for an unknown one.
 *
 * @see OCI distribution-spec 1.1, "Listing Referrers"
 */
export async function listReferrers(
  content: Content,
  name: RepositoryName,
  digest: string,
  request: RegistryRequest,
): Promise<Answer> {
  if (!isDigest(digest)) return refuse("DIGEST_INVALID", `${digest} is not a digest.`);
  const all = await content.referrers(name, digest, request.signal);
  const wanted = request.query.get("artifactType");
  const manifests = wanted === null ? all : all.filter((entry) => entry.artifactType === wanted);
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  return json(200, index, {
    "Content-Type": mediaTypes.ociIndex,
    ...(wanted === null ? {} : { "OCI-Filters-Applied": "artifactType" }),
  });
}

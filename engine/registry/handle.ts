import { type Answer, json, refuse } from "./answer.ts";
import { deleteBlob, getBlob } from "./blobHandlers.ts";
import type { RepositoryName, WritableContent } from "./content.ts";
import { deleteManifest, getManifest, putManifest } from "./manifestHandlers.ts";
import type { RegistryRequest } from "./request.ts";
import { parseRoute, type Route } from "./route.ts";
import { listReferrers, listRepositories, listTags } from "./tagHandlers.ts";
import {
  cancelUpload,
  continueUpload,
  finishUpload,
  startUpload,
  type UploadSessions,
  uploadStatus,
} from "./uploadHandlers.ts";

/** Headers that every answer of a registry carries. */
const everyAnswer = { "Docker-Distribution-Api-Version": "registry/2.0", "X-Content-Type-Options": "nosniff" };

export interface Registry {
  readonly content: WritableContent;
  readonly sessions: UploadSessions;
  /** Whether anything may be written. */
  readonly readOnly: boolean;
  /** Whether a manifest may be pushed before its blobs. */
  readonly allowSparse: boolean;
}

/**
 * Answers one request; the whole registry is this function and what its content remembers.
 *
 * @param pathname path of the request's address, still percent-encoded
 * @see OCI distribution-spec 1.1
 */
export async function handle(registry: Registry, pathname: string, request: RegistryRequest): Promise<Answer> {
  const route = parseRoute(pathname);
  const answer = await routed(registry, route, request);
  return { ...answer, headers: { ...everyAnswer, ...answer.headers } };
}

async function routed(
  registry: Registry,
  route: Route | "badName" | undefined,
  request: RegistryRequest,
): Promise<Answer> {
  if (route === undefined) return refuse("UNSUPPORTED", "There is nothing at this address.", { status: 404 });
  if (route === "badName") return refuse("NAME_INVALID", "The repository's name is not valid.");
  if (route.kind === "ping") return json(200, {});
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (method !== "GET" && registry.readOnly) return refuse("UNSUPPORTED", "This registry is read-only.");
  if (route.kind === "catalog") {
    if (method === "GET") return listRepositories(registry.content, request);
    return refuse("UNSUPPORTED", `${method} is not supported here.`, { headers: { Allow: "GET" } });
  }
  const host = request.query.get("ns")?.toLowerCase();
  const name: RepositoryName = { path: route.repository, ...(host === undefined ? {} : { host }) };
  const answer = await inRepository(registry, route, name, method, request);
  return host === undefined ? answer : { ...answer, headers: { ...answer.headers, "OCI-Namespace": host } };
}

function inRepository(
  registry: Registry,
  route: Exclude<Route, { readonly kind: "ping" | "catalog" }>,
  name: RepositoryName,
  method: string,
  request: RegistryRequest,
): Promise<Answer> | Answer {
  const acts = actsOf(route, { ...registry, name, request });
  const act = acts[method];
  if (act !== undefined) return act();
  return refuse("UNSUPPORTED", `${method} is not supported here.`, {
    headers: { Allow: Object.keys(acts).join(", ") },
  });
}

interface Scene {
  readonly content: WritableContent;
  readonly sessions: UploadSessions;
  readonly name: RepositoryName;
  readonly request: RegistryRequest;
  readonly allowSparse: boolean;
}

type Acts = Readonly<Record<string, (() => Promise<Answer>) | undefined>>;

/** What can be done at an address, by method. */
function actsOf(route: Exclude<Route, { readonly kind: "ping" | "catalog" }>, scene: Scene): Acts {
  const { content, sessions, name, request } = scene;
  switch (route.kind) {
    case "blob":
      return {
        GET: () => getBlob(content, name, route.digest, request),
        DELETE: () => deleteBlob(content, name, route.digest, request),
      };
    case "manifest":
      return {
        GET: () => getManifest(content, name, route.reference, request),
        PUT: () => putManifest(content, name, route.reference, { ...request, allowSparse: scene.allowSparse }),
        DELETE: () => deleteManifest(content, name, route.reference, request),
      };
    case "tags":
      return { GET: () => listTags(content, name, request) };
    case "referrers":
      return { GET: () => listReferrers(content, name, route.digest, request) };
    case "newUpload":
      return { POST: () => startUpload(content, sessions, name, request) };
    case "upload":
      return {
        GET: () => uploadStatus(sessions, name, route.session),
        PATCH: () => continueUpload(sessions, name, route.session, request),
        PUT: () => finishUpload(sessions, name, route.session, request),
        DELETE: () => cancelUpload(sessions, name, route.session),
      };
    default:
      return route satisfies never;
  }
}

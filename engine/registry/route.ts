/**
 * What a request to a registry asks for, told from its method and address alone.
 *
 * @see OCI distribution-spec 1.1, "Endpoints"
 */
export type Route =
  | { readonly kind: "ping" }
  | { readonly kind: "blob"; readonly repository: string; readonly digest: string }
  | { readonly kind: "manifest"; readonly repository: string; readonly reference: string }
  | { readonly kind: "tags"; readonly repository: string }
  | { readonly kind: "referrers"; readonly repository: string; readonly digest: string }
  | { readonly kind: "newUpload"; readonly repository: string }
  | { readonly kind: "upload"; readonly repository: string; readonly session: string }
  | { readonly kind: "catalog" };

const part = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const namePattern = new RegExp(`^${part}(?:/${part})*$`);
/** Together with a host of usual length a longer name exceeds what clients accept. */
const longestName = 255;

/** A path that is no endpoint is `undefined`; a repository name that breaks the grammar is `"badName"`. */
export function parseRoute(pathname: string): Route | "badName" | undefined {
  const path = decoded(pathname);
  if (path === "/v2/" || path === "/v2") return { kind: "ping" };
  if (path === undefined || !path.startsWith("/v2/")) return undefined;
  if (path === "/v2/_catalog") return { kind: "catalog" };
  const route = endpoint(path.slice("/v2/".length));
  if (route === undefined) return undefined;
  return namePattern.test(route.repository) && route.repository.length <= longestName ? route : "badName";
}

/** The last words of the path tell the endpoint, because a repository's name may hold any of them too. */
function endpoint(path: string): Exclude<Route, { readonly kind: "ping" | "catalog" }> | undefined {
  const words = path.split("/");
  const last = words.at(-1) ?? "";
  const before = words.at(-2);
  const name = (drop: number): string => words.slice(0, -drop).join("/");
  if (before === "blobs" && words.length > 2 && last !== "uploads")
    return { kind: "blob", repository: name(2), digest: last };
  if (before === "manifests" && words.length > 2) return { kind: "manifest", repository: name(2), reference: last };
  if (before === "referrers" && words.length > 2) return { kind: "referrers", repository: name(2), digest: last };
  if (before === "tags" && last === "list" && words.length > 2) return { kind: "tags", repository: name(2) };
  if (before === "blobs" && last === "uploads") return { kind: "newUpload", repository: name(2) };
  if (words.at(-3) !== "blobs" || before !== "uploads") return undefined;
  return last === ""
    ? { kind: "newUpload", repository: name(3) }
    : { kind: "upload", repository: name(3), session: last };
}

function decoded(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

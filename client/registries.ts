import { shortReference } from "./references.ts";

const dockerHub = new Set(["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]);

/**
 * The registry somebody means, as references write it: `host[:port]`, `docker.io` for Docker Hub. A scheme and a path are left out.
 * `undefined` for what is no host.
 */
export function registryOf(written: string): string | undefined {
  const host = written
    .trim()
    .replace(/^https?:\/\//i, "")
    .replace(/\/.*$/, "")
    .toLowerCase();
  if (dockerHub.has(host)) return "docker.io";
  return /^(?:\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d{1,5})?$/.test(host) ? host : undefined;
}

/** The registry a reference names: its first part when that looks like a host, else Docker Hub. */
export function registryOfReference(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return (isHost ? registryOf(first) : undefined) ?? "docker.io";
}

/** Whether an image's name says where it belongs: it names a registry, or an account of Docker Hub. */
function hasHome(reference: string): boolean {
  return !/^(?:docker\.io\/library\/|localhost\/|sha256:)/.test(reference);
}

/**
 * Where an image most likely goes: to its own name when that names a registry, else below where the last push went or where there is
 * one login, else nowhere yet.
 *
 * @param reference normalised, or a digest
 * @param lastDestination what the last push was sent to
 * @param loggedIn registries there is a login for
 */
export function suggestedDestination(
  reference: string,
  lastDestination: string | undefined,
  loggedIn: readonly string[],
): string {
  if (hasHome(reference)) return reference;
  const isUnnamed = reference.startsWith("sha256:");
  const name = isUnnamed ? "" : shortReference(reference).replace(/^localhost\//, "");
  const below = lastDestination === undefined ? undefined : lastDestination.replace(/\/?[^/]*$/, "");
  const [only, ...others] = loggedIn;
  const place = below || (others.length === 0 && only !== "docker.io" ? only : undefined);
  return place ? `${place}/${name}` : name;
}

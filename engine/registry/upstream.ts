import type { RepositoryName } from "./content.ts";

/** Where a request that this registry cannot answer itself belongs. */
export interface Upstream {
  /** Host of the registry as it stands in image names, `docker.io` for Docker Hub: what names are kept under. */
  readonly host: string;
  /** Repository at that registry. */
  readonly repository: string;
}

/**
 * The upstream a request means: the host the client names (`?ns=`, as containerd sends it), else a first path part that looks like a
 * host (as CRI-O and podman send it), else Docker Hub. No configuration is needed for any of them.
 *
 * A port cannot stand in a repository's name; `host_5000_` stands for `host:5000`, as in containerd's folders.
 *
 * @see OCI distribution-spec, "Registry Proxying"
 */
export function upstreamOf(name: RepositoryName): Upstream {
  if (name.host !== undefined) return normalised(name.host, name.path);
  const slash = name.path.indexOf("/");
  const first = slash === -1 ? "" : name.path.slice(0, slash);
  const host = hostOfPart(first);
  return host === undefined ? normalised("docker.io", name.path) : normalised(host, name.path.slice(slash + 1));
}

/** One reading of a repository's name: below a host, or, where nothing says which, below any. */
export interface ReadName {
  readonly host?: string;
  readonly repository: string;
}

/**
 * All readings of a request's name, the likeliest first: content that is at hand is looked for under each, while a mirror asks the
 * upstream of the first alone (`upstreamOf`).
 */
export function readingsOf(name: RepositoryName): readonly ReadName[] {
  if (name.host !== undefined) return [upstreamOf(name)];
  const { path } = name;
  const named = hostOfPart(path.slice(0, Math.max(0, path.indexOf("/"))));
  if (named !== undefined) return [upstreamOf(name), { repository: path }];
  return path.includes("/") ? [{ repository: path }] : [{ repository: path }, upstreamOf(name)];
}

/** Whether a request says which host it means; where it does not, Docker Hub is a guess. */
export function namesHost(name: RepositoryName): boolean {
  return name.host !== undefined || hostOfPart(name.path.slice(0, Math.max(0, name.path.indexOf("/")))) !== undefined;
}

/** A host as the first part of a repository's name: what `upstreamOf` reads back. */
export function hostPart(host: string): string {
  return host.replace(/:(\d+)$/, "_$1_");
}

function hostOfPart(part: string): string | undefined {
  const ported = /^(.+)_(\d+)_$/.exec(part);
  if (ported !== null) return `${ported[1]}:${ported[2]}`;
  return part.includes(".") || part === "localhost" ? part : undefined;
}

function normalised(host: string, repository: string): Upstream {
  const bare = host.toLowerCase().replace(/:443$/, "");
  const isHub = ["docker.io", "index.docker.io", "registry-1.docker.io"].includes(bare);
  if (!isHub) return { host: bare, repository };
  return { host: "docker.io", repository: repository.includes("/") ? repository : `library/${repository}` };
}

/** The name of an upstream's image as people write it. */
export function imageName(upstream: Upstream, reference: string): string {
  return `${upstream.host}/${upstream.repository}${reference.includes(":") ? "@" : ":"}${reference}`;
}

/**
 * Where a registry is reached, and in which scheme it may be spoken to. Plain HTTP is for loopback and for registries the
 * user named insecure; nothing else is ever downgraded.
 */

/** The name under which images of Docker Hub are written, and the host that answers for it. */
const dockerHub = "docker.io";
const dockerHubHost = "registry-1.docker.io";

/** How one registry may be reached. `host` is `name[:port]` as it goes into a URL. */
export interface Endpoint {
  /** As written in references: the key for credentials, certificates and messages. */
  readonly registry: string;
  readonly host: string;
  /** The schemes allowed, in the order they are tried. */
  readonly schemes: readonly ["https"] | readonly ["https", "http"];
  /** False only where the user named the registry insecure. */
  readonly verifyTls: boolean;
}

/**
 * The endpoint of a registry.
 *
 * @param registry `host[:port]` of a reference, `docker.io` for Docker Hub
 * @param insecureRegistries registries the user named insecure, `host` or `host:port`
 */
export function endpointOf(registry: string, insecureRegistries: readonly string[]): Endpoint {
  const host = isDockerHub(registry) ? dockerHubHost : registry;
  const insecure = isNamed(registry, insecureRegistries);
  const schemes = insecure || isLoopback(hostName(host)) ? (["https", "http"] as const) : (["https"] as const);
  return { registry, host, schemes, verifyTls: !insecure };
}

/** Whether a registry is Docker Hub under one of its names. */
export function isDockerHub(registry: string): boolean {
  return registry === dockerHub || registry === "index.docker.io" || registry === dockerHubHost;
}

/** `host[:port]` without its port and without the brackets of an IPv6 address. */
export function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(host);
  if (bracketed?.[1] !== undefined) return bracketed[1].toLowerCase();
  return host.replace(/:\d+$/, "").toLowerCase();
}

/** Whether a host name or address can only mean this machine: `localhost`, `*.localhost`, 127.0.0.0/8 and ::1. */
export function isLoopback(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/** Whether plain HTTP may be spoken to a host: loopback, or named insecure by the user. */
export function mayUsePlainHttp(host: string, insecureRegistries: readonly string[]): boolean {
  return isLoopback(hostName(host)) || isNamed(host, insecureRegistries);
}

/** Whether the user named this registry: with its port, or by host name for all its ports. */
function isNamed(registry: string, names: readonly string[]): boolean {
  const bare = hostName(registry);
  return names.some((name) => name.toLowerCase() === registry.toLowerCase() || name.toLowerCase() === bare);
}

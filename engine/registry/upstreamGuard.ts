import { BlockList, isIP } from "node:net";
import { EngineError } from "../errors.ts";

/**
 * Addresses that a registry must not be talked into asking for a stranger: this machine, its neighbours and its metadata service.
 * An upstream that the user named is trusted.
 */
const inner = new BlockList();
for (const [address, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const)
  inner.addSubnet(address, prefix, "ipv4");
for (const [address, prefix] of [
  ["::", 127],
  ["64:ff9b::", 96],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const)
  inner.addSubnet(address, prefix, "ipv6");

/** Whether an IP address belongs to this machine or a private network. An address that cannot be read counts as such. */
export function isInnerAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isInnerAddress(mapped);
  return inner.check(address, family === 4 ? "ipv4" : "ipv6");
}

export interface UpstreamRules {
  /** Hosts the user named, with where they really are; always allowed. */
  readonly named: ReadonlyMap<string, string>;
  /** When given, only these hosts (and the named ones) may be asked. `*.example.com` stands for all below. */
  readonly allow?: readonly string[];
  /** Never asked. */
  readonly deny: readonly string[];
}

/** Why a host may not be asked, from its name alone; `undefined` when it may. What it resolves to is checked at connection. */
export function refusedHost(host: string, rules: UpstreamRules): string | undefined {
  if (rules.deny.some((pattern) => matchesHost(pattern, host))) return `${host} is on the deny list`;
  if (rules.named.has(host)) return undefined;
  if (rules.allow !== undefined && !rules.allow.some((pattern) => matchesHost(pattern, host)))
    return `${host} is not on the allow list`;
  const [name = "", port] = splitPort(host);
  if (port !== undefined && port !== "443") return `${host} is not on port 443; name it as an upstream to allow it`;
  if (name === "localhost" || name.endsWith(".localhost") || !name.includes("."))
    return `${host} is no public host; name it as an upstream to allow it`;
  if (isIP(name) !== 0 && isInnerAddress(name))
    return `${host} is a private address; name it as an upstream to allow it`;
  return undefined;
}

/**
 * What a mirror's client asks before it connects: a public name that leads to a private address is refused, be it by DNS, a redirect or
 * a token server. Where the user said an upstream is, anything goes.
 */
export function addressGuard(
  named: ReadonlyMap<string, string>,
): (host: string, address: string) => EngineError | undefined {
  const trusted = new Set([...named.values()].map((host) => host.toLowerCase()));
  return (host, address) => {
    if (trusted.has(host.toLowerCase()) || !isInnerAddress(address)) return undefined;
    const reason = `it leads to the private address ${address}; name it as an upstream to allow it`;
    return new EngineError("MIRROR_REFUSED", { what: `connect to ${host}`, reason });
  };
}

function splitPort(host: string): readonly [string, string | undefined] {
  const parsed = /^(.*?)(?::(\d+))?$/.exec(host);
  return [(parsed?.[1] ?? host).replace(/^\[|\]$/g, ""), parsed?.[2]];
}

function matchesHost(pattern: string, host: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : pattern === host;
}

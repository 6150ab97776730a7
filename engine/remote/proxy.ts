/**
 * Which proxy a request goes through, by the rules curl and Go share: HTTPS_PROXY and HTTP_PROXY by scheme, ALL_PROXY for
 * both, NO_PROXY for exceptions, and never a proxy for loopback. The environment is handed in; nothing here reads it.
 */
import { BlockList, isIP } from "node:net";
import { EngineError } from "../errors.ts";
import { hostName, isLoopback } from "./endpoint.ts";

/** The variables that name proxies, as an entry point found them. Lower-case names win, as in curl. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL, or undefined for a direct connection.
 *
 * @throws EngineError PROXY_INVALID when the variable that applies holds no http:// or https:// address
 */
export function proxyFor(url: URL, environment: ProxyEnvironment): URL | undefined {
  const name = hostName(url.host);
  if (isLoopback(name)) return undefined;
  const variable = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const written = lookUp(environment, variable) ?? lookUp(environment, "ALL_PROXY");
  if (written === undefined || isExcepted(name, portOf(url), lookUp(environment, "NO_PROXY") ?? "")) return undefined;
  return parseProxy(written, variable);
}

function lookUp(environment: ProxyEnvironment, name: string): string | undefined {
  return environment[name.toLowerCase()] || environment[name] || undefined;
}

function parseProxy(written: string, variable: string): URL {
  const text = written.includes("://") ? written : `http://${written}`;
  // The value may hold a password: the error names the variable, never what is in it.
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") throw new EngineError("PROXY_INVALID", { variable });
  return url;
}

function portOf(url: URL): string {
  return url.port || (url.protocol === "https:" ? "443" : "80");
}

/** Whether NO_PROXY covers a host: `*`, `name` and `.name` with all below it, `name:port`, an address, or a CIDR range. */
function isExcepted(name: string, port: string, noProxy: string): boolean {
  return noProxy
    .split(/[\s,]+/)
    .filter((rule) => rule !== "")
    .some((rule) => covers(rule.toLowerCase(), name, port));
}

function covers(rule: string, name: string, port: string): boolean {
  if (rule === "*") return true;
  const range = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(rule);
  if (range?.[1] !== undefined && range[2] !== undefined) return inRange(name, range[1], Number(range[2]));
  const withPort = /^(.*):(\d+)$/.exec(rule);
  const ported = withPort !== null && isIP(rule) === 0;
  if (ported && withPort[2] !== port) return false;
  const bare = hostName(ported ? (withPort[1] ?? "") : rule).replace(/^\*?\./, ".");
  if (bare.startsWith(".")) return name.endsWith(bare);
  return name === bare || (isIP(name) === 0 && name.endsWith(`.${bare}`));
}

function inRange(address: string, network: string, prefix: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(address) !== family || prefix > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(address, type);
}

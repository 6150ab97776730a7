/** The connections of a client: one pool per origin, with its proxy, certificates and limits. */
import { lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { SecureContext } from "node:tls";
import { Agent, type Dispatcher, ProxyAgent } from "undici";
import type { EngineError } from "../errors.ts";
import { readCertificates, secureContext } from "./certificates.ts";
import { endpointOf, hostName } from "./endpoint.ts";
import { type ProxyEnvironment, proxyFor } from "./proxy.ts";

/** What a pool needs to know. Times in milliseconds. */
export interface ConnectionOptions {
  readonly environment: ProxyEnvironment;
  /** `certs.d` folders, in order of precedence. */
  readonly certificateDirs: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly connectionsPerHost: number;
  readonly connectTimeoutMs: number;
  /**
   * Why a connection may not be made to an address that a host was found to have; asked for every host, those of redirects and token
   * servers too. Behind a proxy only the proxy knows what a name means: there, only addresses written as such are asked about.
   */
  readonly refuseAddress?: RefuseAddress;
}

/** @param host `name[:port]` of the URL @param address the IP address to connect to */
export type RefuseAddress = (host: string, address: string) => EngineError | undefined;

/** How TLS is done; nothing for plain HTTP. */
interface Tls {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: boolean;
}

/** Opens pools when they are first needed and keeps them until it is disposed of. */
export class Connections implements AsyncDisposable {
  readonly #options: ConnectionOptions;
  readonly #pools = new Map<string, Promise<Dispatcher>>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /**
   * The pool for a URL.
   *
   * @param registry whose certificates apply: the registry's own name for its hosts, else `host[:port]` of the URL
   * @throws EngineError PROXY_INVALID, CERTIFICATE_UNREADABLE
   */
  poolFor(url: URL, registry: string): Promise<Dispatcher> {
    const key = `${url.origin} ${registry}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = this.#open(url, registry);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /**
   * A pool that only finds out whether TLS is spoken: it trusts whoever answers, so nothing it hears may be used and nothing secret be sent.
   * Loading the roots to check a certificate would take longer than the question.
   */
  async probeFor(url: URL): Promise<Dispatcher> {
    this.#check(url);
    const key = `probe ${url.origin}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return await known;
    const pool = this.#connect(url, { rejectUnauthorized: false }, {});
    this.#pools.set(key, Promise.resolve(pool));
    return pool;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pools = await Promise.allSettled(this.#pools.values());
    this.#pools.clear();
    await Promise.all(pools.map((pool) => (pool.status === "fulfilled" ? pool.value.destroy() : undefined)));
  }

  async #open(url: URL, registry: string): Promise<Dispatcher> {
    this.#check(url);
    const proxy = proxyFor(url, this.#options.environment);
    const tls = url.protocol === "https:" ? await this.#tls(registry) : {};
    const proxyTls = proxy?.protocol === "https:" ? await this.#tls(proxy.host) : {};
    return this.#connect(url, tls, proxyTls);
  }

  /** An address written as such is refused before anything is opened. */
  #check(url: URL): void {
    const written = hostName(url.host);
    const refusal = isIP(written) === 0 ? undefined : this.#options.refuseAddress?.(url.host, written);
    if (refusal !== undefined) throw refusal;
  }

  #connect(url: URL, tls: Tls, proxyTls: Tls): Dispatcher {
    const { environment, connectionsPerHost, connectTimeoutMs: timeout, refuseAddress: refuse } = this.#options;
    const proxy = proxyFor(url, environment);
    const limits = { connections: connectionsPerHost, pipelining: 1 };
    if (proxy === undefined) {
      const checked = refuse === undefined ? {} : { lookup: checkedLookup(url.host, refuse) };
      return new Agent({ ...limits, connect: { ...tls, ...checked, timeout } });
    }
    const { href: uri } = proxy;
    return new ProxyAgent({ ...limits, uri, requestTls: { ...tls, timeout }, proxyTls: { ...proxyTls, timeout } });
  }

  async #tls(registry: string): Promise<Tls> {
    const certificates = await readCertificates(this.#options.certificateDirs, registry);
    const { verifyTls } = endpointOf(registry, this.#options.insecureRegistries);
    return { secureContext: secureContext(certificates), rejectUnauthorized: verifyTls };
  }
}

/** Looks a name up and connects to nothing when one of its addresses is refused: the address that was checked is the one that is used. */
function checkedLookup(host: string, refuse: RefuseAddress): LookupFunction {
  return (name, options, callback) => {
    lookup(name, { ...options, all: true }, (error, addresses) => {
      const refusal = addresses?.map(({ address }) => refuse(host, address)).find((found) => found !== undefined);
      const failure = error ?? refusal ?? null;
      if (failure !== null || options.all === true) callback(failure, addresses ?? []);
      else callback(null, addresses[0]?.address ?? "", addresses[0]?.family ?? 4);
    });
  };
}

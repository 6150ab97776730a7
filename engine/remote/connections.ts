/** The connections of a client: one pool per origin, with its proxy, certificates and limits. */
import type { SecureContext } from "node:tls";
import { Agent, type Dispatcher, ProxyAgent } from "undici";
import { readCertificates, secureContext } from "./certificates.ts";
import { endpointOf } from "./endpoint.ts";
import { type ProxyEnvironment, proxyFor } from "./proxy.ts";

/** What a pool needs to know. Times in milliseconds. */
export interface ConnectionOptions {
  readonly environment: ProxyEnvironment;
  /** `certs.d` folders, in order of precedence. */
  readonly certificateDirs: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly connectionsPerHost: number;
  readonly connectTimeoutMs: number;
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

  async [Symbol.asyncDispose](): Promise<void> {
    const pools = await Promise.allSettled(this.#pools.values());
    this.#pools.clear();
    await Promise.all(pools.map((pool) => (pool.status === "fulfilled" ? pool.value.destroy() : undefined)));
  }

  async #open(url: URL, registry: string): Promise<Dispatcher> {
    const proxy = proxyFor(url, this.#options.environment);
    const tls = url.protocol === "https:" ? await this.#tls(registry) : {};
    const limits = { connections: this.#options.connectionsPerHost, pipelining: 1 };
    const timeout = this.#options.connectTimeoutMs;
    if (proxy === undefined) return new Agent({ ...limits, connect: { ...tls, timeout } });
    const proxyTls = proxy.protocol === "https:" ? await this.#tls(proxy.host) : {};
    return new ProxyAgent({
      ...limits,
      uri: proxy.href,
      requestTls: { ...tls, timeout },
      proxyTls: { ...proxyTls, timeout },
    });
  }

  async #tls(registry: string): Promise<{ secureContext: SecureContext; rejectUnauthorized: boolean }> {
    const certificates = await readCertificates(this.#options.certificateDirs, registry);
    const { verifyTls } = endpointOf(registry, this.#options.insecureRegistries);
    return { secureContext: secureContext(certificates), rejectUnauthorized: verifyTls };
  }
}

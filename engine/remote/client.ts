/**
 * The registry client: authorized, retried requests to any number of registries. The verbs of the protocol are functions on
 * it, one file each: `manifests.ts`, `blobs.ts`, `uploads.ts`, `tags.ts`, `referrers.ts`.
 */
import { EngineError, isEngineError } from "../errors.ts";
import { Authorization } from "./authorization.ts";
import { Connections, type RefuseAddress } from "./connections.ts";
import type { CredentialSource } from "./credentials.ts";
import { type Endpoint, endpointOf, mayUsePlainHttp } from "./endpoint.ts";
import { type Answer, type ExchangeContext, exchange, type Method, type RequestBody } from "./exchange.ts";
import { failureOf, mayBePlainHttp } from "./failure.ts";
import type { ProxyEnvironment } from "./proxy.ts";
import { type RateLimit, rateLimitOf } from "./rateLimit.ts";
import { pause, waitAfter } from "./retry.ts";
import type { Scope } from "./scope.ts";
import { parseToken, type Token, tokenRequest } from "./token.ts";

/** All a client needs from outside. Times in milliseconds. */
export interface RegistryClientOptions {
  readonly credentials: CredentialSource;
  /** HTTPS_PROXY, NO_PROXY and their kin, as the entry point found them. */
  readonly environment: ProxyEnvironment;
  /** `certs.d` folders of docker and containers, in order of precedence. */
  readonly certificateDirs: readonly string[];
  /** Registries the user named insecure: plain HTTP and unverified TLS are allowed there, and nowhere else. */
  readonly insecureRegistries: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** `kubefile/1.2.3`. */
  readonly userAgent: string;
  /** Parallel requests to one host. */
  readonly connectionsPerHost: number;
  /** Waits between tries; as many retries as it has entries. */
  readonly retryDelaysMs: readonly number[];
  readonly connectTimeoutMs: number;
  /** Longest wait for the start of an answer. */
  readonly answerTimeoutMs: number;
  /** Longest silence in the middle of a transfer, and the window in which `slowestBytes` must come. */
  readonly idleTimeoutMs: number;
  readonly slowestBytes: number;
  /** Which addresses are not connected to, for a client that asks where strangers send it. */
  readonly refuseAddress?: RefuseAddress;
}

/** What most callers want: four connections a host, five tries over ten seconds. */
export const defaultTransport: Pick<
  RegistryClientOptions,
  "connectionsPerHost" | "retryDelaysMs" | "connectTimeoutMs" | "answerTimeoutMs" | "idleTimeoutMs" | "slowestBytes"
> = {
  connectionsPerHost: 4,
  retryDelaysMs: [250, 1000, 3000, 6000],
  connectTimeoutMs: 10_000,
  answerTimeoutMs: 60_000,
  idleTimeoutMs: 30_000,
  slowestBytes: 4096,
};

/** A request in the protocol's terms. */
export interface RegistryRequest {
  /** What is being done, in words, for errors: `pull ghcr.io/a/b:1`. */
  readonly what: string;
  /** `host[:port]` as written in references. */
  readonly registry: string;
  readonly method: Method;
  /** Path below `/v2/` with its query, or a URL the registry gave (an upload's location). */
  readonly target: string | URL;
  readonly scopes: readonly Scope[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** Statuses that are answers; any other is an error. */
  readonly accept: readonly number[];
  /** Instead of the client's own, for requests after which a registry has much to do. */
  readonly answerTimeoutMs?: number;
}

const tokenAnswerLimitBytes = 1024 * 1024;
const errorBodyLimitBytes = 64 * 1024;

/** Opens connections as they are needed; dispose of it to close them. Safe for any number of concurrent requests. */
export class RegistryClient implements AsyncDisposable {
  readonly options: RegistryClientOptions;
  readonly #context: ExchangeContext;
  readonly #authorization: Authorization;
  readonly #schemes = new Map<string, Promise<"https" | "http">>();
  /** Registries that answered once: one that then cannot be reached is restarting, not misspelt. */
  readonly #answered = new Set<string>();
  readonly #rateLimits = new Map<string, RateLimit>();

  constructor(options: RegistryClientOptions) {
    this.options = options;
    this.#context = {
      connections: new Connections(options),
      insecureRegistries: options.insecureRegistries,
      idleTimeoutMs: options.idleTimeoutMs,
      slowestBytes: options.slowestBytes,
    };
    this.#authorization = new Authorization(
      options.credentials,
      (...request) => this.#fetchToken(...request),
      options.now,
    );
  }

  /** The last rate limit a registry told of, if it did. */
  rateLimit(registry: string): RateLimit | undefined {
    return this.#rateLimits.get(registry);
  }

  /**
   * Sends a request until it is answered with an accepted status, trying again as errors and schedule allow. A stream is
   * sent once: when it breaks, the error comes back at once for the caller to go on from what the registry kept.
   *
   * @throws EngineError any REMOTE_ code, and what credential sources throw
   */
  async request(request: RegistryRequest, signal: AbortSignal): Promise<Answer> {
    const retries = request.body?.kind === "stream" ? [] : this.options.retryDelaysMs;
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await this.#attempt(request, signal);
      } catch (error) {
        signal.throwIfAborted();
        const delay = this.#isFinal(error, request) ? undefined : waitAfter(error, attempt, retries);
        if (delay === undefined) throw error;
        await pause(delay, signal);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.connections[Symbol.asyncDispose]();
  }

  #isFinal(error: unknown, request: RegistryRequest): boolean {
    if (!(error instanceof EngineError)) return true;
    return error.code === "REMOTE_UNREACHABLE" && !this.#answered.has(request.registry);
  }

  async #attempt(request: RegistryRequest, signal: AbortSignal): Promise<Answer> {
    const { registry } = request;
    const url = await this.#urlOf(request, signal);
    let authorization = await this.#authorizationFor(request, url, signal);
    let answer = await this.#send(request, url, authorization, signal);
    if (answer.status === 401 && answer.url.origin === url.origin) {
      this.#authorization.challenged(registry, answer.headers["www-authenticate"], authorization);
      const renewed = request.body?.kind === "stream" ? undefined : await this.#authorizationFor(request, url, signal);
      if (renewed !== undefined && renewed !== authorization) {
        await answer.discard();
        authorization = renewed;
        answer = await this.#send(request, url, authorization, signal);
      }
    }
    this.#answered.add(registry);
    this.#learnRateLimit(registry, answer);
    if (request.accept.includes(answer.status)) return answer;
    throw await this.#failure(request, answer, authorization !== undefined);
  }

  /** Our authorization is for the registry's own origin: an upload may be led to a store elsewhere, which must not see it. */
  async #authorizationFor(request: RegistryRequest, url: URL, signal: AbortSignal): Promise<string | undefined> {
    const home = await this.#baseUrl(request.registry, request.what, signal);
    if (url.origin !== home.origin) return undefined;
    return await this.#authorization.header(request.registry, request.scopes, signal);
  }

  async #send(
    request: RegistryRequest,
    url: URL,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { what, registry, method, body } = request;
    return await exchange(
      {
        what,
        registry,
        method,
        url,
        headers: { "user-agent": this.options.userAgent, ...request.headers },
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { body }),
        answerTimeoutMs: request.answerTimeoutMs ?? this.options.answerTimeoutMs,
      },
      this.#context,
      signal,
    );
  }

  async #urlOf(request: RegistryRequest, signal: AbortSignal): Promise<URL> {
    if (request.target instanceof URL) return request.target;
    return new URL(`/v2/${request.target}`, await this.#baseUrl(request.registry, request.what, signal));
  }

  async #baseUrl(registry: string, what: string, signal: AbortSignal): Promise<URL> {
    const endpoint = endpointOf(registry, this.options.insecureRegistries);
    const scheme = endpoint.schemes.length === 1 ? "https" : await this.#schemeOf(endpoint, what, signal);
    if (!URL.canParse(`${scheme}://${endpoint.host}/`)) {
      throw new EngineError("REMOTE_UNREACHABLE", { what, host: endpoint.host, reason: "it is not a host name" });
    }
    return new URL(`${scheme}://${endpoint.host}/`);
  }

  /** Where plain HTTP is allowed at all, one question finds out whether TLS is spoken; the answer is kept. */
  async #schemeOf(endpoint: Endpoint, what: string, signal: AbortSignal): Promise<"https" | "http"> {
    const known = this.#schemes.get(endpoint.registry);
    if (known !== undefined) return await known;
    const asked = this.#askScheme(endpoint, what, signal);
    this.#schemes.set(endpoint.registry, asked);
    try {
      return await asked;
    } catch (error) {
      this.#schemes.delete(endpoint.registry);
      throw error;
    }
  }

  async #askScheme(endpoint: Endpoint, what: string, signal: AbortSignal): Promise<"https" | "http"> {
    const url = new URL(`https://${endpoint.host}/v2/`);
    const { answerTimeoutMs } = this.options;
    try {
      const answer = await exchange(
        {
          what,
          registry: endpoint.registry,
          method: "GET",
          url,
          headers: { "user-agent": this.options.userAgent },
          answerTimeoutMs,
          probe: true,
        },
        this.#context,
        signal,
      );
      await answer.discard();
      return "https";
    } catch (error) {
      if (error instanceof EngineError && mayBePlainHttp(error.cause)) return "http";
      // Whatever else broke, it broke in TLS: the request itself, with our certificates, tells what it was.
      if (isEngineError(error, "REMOTE_INTERRUPTED") || isEngineError(error, "REMOTE_TLS_UNTRUSTED")) return "https";
      throw error;
    }
  }

  #learnRateLimit(registry: string, answer: Answer): void {
    const limit = rateLimitOf(answer.headers);
    if (limit !== undefined) this.#rateLimits.set(registry, limit);
  }

  async #failure(request: RegistryRequest, answer: Answer, authorized: boolean): Promise<EngineError> {
    const body = await answer.read(errorBodyLimitBytes).catch(() => new Uint8Array());
    const { what, registry } = request;
    const failed = { what, registry, status: answer.status, headers: answer.headers, nowMs: this.options.now() };
    const error = failureOf({ ...failed, body: Buffer.from(body).toString("utf8") });
    if (error.code !== "REMOTE_UNAUTHORIZED" || authorized) return error;
    return new EngineError("REMOTE_UNAUTHORIZED", { what, registry, reason: "no credentials for it are known" });
  }

  async #fetchToken(
    registry: string,
    challenge: Parameters<typeof tokenRequest>[0],
    scopes: readonly string[],
    credential: Parameters<typeof tokenRequest>[2],
    signal: AbortSignal,
  ): Promise<Token> {
    const what = `log in to ${registry}`;
    if (!URL.canParse(challenge.realm)) {
      throw new EngineError("REMOTE_PROTOCOL", {
        what,
        registry,
        reason: "the realm of its challenge is not an address",
      });
    }
    const request = tokenRequest(challenge, scopes, credential, "kubefile");
    const { url, method, headers } = request;
    const insecure = this.options.insecureRegistries;
    const home = endpointOf(registry, insecure).host;
    // A registry named insecure, or one on loopback, may have its token server beside it; nobody else's may be plain HTTP.
    const plain = mayUsePlainHttp(home, insecure) && mayUsePlainHttp(url.host, insecure);
    if (url.protocol !== "https:" && !(url.protocol === "http:" && plain)) {
      throw new EngineError("REMOTE_REDIRECT_REFUSED", {
        what,
        host: url.host,
        reason: "its token server is not reached over TLS, and no credential is sent in the clear",
      });
    }
    const outgoing = {
      what,
      registry: url.host,
      method,
      url,
      headers: { "user-agent": this.options.userAgent, ...headers },
      answerTimeoutMs: this.options.answerTimeoutMs,
      ...(request.body === undefined ? {} : { body: { kind: "bytes", bytes: Buffer.from(request.body) } as const }),
    };
    const answer = await exchange(outgoing, this.#context, signal);
    if (answer.status === 200) {
      const text = Buffer.from(await answer.read(tokenAnswerLimitBytes)).toString("utf8");
      return parseToken(text, this.options.now(), what, registry);
    }
    throw await this.#tokenFailure(registry, scopes, answer, credential !== undefined);
  }

  async #tokenFailure(
    registry: string,
    scopes: readonly string[],
    answer: Answer,
    known: boolean,
  ): Promise<EngineError> {
    const what = `log in to ${registry}`;
    const body = Buffer.from(await answer.read(errorBodyLimitBytes).catch(() => new Uint8Array())).toString("utf8");
    const error = failureOf({
      what,
      registry,
      status: answer.status,
      headers: answer.headers,
      body,
      nowMs: this.options.now(),
    });
    if (error.retryable) return error;
    const reason = known
      ? `its token server refuses the credentials kept for it (status ${answer.status})`
      : `its token server gives strangers no token for ${scopes.join(" ") || "it"} (status ${answer.status})`;
    return new EngineError("REMOTE_UNAUTHORIZED", { what, registry, reason }, { cause: error });
  }
}

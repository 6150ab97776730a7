/**
 * The `Authorization` header for each request: nothing until a registry asks, then what it asked for, remembered per
 * registry, and tokens per registry and scope.
 */
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Credential, CredentialSource } from "./credentials.ts";
import { formatScope, type Scope } from "./scope.ts";
import { basicAuthorization, type Token } from "./token.ts";

type BearerChallenge = Extract<Challenge, { kind: "bearer" }>;

/** Fetches one token; see `token.ts`. */
export type FetchToken = (
  registry: string,
  challenge: BearerChallenge,
  scopes: readonly string[],
  credential: Exclude<Credential, { kind: "registryToken" }> | undefined,
  signal: AbortSignal,
) => Promise<Token>;

interface Grant {
  readonly token: Promise<Token>;
  /** The header the token became, once it is there: what a rejected request was sent with. */
  header?: string;
}

/** Holds challenges and tokens for the lifetime of a client. Concurrent requests of one scope share one token. */
export class Authorization {
  readonly #credentials: CredentialSource;
  readonly #fetchToken: FetchToken;
  readonly #now: () => number;
  readonly #challenges = new Map<string, Challenge>();
  readonly #grants = new Map<string, Grant>();

  constructor(credentials: CredentialSource, fetchToken: FetchToken, now: () => number) {
    this.#credentials = credentials;
    this.#fetchToken = fetchToken;
    this.#now = now;
  }

  /**
   * The header to send, or undefined where the registry has not asked for any or we know no credential.
   *
   * @param scopes the first one names the repository whose credential is used
   */
  async header(registry: string, scopes: readonly Scope[], signal: AbortSignal): Promise<string | undefined> {
    const challenge = this.#challenges.get(registry);
    if (challenge === undefined) return undefined;
    if (challenge.kind === "bearer") return await this.#bearer(registry, challenge, scopes, signal);
    const credential = await this.#credentials.find(registry, scopes[0]?.repository, signal);
    if (credential === undefined) return undefined;
    return credential.kind === "password" ? basicAuthorization(credential) : `Bearer ${credential.token}`;
  }

  /**
   * Learns from a 401.
   *
   * @param header the `WWW-Authenticate` header
   * @param rejected the authorization the request was sent with: a token the registry no longer takes is forgotten
   */
  challenged(registry: string, header: string | readonly string[] | undefined, rejected: string | undefined): void {
    const challenges = parseChallenges(header);
    const wanted = challenges.find((each) => each.kind === "bearer") ?? challenges[0];
    if (wanted !== undefined) this.#challenges.set(registry, wanted);
    for (const [key, grant] of this.#grants) {
      if (rejected !== undefined && grant.header === rejected) this.#grants.delete(key);
    }
  }

  async #bearer(
    registry: string,
    challenge: BearerChallenge,
    scopes: readonly Scope[],
    signal: AbortSignal,
  ): Promise<string> {
    // What we are about to do names the scope; only where we do not know (`/v2/` itself) does the registry's word count.
    const wanted = scopes.length > 0 ? scopes.map(formatScope) : (challenge.scope?.split(" ") ?? []);
    const key = [registry, challenge.realm, challenge.service ?? "", ...wanted].join("\n");
    const known = this.#grants.get(key);
    if (known !== undefined && (await this.#isFresh(known))) return headerOf(known);
    const latest = this.#grants.get(key);
    if (latest !== undefined && latest !== known) return headerOf(latest);
    const grant: Grant = { token: this.#grant(registry, challenge, scopes, wanted, signal) };
    this.#grants.set(key, grant);
    try {
      return await headerOf(grant);
    } catch (error) {
      if (this.#grants.get(key) === grant) this.#grants.delete(key);
      throw error;
    }
  }

  async #isFresh(grant: Grant): Promise<boolean> {
    // A grant that failed was made under another caller's signal and trouble: it says nothing about this one.
    const token = await grant.token.catch(() => undefined);
    return token !== undefined && this.#now() < token.freshUntilMs;
  }

  async #grant(
    registry: string,
    challenge: BearerChallenge,
    scopes: readonly Scope[],
    wanted: readonly string[],
    signal: AbortSignal,
  ): Promise<Token> {
    const credential = await this.#credentials.find(registry, scopes[0]?.repository, signal);
    if (credential?.kind === "registryToken")
      return { value: credential.token, freshUntilMs: Number.POSITIVE_INFINITY };
    return await this.#fetchToken(registry, challenge, wanted, credential, signal);
  }
}

async function headerOf(grant: Grant): Promise<string> {
  grant.header = `Bearer ${(await grant.token).value}`;
  return grant.header;
}

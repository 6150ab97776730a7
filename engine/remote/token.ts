/**
 * Fetching a bearer token from a token server.
 *
 * @see distribution docs, "Token Authentication Specification" and "Oauth2 Token Authentication"
 */
import { EngineError } from "../errors.ts";
import type { Challenge } from "./challenge.ts";
import type { Credential } from "./credentials.ts";

/** A token and the time it stops being sent, in milliseconds since the epoch. */
export interface Token {
  readonly value: string;
  readonly freshUntilMs: number;
}

/** What servers that give no lifetime promise at least, by the specification. */
const defaultLifetimeSeconds = 60;
/** A token is not sent in its last seconds: it must outlive the request and differing clocks. */
const marginSeconds = 10;

/** The request for a token, to be sent once and without any other authorization. */
export interface TokenRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Makes the request: an identity token is traded by OAuth2, a password goes as basic authorization, nothing asks anonymously.
 *
 * @param scopes in the form of `formatScope`
 * @param clientId how we name ourselves to OAuth2 servers
 */
export function tokenRequest(
  challenge: Extract<Challenge, { kind: "bearer" }>,
  scopes: readonly string[],
  credential: Exclude<Credential, { kind: "registryToken" }> | undefined,
  clientId: string,
): TokenRequest {
  const url = new URL(challenge.realm);
  if (credential?.kind === "identityToken") {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      service: challenge.service ?? "",
      client_id: clientId,
      scope: scopes.join(" "),
      refresh_token: credential.token,
    });
    return {
      url,
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: form.toString(),
    };
  }
  if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (credential !== undefined) url.searchParams.set("account", credential.username);
  return {
    url,
    method: "GET",
    headers: credential === undefined ? {} : { authorization: basicAuthorization(credential) },
  };
}

/** The value of an `Authorization` header for a password. */
export function basicAuthorization(credential: Extract<Credential, { kind: "password" }>): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`, "utf8").toString("base64")}`;
}

/**
 * Reads a token server's answer.
 *
 * @param nowMs when it came. The server's own `issued_at` is not used: its clock need not be ours
 * @throws EngineError REMOTE_PROTOCOL; the answer's text is a secret and never part of it
 */
export function parseToken(text: string, nowMs: number, what: string, registry: string): Token {
  const fail = (reason: string): never => {
    throw new EngineError("REMOTE_PROTOCOL", { what, registry, reason });
  };
  let answer: { token?: unknown; access_token?: unknown; expires_in?: unknown };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    return fail("its token server answers with something that is not JSON");
  }
  const value = answer?.token || answer?.access_token;
  if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value))
    return fail("its token server answers without a token");
  const lifetime = typeof answer.expires_in === "number" ? answer.expires_in : defaultLifetimeSeconds;
  return { value, freshUntilMs: nowMs + Math.max(1, lifetime - marginSeconds) * 1000 };
}

/**
 * A stand-in for a token server: distribution's token protocol with OAuth2, signed so that docker-registry believes it. It
 * knows one user, and gives strangers tokens for pulling from `public/`.
 */
import { createPrivateKey, createSign, randomUUID, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Certificate } from "./certificates.ts";

export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  /** What was asked for, in order: `GET password repository:a:pull`, `POST refresh_token …`, `GET anonymous …`. */
  readonly requests: string[];
}

export interface TokenUser {
  readonly username: string;
  readonly password: string;
  readonly refreshToken: string;
}

const lifetimeSeconds = 300;

export async function startTokenServer(certificate: Certificate, user: TokenUser): Promise<TokenServer> {
  const key = createPrivateKey(readFileSync(certificate.key));
  const x5c = [new X509Certificate(readFileSync(certificate.certificate)).raw.toString("base64")];
  const requests: string[] = [];

  const tokenFor = (scopes: readonly string[], known: boolean): string => {
    const access = scopes.flatMap((scope) => {
      const [type = "", name = "", actions = ""] = scope.split(":");
      const allowed = known ? actions.split(",") : name.startsWith("public/") ? ["pull"] : [];
      return allowed.length === 0 ? [] : [{ type, name, actions: allowed }];
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: "test-issuer",
      sub: known ? user.username : "",
      aud: "test-service",
      exp: now + lifetimeSeconds,
      nbf: now - 60,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const text = [{ typ: "JWT", alg: "ES256", x5c }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const signature = createSign("sha256").update(text).sign({ key, dsaEncoding: "ieee-p1363" });
    return `${text}.${signature.toString("base64url")}`;
  };

  const answer = async (request: IncomingMessage): Promise<{ status: number; body: unknown }> => {
    if (request.method === "POST") {
      const form = new URLSearchParams(await textOf(request));
      requests.push(`POST ${form.get("grant_type")} ${form.get("scope")}`);
      if (form.get("refresh_token") !== user.refreshToken) return { status: 401, body: {} };
      const token = tokenFor((form.get("scope") ?? "").split(" "), true);
      return { status: 200, body: { access_token: token, expires_in: lifetimeSeconds } };
    }
    const scopes = new URL(request.url ?? "/", "http://x").searchParams.getAll("scope");
    const { authorization } = request.headers;
    const expected = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString("base64")}`;
    requests.push(`GET ${authorization === undefined ? "anonymous" : "password"} ${scopes.join(" ")}`);
    if (authorization !== undefined && authorization !== expected) return { status: 401, body: {} };
    return {
      status: 200,
      body: { token: tokenFor(scopes, authorization !== undefined), expires_in: lifetimeSeconds },
    };
  };

  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    realm: `http://127.0.0.1:${port}/token`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { bcryptMatches, isBcryptHash } from "../../../engine/bcrypt.ts";
import { openAccess, parseHtpasswd, requireGuards } from "../../../engine/registry/access.ts";
import { addressGuard, isInnerAddress } from "../../../engine/registry/upstreamGuard.ts";
import { testClient } from "../../support/registryClient.ts";
import { startRegistry } from "../../support/registryServer.ts";
import { skipWithoutProgram } from "../../support/requirement.ts";

function matches(password: string, hash: string): boolean {
  const steps = bcryptMatches(Buffer.from(password), hash);
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

// Test vectors of crypt_blowfish 1.3, wrapper.c.
for (const [password, hash] of [
  ["U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"],
] as const)
  test(`the password "${password}" has its published bcrypt hash, and another has not`, () => {
    assert.equal(matches(password, hash), true);
    assert.equal(matches(`${password}x`, hash), false);
  });

test("hashes of htpasswd -B are read and matched; other kinds are refused", {
  skip: skipWithoutProgram("htpasswd", "apache2-utils"),
}, () => {
  const line = execFileSync("htpasswd", ["-nbBC", "4", "ann", "s3cret"]).toString();
  const users = parseHtpasswd(`# who may\n${line}\n`, "users");
  assert.equal(matches("s3cret", users.get("ann") ?? ""), true);
  assert.equal(matches("S3cret", users.get("ann") ?? ""), false);
  const other = execFileSync("htpasswd", ["-nbs", "ann", "s3cret"]).toString();
  assert.throws(() => parseHtpasswd(other, "users"), { code: "REGISTRY_USERS_INVALID" });
});

test("a hash too costly to wait for is no hash", () => {
  assert.equal(isBcryptHash("$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"), false);
});

const hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

test("with users, nothing is answered to strangers; the right password opens, again without bcrypt", async () => {
  const access = openAccess({ users: new Map([["ann", hash]]), anonymousPull: false });
  await using registry = await startRegistry({ access });
  const status = async (authorization?: string): Promise<number> =>
    (await fetch(`${registry.url}/v2/`, authorization === undefined ? {} : { headers: { authorization } })).status;
  assert.equal(await status(), 401);
  assert.equal((await fetch(`${registry.url}/v2/`)).headers.get("www-authenticate"), 'Basic realm="kubefile"');
  assert.equal(await status(basic("ann", "wrong")), 401);
  assert.equal(await status(basic("bob", "U*U")), 401);
  assert.equal(await status(basic("ann", "U*U")), 200);
  const started = performance.now();
  for (let i = 0; i < 50; i += 1) assert.equal(await status(basic("ann", "U*U")), 200);
  assert.ok(performance.now() - started < 2000);
});

test("anonymous pulling leaves pushing to those who log in, by password or token", async () => {
  const access = openAccess({ users: new Map([["ann", hash]]), tokens: ["node-token"], anonymousPull: true });
  await using registry = await startRegistry({ access });
  const start = async (authorization?: string): Promise<number> =>
    (
      await fetch(`${registry.url}/v2/a/blobs/uploads/`, {
        method: "POST",
        headers: authorization === undefined ? {} : { authorization },
      })
    ).status;
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
  assert.equal(await start(), 401);
  assert.equal(await start("Bearer other"), 401);
  assert.equal(await start("Bearer node-token"), 202);
  assert.equal(await start(basic("ann", "U*U")), 202);
});

const none = { tls: false, login: false, readOnly: false, anonymousPull: false };
test("this machine alone needs no guards; others need TLS and a login, and are told all that is missing at once", () => {
  for (const host of ["127.0.0.1", "::1", "localhost", "127.1.2.3"]) requireGuards({ host, port: 1 }, none);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "registry.lan"])
    assert.throws(
      () => requireGuards({ host, port: 1 }, none),
      (error: Error) => /--tls-cert/.test(error.message) && /--htpasswd/.test(error.message),
    );
  requireGuards({ host: "0.0.0.0", port: 1 }, { ...none, tls: true, login: true });
  requireGuards({ host: "0.0.0.0", port: 1 }, { ...none, tls: true, readOnly: true, anonymousPull: true });
  assert.throws(() => requireGuards({ host: "::", port: 1 }, { ...none, tls: true, anonymousPull: true }));
});

for (const [address, inner] of [
  ["127.0.0.1", true],
  ["::ffff:10.1.2.3", true],
  ["::ffff:a01:203", true],
  ["fe80::1", true],
  ["100.64.0.1", true],
  ["8.8.8.8", false],
  ["2606:4700::1", false],
  ["not an address", true],
] as const)
  test(`${address} is ${inner ? "an inner" : "a public"} address`, () => {
    assert.equal(isInnerAddress(address), inner);
  });

async function serve(
  answer: (server: Server) => { status: number; headers: Record<string, string> },
): Promise<AsyncDisposable & { readonly port: number; readonly asked: () => number }> {
  let asked = 0;
  const server: Server = createServer((_request, response) => {
    asked += 1;
    const { status, headers } = answer(server);
    response.writeHead(status, headers).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const question = (registry: string) =>
  ({ what: "try", registry, method: "GET", target: "a/manifests/1", scopes: [], accept: [200] }) as const;

test("a name whose address is private is not connected to, unless it was named", async () => {
  await using inside = await serve(() => ({ status: 200, headers: {} }));
  const host = `localhost:${inside.port}`;
  await using guarded = testClient({ refuseAddress: addressGuard(new Map()) });
  await assert.rejects(guarded.request(question(host), AbortSignal.timeout(5000)), { code: "MIRROR_REFUSED" });
  await assert.rejects(guarded.request(question(`127.0.0.1:${inside.port}`), AbortSignal.timeout(5000)), {
    code: "MIRROR_REFUSED",
  });
  assert.equal(inside.asked(), 0);
  await using trusting = testClient({ refuseAddress: addressGuard(new Map([["up.example", host]])) });
  const answer = await trusting.request(question(host), AbortSignal.timeout(5000));
  assert.equal(answer.status, 200);
  await answer.discard();
});

test("a redirect to a private address is not followed", async () => {
  await using inside = await serve(() => ({ status: 200, headers: {} }));
  await using outside = await serve(() => ({
    status: 307,
    headers: { Location: `http://localhost:${inside.port}/latest/meta-data` },
  }));
  const host = `localhost:${outside.port}`;
  await using client = testClient({ refuseAddress: addressGuard(new Map([["up.example", host]])) });
  await assert.rejects(client.request(question(host), AbortSignal.timeout(5000)), { code: "MIRROR_REFUSED" });
  assert.equal(inside.asked(), 0);
});

test("the status is for this machine", async () => {
  await using registry = await startRegistry({ status: () => ({ hits: 3 }) });
  assert.deepEqual(await (await fetch(`${registry.url}/_kubefile/status`)).json(), { hits: 3 });
});

test("a blob larger than allowed is refused before it is taken, and while it comes", async () => {
  const { defaultServerLimits } = await import("../../../engine/registry/server.ts");
  await using registry = await startRegistry({ limits: { ...defaultServerLimits, blobBytes: 1000 } });
  const start = await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: "POST" });
  const location = new URL(start.headers.get("location") ?? "", registry.url);
  assert.equal((await fetch(location, { method: "PATCH", body: Buffer.alloc(2000) })).status, 413);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 20; i += 1) yield Buffer.alloc(100);
  }
  const streamed = await fetch(location, { method: "PATCH", body: pieces(), duplex: "half" } as RequestInit);
  assert.equal(streamed.status, 413);
});

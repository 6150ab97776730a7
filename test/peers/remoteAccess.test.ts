import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import path from "node:path";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import { parseReference } from "../../engine/oci/reference.ts";
import type { RegistryClient } from "../../engine/remote/client.ts";
import type { Credential, CredentialSource } from "../../engine/remote/credentials.ts";
import { dockerConfig } from "../../engine/remote/dockerConfig.ts";
import { type ClientWith, login } from "../../engine/remote/login.ts";
import { pull } from "../../engine/remote/pull.ts";
import { push } from "../../engine/remote/push.ts";
import { makeCa } from "../support/certificates.ts";
import { startDockerRegistry } from "../support/dockerRegistry.ts";
import { startMeddlingProxy } from "../support/faultProxy.ts";
import { testClient } from "../support/registryClient.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryDir, temporaryStore } from "../support/temporary.ts";
import { tagTestImage } from "../support/testImages.ts";
import { startTokenServer } from "../support/tokenServer.ts";

const run = promisify(execFile);
const signal = AbortSignal.timeout(120_000);
const password: Credential = { kind: "password", username: "alice", password: "s3cret-p4ss" };
const wrong: Credential = { kind: "password", username: "alice", password: "not-it" };
const user = { username: "alice", password: "s3cret-p4ss", refreshToken: "refresh-me" };

/** A source that counts how often it is asked. */
function sourceOf(credential: Credential | undefined): CredentialSource & { asked: number } {
  const source = {
    asked: 0,
    find: async () => {
      source.asked += 1;
      return credential;
    },
  };
  return source;
}

/** Pushes a small image and pulls it into another store. */
async function roundTrip(client: RegistryClient, name: string): Promise<void> {
  await using here = await temporaryStore();
  await using there = await temporaryStore();
  const source = await tagTestImage(here.store, name, signal);
  const destination = parseReference(name);
  const compression = { algorithm: "gzip", level: 1 } as const;
  const platforms = { kind: "all" } as const;
  await push(client, here.store, { source, destination, platforms, compression }, () => undefined, signal);
  await pull(client, there.store, { reference: destination, platforms, policy: "always" }, () => undefined, signal);
  assert.deepEqual((await there.store.verify(signal)).damaged, []);
}

const noServer = skipWithoutProgram("docker-registry") || skipWithoutProgram("openssl");

suite("a registry with basic authorization", {
  skip: noServer || skipWithoutProgram("htpasswd", "apache2-utils"),
}, () => {
  async function start() {
    const dir = await temporaryDir("htpasswd");
    const file = path.join(dir.path, "htpasswd");
    await run("htpasswd", ["-Bbc", "-C", "4", file, user.username, user.password]);
    const registry = await startDockerRegistry({ htpasswd: file });
    return {
      host: registry.host,
      async [Symbol.asyncDispose]() {
        await registry[Symbol.asyncDispose]();
        await dir[Symbol.asyncDispose]();
      },
    };
  }

  test("takes an image with the right password", async () => {
    await using registry = await start();
    await using client = testClient({ credentials: sourceOf(password) });
    await roundTrip(client, `${registry.host}/private/image:v1`);
  });

  test("refuses strangers and wrong passwords in words that name the registry and never the secret", async () => {
    await using registry = await start();
    await using stranger = testClient();
    await assert.rejects(roundTrip(stranger, `${registry.host}/a:v1`), {
      code: "REMOTE_UNAUTHORIZED",
      message: /no credentials for it are known\. Log in to 127\.0\.0\.1/,
    });
    await using mistaken = testClient({ credentials: sourceOf(wrong) });
    await assert.rejects(roundTrip(mistaken, `${registry.host}/a:v1`), (error: Error) => {
      assert.match(error.message, /asks for a login/);
      assert.doesNotMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /not-it|Basic /);
      return true;
    });
  });
});

suite("a registry with TLS of a private CA", { skip: noServer }, () => {
  test("is trusted through certs.d, and not without", async () => {
    await using dir = await temporaryDir("tls");
    const ca = await makeCa(dir.path);
    await using registry = await startDockerRegistry({ tls: await ca.issue("server") });
    const folder = path.join(dir.path, "certs.d", registry.host);
    await mkdir(folder, { recursive: true });
    await copyFile(ca.certificate, path.join(folder, "ca.crt"));
    await using trusting = testClient({
      certificateDirs: [path.join(dir.path, "nothing"), path.join(dir.path, "certs.d")],
    });
    await roundTrip(trusting, `${registry.host}/tls:v1`);
    await using stranger = testClient();
    await assert.rejects(roundTrip(stranger, `${registry.host}/tls:v1`), { code: "REMOTE_TLS_UNTRUSTED" });
    await using careless = testClient({ insecureRegistries: [registry.host] });
    await roundTrip(careless, `${registry.host}/tls:v1`);
  });

  test("is shown a client certificate, where it wants one", async () => {
    await using dir = await temporaryDir("mtls");
    const ca = await makeCa(dir.path);
    const tls = { ...(await ca.issue("server")), clientCa: ca.certificate };
    await using registry = await startDockerRegistry({ tls });
    const folder = path.join(dir.path, "certs.d", registry.host);
    await mkdir(folder, { recursive: true });
    await copyFile(ca.certificate, path.join(folder, "ca.crt"));
    await using without = testClient({ certificateDirs: [path.join(dir.path, "certs.d")], retryDelaysMs: [] });
    await assert.rejects(roundTrip(without, `${registry.host}/mtls:v1`));
    const client = await ca.issue("client");
    await copyFile(client.certificate, path.join(folder, "client.cert"));
    await assert.rejects(
      async () => {
        await using half = testClient({ certificateDirs: [path.join(dir.path, "certs.d")] });
        await roundTrip(half, `${registry.host}/mtls:v1`);
      },
      { code: "CERTIFICATE_UNREADABLE", message: /no client\.key beside it/ },
    );
    await copyFile(client.key, path.join(folder, "client.key"));
    await using whole = testClient({ certificateDirs: [path.join(dir.path, "certs.d")] });
    await roundTrip(whole, `${registry.host}/mtls:v1`);
  });
});

suite("a registry with a token server (a stand-in)", { skip: noServer }, () => {
  async function start() {
    const dir = await temporaryDir("token");
    const certificate = await (await makeCa(dir.path)).issue("token");
    const server = await startTokenServer(certificate, user);
    const bundle = path.join(dir.path, "bundle.crt");
    await copyFile(certificate.certificate, bundle);
    const token = { realm: server.realm, service: "test-service", issuer: "test-issuer", bundle };
    const registry = await startDockerRegistry({ token });
    return {
      server,
      host: registry.host,
      port: registry.port,
      async [Symbol.asyncDispose]() {
        await registry[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
        await dir[Symbol.asyncDispose]();
      },
    };
  }

  test("gives one token for each scope, and credentials are asked for as often", async () => {
    await using place = await start();
    const credentials = sourceOf(password);
    await using client = testClient({ credentials });
    await roundTrip(client, `${place.host}/team/image:v1`);
    assert.deepEqual([...place.server.requests].sort(), [
      "GET password repository:team/image:pull",
      "GET password repository:team/image:pull,push",
    ]);
    assert.equal(credentials.asked, 2);
  });

  test("trades an identity token by OAuth2", async () => {
    await using place = await start();
    await using client = testClient({ credentials: sourceOf({ kind: "identityToken", token: user.refreshToken }) });
    await roundTrip(client, `${place.host}/team/image:v1`);
    assert.ok(place.server.requests.every((request) => request.startsWith("POST refresh_token")));
  });

  test("lets strangers pull what is public, and nothing else", async () => {
    await using place = await start();
    await using known = testClient({ credentials: sourceOf(password) });
    await roundTrip(known, `${place.host}/public/image:v1`);
    await roundTrip(known, `${place.host}/team/image:v1`);
    await using client = testClient();
    await using there = await temporaryStore();
    const platforms = { kind: "all" } as const;
    const get = (name: string) =>
      pull(
        client,
        there.store,
        { reference: parseReference(name), platforms, policy: "always" },
        () => undefined,
        signal,
      );
    assert.equal((await get(`${place.host}/public/image:v1`)).how, "pulled");
    await assert.rejects(get(`${place.host}/team/image:v1`), { code: "REMOTE_UNAUTHORIZED" });
  });

  test("whose tokens run out in the middle of a push is asked for new ones", async () => {
    await using place = await start();
    const uses = new Map<string, number>();
    // A stand-in for short lives: every token dies after three requests, whatever the server said of its age.
    await using proxy = await startMeddlingProxy(place.port, (request, response) => {
      const { authorization = "" } = request.headers;
      const used = (uses.get(authorization) ?? 0) + 1;
      uses.set(authorization, used);
      if (!authorization.startsWith("Bearer ") || used <= 3) return false;
      const challenge = `Bearer realm="${place.server.realm}",service="test-service",error="invalid_token"`;
      response.writeHead(401, { "www-authenticate": challenge });
      response.end();
      return true;
    });
    await using client = testClient({ credentials: sourceOf(password) });
    await roundTrip(client, `${proxy.host}/expiring/image:v1`);
    assert.ok(place.server.requests.length > 4, "new tokens were fetched");
  });

  test("that refuses our credentials is told apart from one that knows no strangers", async () => {
    await using place = await start();
    await using client = testClient({ credentials: sourceOf(wrong) });
    await assert.rejects(roundTrip(client, `${place.host}/team/image:v1`), {
      message: /refuses the credentials kept for it/,
    });
  });
});

suite("credentials and plain HTTP", () => {
  test("a registry that is not on loopback is never spoken to without TLS", async () => {
    // TEST-NET-1 is nobody's; the name is enough to see which schemes are allowed.
    const { endpointOf } = await import("../../engine/remote/endpoint.ts");
    assert.deepEqual(endpointOf("192.0.2.1:5000", []).schemes, ["https"]);
    assert.deepEqual(endpointOf("192.0.2.1:5000", ["192.0.2.1:5000"]).schemes, ["https", "http"]);
  });
});

suite("logging in", { skip: noServer || skipWithoutProgram("htpasswd", "apache2-utils") }, () => {
  test("keeps only what the registry accepts, and what is kept works for skopeo too", async () => {
    await using dir = await temporaryDir("login");
    const htpasswd = path.join(dir.path, "htpasswd");
    await run("htpasswd", ["-Bbc", "-C", "4", htpasswd, user.username, user.password]);
    await using registry = await startDockerRegistry({ htpasswd });
    const file = path.join(dir.path, "config.json");
    const kept = dockerConfig(file, {});
    const clientWith: ClientWith = (credentials) => testClient({ credentials });
    await assert.rejects(login(registry.host, wrong, kept, clientWith, signal), { code: "REMOTE_UNAUTHORIZED" });
    assert.equal(await kept.find(registry.host, undefined, signal), undefined);
    assert.deepEqual(await login(registry.host, password, kept, clientWith, signal), { keptIn: file, verified: true });
    await using client = testClient({ credentials: kept });
    await roundTrip(client, `${registry.host}/login:v1`);
    await run("skopeo", [
      "inspect",
      "--raw",
      "--tls-verify=false",
      "--authfile",
      file,
      `docker://${registry.host}/login:v1`,
    ]);
  });

  test("a host without a registry is told apart from one that refuses", async () => {
    await using dir = await temporaryDir("login");
    await using registry = await startDockerRegistry();
    await using nobody = await startMeddlingProxy(registry.port, (_, response) => {
      response.writeHead(404);
      response.end();
      return true;
    });
    const kept = dockerConfig(path.join(dir.path, "config.json"), {});
    const clientWith: ClientWith = (credentials) => testClient({ credentials });
    await assert.rejects(login(nobody.host, password, kept, clientWith, signal), { code: "REMOTE_PROTOCOL" });
    assert.equal((await login(registry.host, password, kept, clientWith, signal)).verified, false);
  });
});

suite("a proxy from the environment (a stand-in)", { skip: noServer }, () => {
  test("tunnels to the registry by name and gets the password of its address", async () => {
    await using registry = await startDockerRegistry();
    const seen: string[] = [];
    const proxy = createServer();
    proxy.on("connect", (request, socket) => {
      seen.push(`${request.url} ${request.headers["proxy-authorization"]}`);
      const onward = connect(registry.port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        onward.pipe(socket).pipe(onward);
      });
      for (const each of [onward, socket]) each.on("error", () => onward.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const { port } = proxy.address() as AddressInfo;
    try {
      const address = `http://me:pr0xy@127.0.0.1:${port}`;
      const environment = { HTTP_PROXY: address, HTTPS_PROXY: address };
      await using client = testClient({ environment, insecureRegistries: ["registry.test"] });
      await roundTrip(client, "registry.test:5000/proxied:v1");
      const authorization = `Basic ${Buffer.from("me:pr0xy").toString("base64")}`;
      assert.deepEqual(new Set(seen), new Set([`registry.test:5000 ${authorization}`]));
    } finally {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    }
  });
});

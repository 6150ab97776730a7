import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, before, suite, test } from "node:test";
import type { EngineError } from "../../engine/errors.ts";
import type { Descriptor } from "../../engine/oci/descriptor.ts";
import { parseReference } from "../../engine/oci/reference.ts";
import { getManifest, headManifest } from "../../engine/remote/manifests.ts";
import { pull } from "../../engine/remote/pull.ts";
import { push } from "../../engine/remote/push.ts";
import type { Store } from "../../engine/store/contract.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/dockerRegistry.ts";
import { type Cut, type Meddle, startCuttingProxy, startMeddlingProxy } from "../support/faultProxy.ts";
import { testClient } from "../support/registryClient.ts";
import { startRegistry } from "../support/registryServer.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryStore } from "../support/temporary.ts";
import { putImage } from "../support/testImages.ts";

const signal = AbortSignal.timeout(300_000);
const mebibyte = 1024 * 1024;
const all = { kind: "all" } as const;
const quiet = () => undefined;

/** The same unpredictable numbers on every run. */
function* numbers(seed: string): Generator<number, never, undefined> {
  for (let i = 0; ; i += 1) yield createHash("sha256").update(`${seed} ${i}`).digest().readUInt32LE(0);
}

/** Incompressible bytes, the same for the same seed. */
function noise(seed: string, size: number): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 64 < size; i += 1) blocks.push(createHash("sha512").update(`${seed} ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, size);
}

const big = noise("big", 6 * mebibyte + 123);
const small = noise("small", 200_000);

async function imageIn(store: Store): Promise<Descriptor> {
  await using lease = store.lease("test");
  const image = await putImage(lease, [big, small]);
  await store.tag("test.example/faults:v1", image, signal);
  return image;
}

function pushTo(store: Store, source: Descriptor, name: string, client = testClient()) {
  return withClient(client, () =>
    push(
      client,
      store,
      { source, destination: parseReference(name), platforms: all, compression: "none" },
      quiet,
      signal,
    ),
  );
}

function pullFrom(store: Store, name: string, client = testClient(), within = signal) {
  return withClient(client, () =>
    pull(client, store, { reference: parseReference(name), platforms: all, policy: "always" }, quiet, within),
  );
}

async function withClient<Result>(client: ReturnType<typeof testClient>, act: () => Promise<Result>): Promise<Result> {
  await using _closing = client;
  return await act();
}

async function assertClean(store: Store, tags: number): Promise<void> {
  assert.deepEqual((await store.verify(signal)).damaged, []);
  assert.equal(store.list().length, tags);
}

const reply = (
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body: string | Uint8Array = "",
) => {
  response.writeHead(status, headers);
  response.end(body);
  return true;
};
const isBig = (request: IncomingMessage, image: { digest: string }) =>
  request.method === "GET" && request.url?.includes(image.digest) === true;

suite("bad networks and broken registries", { skip: skipWithoutProgram("docker-registry") }, () => {
  let registry: DockerRegistry;
  let image: Descriptor;
  const bigDigest = `sha256:${createHash("sha256").update(big).digest("hex")}`;
  before(async () => {
    registry = await startDockerRegistry();
    await using here = await temporaryStore();
    image = await imageIn(here.store);
    await pushTo(here.store, image, `${registry.host}/faults:v1`);
  });
  after(async () => await registry[Symbol.asyncDispose]());

  /** A proxy before the registry that already has the image. */
  const meddling = (meddle: Meddle) => startMeddlingProxy(registry.port, meddle);

  for (const seed of ["one", "two", "three"]) {
    test(`a download cut at random offsets (${seed}) goes on until all is there`, async () => {
      const random = numbers(seed);
      const plan = (connection: number): Cut =>
        connection > 0 && connection < 14 ? { down: 1 + (random.next().value % (2 * mebibyte)) } : undefined;
      await using proxy = await startCuttingProxy(registry.port, plan);
      await using there = await temporaryStore();
      const pulled = await pullFrom(
        there.store,
        `${proxy.host}/faults:v1`,
        testClient({ retryDelaysMs: Array(16).fill(1) }),
      );
      assert.equal(pulled.descriptor.digest, image.digest);
      // Bytes in hand when the line broke are not asked for again: a little more than the image, not a multiple of it.
      assert.ok(pulled.movedBytes < big.length + small.length + mebibyte, `${pulled.movedBytes} bytes`);
      await assertClean(there.store, 1);
    });

    for (const peer of ["docker-registry", "our registry"] as const) {
      test(`an upload to ${peer} cut at random offsets (${seed}) arrives whole`, async () => {
        await using own = await startRegistry();
        const port = peer === "docker-registry" ? registry.port : Number(new URL(own.url).port);
        const random = numbers(`up ${seed}`);
        const plan = (connection: number): Cut =>
          connection > 0 && connection < 8 ? { up: 1 + (random.next().value % (3 * mebibyte)) } : undefined;
        await using proxy = await startCuttingProxy(port, plan);
        await using here = await temporaryStore();
        const source = await imageIn(here.store);
        const name = `${proxy.host}/up-${seed}:v1`;
        await pushTo(here.store, source, name, testClient({ retryDelaysMs: Array(12).fill(1) }));
        await using there = await temporaryStore();
        assert.equal((await pullFrom(there.store, name)).descriptor.digest, source.digest);
        await assertClean(there.store, 1);
      });
    }
  }

  test("an upload goes on from what our registry kept", async () => {
    await using own = await startRegistry();
    let cuts = 0;
    await using proxy = await startCuttingProxy(Number(new URL(own.url).port), () =>
      cuts++ < 2 ? undefined : { up: 4 * mebibyte },
    );
    await using here = await temporaryStore();
    const source = await imageIn(here.store);
    // Every connection dies after 4 MiB, and the layer has 6: only going on can end.
    await pushTo(here.store, source, `${proxy.host}/resumed:v1`, testClient({ connectionsPerHost: 1 }));
    assert.ok(proxy.sentBytes < (big.length + small.length) * 1.8, `${proxy.sentBytes} bytes went up`);
  });

  test("a pull that broke for good leaves a whole store, and the next one moves only the rest", async () => {
    let dead = false;
    const deadLine: Meddle = (_, response) => {
      if (dead) response.destroy();
      return dead;
    };
    await using proxy = await meddling(async (request, response) => {
      if (await deadLine(request, response)) return true;
      if (!isBig(request, { digest: bigDigest })) return false;
      dead = true;
      response.writeHead(200, { "content-length": String(big.length) });
      response.write(big.subarray(0, 4 * mebibyte), () => setTimeout(() => response.destroy(), 100));
      return true;
    });
    await using there = await temporaryStore();
    await assert.rejects(pullFrom(there.store, `${proxy.host}/faults:v1`), (error: EngineError) => {
      assert.ok(error.retryable, error.message);
      return true;
    });
    await assertClean(there.store, 0);
    const second = await pullFrom(there.store, `${registry.host}/faults:v1`);
    assert.ok(second.movedBytes < big.length + small.length - 3.9 * mebibyte, `${second.movedBytes} bytes came`);
    await assertClean(there.store, 1);
    assert.deepEqual(there.store.listRecords("partial-download"), []);
  });

  test("a cancelled pull says so, keeps what came for the next, and names nothing", async () => {
    const cancel = new AbortController();
    await using proxy = await meddling((request, response) => {
      if (!isBig(request, { digest: bigDigest })) return false;
      response.writeHead(200, { "content-length": String(big.length) });
      response.write(big.subarray(0, 3 * mebibyte), () => setTimeout(() => cancel.abort(), 100));
      return true;
    });
    await using there = await temporaryStore();
    await assert.rejects(pullFrom(there.store, `${proxy.host}/faults:v1`, testClient(), cancel.signal), {
      code: "CANCELLED",
    });
    await assertClean(there.store, 0);
    const second = await pullFrom(there.store, `${registry.host}/faults:v1`);
    assert.ok(second.movedBytes < big.length + small.length - 2.9 * mebibyte);
  });

  test("429 and 503 are waited out; a wait nobody has is told instead", async () => {
    let left = 2;
    await using proxy = await meddling((_, response) => {
      if (left === 0) return false;
      left -= 1;
      return reply(response, left === 1 ? 429 : 503, { "retry-after": "0" });
    });
    await using there = await temporaryStore();
    await pullFrom(there.store, `${proxy.host}/faults:v1`);
    await using limited = await meddling((_, response) =>
      reply(response, 429, { "retry-after": "7200" }, `{"errors":[{"code":"TOOMANYREQUESTS"}]}`),
    );
    await assert.rejects(pullFrom(there.store, `${limited.host}/faults:v1`), {
      code: "REMOTE_RATE_LIMITED",
      message: /try again in 7200 s/,
    });
    assert.equal(limited.requests.filter((each) => each.includes("manifests")).length, 1);
  });

  test("a registry that stays in trouble ends in one error with its status", async () => {
    await using proxy = await meddling((_, response) => reply(response, 502));
    await using there = await temporaryStore();
    await assert.rejects(pullFrom(there.store, `${proxy.host}/faults:v1`), {
      code: "REMOTE_UNAVAILABLE",
      message: /status 502/,
    });
  });

  test("a body that crawls or stops is given up and gone on with", async () => {
    let slow = 2;
    const timers: NodeJS.Timeout[] = [];
    await using proxy = await meddling((request, response) => {
      if (!isBig(request, { digest: bigDigest }) || slow === 0) return false;
      slow -= 1;
      response.writeHead(request.headers.range === undefined ? 200 : 206, {
        ...(request.headers.range === undefined
          ? {}
          : { "content-range": `bytes ${/\d+/.exec(request.headers.range)?.[0]}-${big.length - 1}/${big.length}` }),
      });
      let at = Number(/\d+/.exec(request.headers.range ?? "0")?.[0]);
      // A byte now and then: alive for any idle timeout.
      timers.push(setInterval(() => response.write(big.subarray(at, ++at)), 50));
      return true;
    });
    await using there = await temporaryStore();
    const client = testClient({ idleTimeoutMs: 300, slowestBytes: 1000 });
    assert.equal((await pullFrom(there.store, `${proxy.host}/faults:v1`, client)).descriptor.digest, image.digest);
    for (const timer of timers) clearInterval(timer);
    await assertClean(there.store, 1);
  });

  test("a blob with one wrong byte is never used", async () => {
    await using proxy = await meddling((request, response) => {
      if (!isBig(request, { digest: bigDigest })) return false;
      const wrong = Buffer.from(big);
      wrong[1_000_000] = (wrong[1_000_000] ?? 0) ^ 1;
      return reply(response, 200, {}, wrong);
    });
    await using there = await temporaryStore();
    await assert.rejects(pullFrom(there.store, `${proxy.host}/faults:v1`), { code: "REMOTE_DIGEST_MISMATCH" });
    await assertClean(there.store, 0);
    assert.equal((await pullFrom(there.store, `${registry.host}/faults:v1`)).how, "pulled");
  });

  test("a blob that is longer than announced is cut off, one that ends early is asked for again", async () => {
    await using longer = await meddling((request, response) =>
      isBig(request, { digest: bigDigest }) ? reply(response, 200, {}, Buffer.concat([big, big])) : false,
    );
    await using there = await temporaryStore();
    await assert.rejects(pullFrom(there.store, `${longer.host}/faults:v1`), { code: "REMOTE_TOO_LARGE" });
    let shorter = true;
    await using short = await meddling((request, response) => {
      if (!isBig(request, { digest: bigDigest }) || !shorter) return false;
      shorter = false;
      return reply(response, 200, {}, big.subarray(0, 2 * mebibyte));
    });
    await pullFrom(there.store, `${short.host}/faults:v1`);
    assert.equal(short.requests.filter((each) => each.includes(bigDigest)).length, 2);
    await assertClean(there.store, 1);
  });

  test("a registry without ranges sends everything again and nothing is taken twice", async () => {
    let first = true;
    await using proxy = await meddling((request, response) => {
      if (!isBig(request, { digest: bigDigest })) return false;
      const body = first ? big.subarray(0, 2 * mebibyte) : big;
      first = false;
      return reply(response, 200, {}, body);
    });
    await using there = await temporaryStore();
    await pullFrom(there.store, `${proxy.host}/faults:v1`);
    await assertClean(there.store, 1);
  });

  test("manifests that are too long, of another digest, or no manifest at all are refused", async () => {
    const answers: [string, Record<string, string>, string | Buffer][] = [
      ["REMOTE_TOO_LARGE", {}, Buffer.alloc(5 * mebibyte, " ")],
      ["REMOTE_DIGEST_MISMATCH", { "docker-content-digest": `sha256:${"0".repeat(64)}` }, "{}"],
      ["DOCUMENT_INVALID", { "content-type": "text/html" }, "<html>please log in to the hotel's network</html>"],
    ];
    for (const [code, headers, body] of answers) {
      await using proxy = await meddling((request, response) =>
        request.url?.includes("/manifests/") ? reply(response, 200, headers, body) : false,
      );
      await using there = await temporaryStore();
      await assert.rejects(pullFrom(there.store, `${proxy.host}/faults:v1`), { code });
      await assertClean(there.store, 0);
    }
  });

  test("a redirect to another host carries no authorization, and one in circles ends", async () => {
    const seen: (string | undefined)[] = [];
    await using elsewhere = await startMeddlingProxy(registry.port, (request) => {
      seen.push(request.headers.authorization);
      return false;
    });
    await using proxy = await meddling((request, response) => {
      if (request.headers.authorization === undefined)
        return reply(response, 401, { "www-authenticate": `Basic realm="x"` });
      if (request.url?.includes("/blobs/"))
        return reply(response, 307, { location: `http://${elsewhere.host}${request.url}` });
      delete request.headers.authorization;
      return false;
    });
    const credentials = { find: async () => ({ kind: "password", username: "alice", password: "secret" }) as const };
    await using there = await temporaryStore();
    await pullFrom(there.store, `${proxy.host}/faults:v1`, testClient({ credentials }));
    assert.equal(seen.length, 3);
    assert.deepEqual(new Set(seen), new Set([undefined]));
    await using circles = await meddling((request, response) =>
      reply(response, 307, { location: String(request.url) }),
    );
    await assert.rejects(pullFrom(there.store, `${circles.host}/faults:v1`), { code: "REMOTE_REDIRECT_REFUSED" });
  });

  test("a push through a proxy that takes no large request goes in chunks", async () => {
    await using proxy = await meddling((request, response) => {
      const length = Number(request.headers["content-length"] ?? Number.POSITIVE_INFINITY);
      return request.method === "PATCH" && length > 9 * mebibyte - 1 ? reply(response, 413) : false;
    });
    await using here = await temporaryStore();
    await using lease = here.store.lease("test");
    const source = await putImage(lease, [noise("huge", 20 * mebibyte)]);
    await pushTo(here.store, source, `${proxy.host}/chunks:v1`);
    assert.ok(proxy.requests.filter((each) => each.startsWith("PATCH")).length >= 4);
    await using there = await temporaryStore();
    assert.equal((await pullFrom(there.store, `${registry.host}/chunks:v1`)).descriptor.digest, source.digest);
  });

  test("a token that is refused in the middle of an upload does not end the push", async () => {
    let refusals = 1;
    await using proxy = await meddling((request, response) => {
      if (request.method !== "PATCH" || refusals === 0) return false;
      refusals -= 1;
      return reply(response, 401, { "www-authenticate": `Basic realm="x"` });
    });
    await using here = await temporaryStore();
    const source = await imageIn(here.store);
    await pushTo(here.store, source, `${proxy.host}/expired:v1`);
    assert.equal(refusals, 0);
  });

  test("a registry that loses what it took gets no manifest", async () => {
    let taken = false;
    await using proxy = await meddling((request, response) => {
      if (request.method === "PUT" && request.url?.includes(bigDigest.slice(7))) taken = true;
      return taken && request.method === "HEAD" && request.url?.includes(bigDigest) ? reply(response, 404) : false;
    });
    await using here = await temporaryStore();
    const source = await imageIn(here.store);
    await assert.rejects(pushTo(here.store, source, `${proxy.host}/forgetful:v1`), { code: "REMOTE_INCOMPLETE" });
    await using client = testClient();
    const where = { what: "test", host: registry.host, repository: "forgetful" };
    assert.equal(await headManifest(client, where, "v1", signal), undefined);
  });

  test("nobody there, no such name and no such image are three different sentences", async () => {
    await using there = await temporaryStore();
    await using client = testClient();
    const get = (host: string, reference: string) =>
      getManifest(client, { what: "pull x", host, repository: "x" }, reference, signal);
    await assert.rejects(get("127.0.0.1:1", "v1"), { code: "REMOTE_UNREACHABLE", message: /nothing listens there/ });
    await assert.rejects(get("no-such-host.invalid", "v1"), { code: "REMOTE_UNREACHABLE" });
    await assert.rejects(get(registry.host, "v1"), { code: "REMOTE_NOT_FOUND" });
    void there;
  });
});

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test as withoutLimit } from "node:test";
import { type Digest, digestOf } from "../../engine/oci/digest.ts";
import { parseReference } from "../../engine/oci/reference.ts";
import { layeredContent } from "../../engine/registry/layeredContent.ts";
import { type Mirror, type MirrorOptions, openMirror } from "../../engine/registry/mirrorContent.ts";
import { openPushedContent } from "../../engine/registry/pushedContent.ts";
import { defaultServerLimits, serveRegistry } from "../../engine/registry/server.ts";
import { push } from "../../engine/remote/push.ts";
import { openStore } from "../../engine/store/store.ts";
import { startContainerd } from "../support/containerd.ts";
import { type CountingProxy, startCountingProxy } from "../support/countingProxy.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/dockerRegistry.ts";
import { testClient } from "../support/registryClient.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryStore } from "../support/temporary.ts";
import { tagTestImage } from "../support/testImages.ts";

const skip = skipWithoutProgram("docker-registry");
/** A mirror that waits for something that never comes must fail its test, not stop the suite. */
const test = (title: string, options: { readonly skip: string | false }, act: () => Promise<void>): void =>
  void withoutLimit(title, { ...options, timeout: bigMib > 16 ? 300_000 : 60_000 }, act);
const signal = AbortSignal.timeout(400_000);
/** Size of the blob that many pull at once; `KUBEFILE_MIRROR_MIB=256` runs the whole figure. */
const bigMib = Number(process.env["KUBEFILE_MIRROR_MIB"] ?? 8);
const readers = 200;

let upstream: DockerRegistry;
let proxy: CountingProxy;

before(async () => {
  if (skip !== false) return;
  upstream = await startDockerRegistry();
  proxy = await startCountingProxy(upstream.host);
});
after(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
});

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly mirror: Mirror;
  readonly errors: string[];
  clock: number;
}

/** A mirror with an own store, to which `up.example` is the registry behind the proxy. */
async function serveMirror(options: Partial<MirrorOptions> = {}, dir?: string): Promise<Served> {
  const own = dir ?? (await mkdtemp(path.join(tmpdir(), "kubefile-mirror-")));
  const store = await openStore({ dir: own, now: Date.now });
  const client = testClient();
  const stop = new AbortController();
  const served = { clock: 1_000_000 };
  const mirror = openMirror({
    store,
    client,
    rules: { named: new Map([["up.example", proxy.host]]), deny: [] },
    offline: false,
    tagTtlMs: 60_000,
    missTtlMs: 10_000,
    now: () => served.clock,
    signal: stop.signal,
    ...options,
  });
  const errors: string[] = [];
  const server = await serveRegistry({
    content: layeredContent(openPushedContent(store, "shared"), [mirror]),
    host: "127.0.0.1",
    port: 0,
    readOnly: true,
    allowSparse: false,
    limits: defaultServerLimits,
    onError: (what, error) => errors.push(`${what}: ${String(error)}`),
  });
  return Object.assign(served, {
    url: server.url,
    mirror,
    errors,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      stop.abort();
      await client[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      if (dir === undefined) await rm(own, { recursive: true, force: true });
    },
  });
}

/** Readers whose bytes are hashed; with a large blob the clients would otherwise be what is measured. */
const hashed = bigMib > 16 ? 8 : readers;

interface PulledBlob {
  readonly status: number;
  readonly sizeBytes: number;
  /** Of the bytes that came, when they were hashed. */
  readonly digest: string;
}

/** Pulls as a runtime does: from a place on, keeping nothing. */
function pullBlob(url: string, start: number, hash: boolean): Promise<PulledBlob> {
  return new Promise((resolve, reject) => {
    const headers = start === 0 ? {} : { Range: `bytes=${start}-` };
    get(url, { headers, agent: false }, (answer) => {
      const digester = createHash("sha256");
      let sizeBytes = 0;
      answer.on("data", (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (hash) digester.update(chunk);
      });
      answer.once("error", reject);
      answer.once("end", () =>
        resolve({ status: answer.statusCode ?? 0, sizeBytes, digest: `sha256:${digester.digest("hex")}` }),
      );
    }).once("error", reject);
  });
}

const registryUrl = (): string => `http://${upstream.host}`;

async function putBlob(repository: string, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  const start = await fetch(`${registryUrl()}/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const location = new URL(start.headers.get("location") ?? "", registryUrl());
  location.searchParams.set("digest", digest);
  const end = await fetch(location, {
    method: "PUT",
    body: new Blob([Uint8Array.from(bytes)]),
    headers: { "Content-Type": "application/octet-stream" },
  });
  assert.equal(end.status, 201);
  return digest;
}

async function putTag(repository: string, tag: string, text: string): Promise<Digest> {
  const config = Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, comment: text }),
  );
  const digest = await putBlob(repository, config);
  const type = "application/vnd.oci.image.manifest.v1+json";
  const manifest = {
    schemaVersion: 2,
    mediaType: type,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: config.length },
    layers: [],
  };
  const answer = await fetch(`${registryUrl()}/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    body: JSON.stringify(manifest),
    headers: { "Content-Type": type },
  });
  assert.equal(answer.status, 201);
  return answer.headers.get("docker-content-digest") as Digest;
}

const seen = (what: string): number => proxy.requests.filter((line) => line.includes(what)).length;

test("an image of any upstream is pulled under its own name, named by ns or by its path", { skip }, async () => {
  proxy.behave({ kind: "pass" });
  const digest = await putTag("team/app", "v1", "one");
  await using served = await serveMirror();
  for (const address of ["/v2/team/app/manifests/v1?ns=up.example", "/v2/up.example/team/app/manifests/v1"]) {
    const answer = await fetch(served.url + address);
    assert.equal(answer.status, 200, await answer.text());
    assert.equal(answer.headers.get("docker-content-digest"), digest);
  }
  assert.equal(seen("GET /v2/team/app/manifests/v1"), 1);
  assert.deepEqual(served.errors, []);
});

test(`${readers} clients that pull one cold blob of ${bigMib} MiB at once cause one download, and all get the right bytes`, {
  skip,
}, async () => {
  proxy.behave({ kind: "pass" });
  const bytes = randomBytes(bigMib * 1024 * 1024);
  const digest = await putBlob("team/big", bytes);
  await using served = await serveMirror();
  const pulls = Array.from({ length: readers }, async (_, index) => {
    const start = index % 2 === 0 ? 0 : Math.floor(bytes.length / 2);
    const pulled = await pullBlob(`${served.url}/v2/team/big/blobs/${digest}?ns=up.example`, start, index < hashed);
    assert.equal(pulled.status, start === 0 ? 200 : 206);
    assert.equal(pulled.sizeBytes, bytes.length - start);
    if (index < hashed) assert.equal(pulled.digest, start === 0 ? digest : digestOf(bytes.subarray(start)));
  });
  await Promise.all(pulls);
  assert.equal(seen(`GET /v2/team/big/blobs/${digest}`), 1);
  assert.deepEqual(served.errors, []);
});

test("a client that goes away does not stop the download for the others", { skip }, async () => {
  proxy.behave({ kind: "pass" });
  const digest = await putBlob("team/left", randomBytes(4 * 1024 * 1024));
  await using served = await serveMirror();
  const gone = new AbortController();
  const answer = await fetch(`${served.url}/v2/team/left/blobs/${digest}?ns=up.example`, { signal: gone.signal });
  gone.abort();
  await assert.rejects(answer.arrayBuffer());
  const whole = await fetch(`${served.url}/v2/team/left/blobs/${digest}?ns=up.example`);
  assert.equal(digestOf(Buffer.from(await whole.arrayBuffer())), digest);
  assert.equal(seen(`GET /v2/team/left/blobs/${digest}`), 1);
});

test("an upstream that breaks off in the middle is asked for the rest only", { skip }, async () => {
  const digest = await putBlob("team/cut", randomBytes(6 * 1024 * 1024));
  await using served = await serveMirror();
  proxy.behave({ kind: "cut", afterBytes: 2_000_000, times: 2 });
  const answer = await fetch(`${served.url}/v2/team/cut/blobs/${digest}?ns=up.example`);
  assert.equal(digestOf(Buffer.from(await answer.arrayBuffer())), digest);
  assert.equal(seen(`GET /v2/team/cut/blobs/${digest}`), 3);
});

test("bytes with a wrong digest are never a whole answer, small or large, and nothing is kept", { skip }, async () => {
  const small = await putBlob("team/bad", randomBytes(1000));
  const large = await putBlob("team/bad", randomBytes(2_000_000));
  await using served = await serveMirror();
  proxy.behave({ kind: "corrupt" });
  const refused = await fetch(`${served.url}/v2/team/bad/blobs/${small}?ns=up.example`);
  assert.notEqual(refused.status, 200);
  const cut = async (): Promise<unknown> =>
    (await fetch(`${served.url}/v2/team/bad/blobs/${large}?ns=up.example`)).arrayBuffer();
  await assert.rejects(cut());
  proxy.behave({ kind: "pass" });
  const right = await fetch(`${served.url}/v2/team/bad/blobs/${large}?ns=up.example`);
  assert.equal(right.status, 200, `${await right.clone().text()} ${served.errors.join("\n")}`);
  assert.equal(digestOf(Buffer.from(await right.arrayBuffer())), large);
});

test("a tag is fresh for its time, then one HEAD tells whether it moved", { skip }, async () => {
  proxy.behave({ kind: "pass" });
  const first = await putTag("team/ttl", "v1", "first");
  await using served = await serveMirror();
  const pull = async (): Promise<string | null> =>
    (await fetch(`${served.url}/v2/team/ttl/manifests/v1?ns=up.example`)).headers.get("docker-content-digest");
  assert.equal(await pull(), first);
  const second = await putTag("team/ttl", "v1", "second");
  assert.equal(await pull(), first);
  assert.equal(seen("HEAD /v2/team/ttl/manifests/v1"), 0);
  served.clock += 61_000;
  assert.equal(await pull(), second);
  served.clock += 61_000;
  assert.equal(await pull(), second);
  assert.equal(seen("GET /v2/team/ttl/manifests/v1"), 2);
});

for (const [title, behaviour] of [
  ["is down", { kind: "hangUp" }],
  ["fails", { kind: "status", status: 500 }],
  ["limits", { kind: "status", status: 429, headers: { "Retry-After": "1" } }],
] as const)
  test(`when the upstream ${title}, what is known is served and what is not is 503, never 404`, { skip }, async () => {
    proxy.behave({ kind: "pass" });
    const repository = `team/stale-${title.replace(" ", "-")}`;
    const digest = await putTag(repository, "v1", "kept");
    await using served = await serveMirror({ client: testClient({ retryDelaysMs: [1] }) });
    const pull = (tag: string): Promise<Response> =>
      fetch(`${served.url}/v2/${repository}/manifests/${tag}?ns=up.example`);
    assert.equal((await pull("v1")).status, 200);
    served.clock += 61_000;
    proxy.behave(behaviour);
    const stale = await pull("v1");
    assert.equal(stale.headers.get("docker-content-digest"), digest);
    const unknown = await pull("v2");
    assert.equal(unknown.status, 503);
    assert.equal(unknown.headers.get("retry-after"), "5");
    assert.deepEqual(
      served.mirror.counts().upstreams.map(({ host, stale: count }) => [host, count]),
      [["up.example", 1]],
    );
    proxy.behave({ kind: "pass" });
  });

test("a path without a host is Docker Hub's by guess: what is pushed there does not fail because Docker Hub is down", {
  skip,
}, async () => {
  await using served = await serveMirror({
    client: testClient({ retryDelaysMs: [] }),
    rules: { named: new Map([["docker.io", "127.0.0.1:9"]]), deny: [] },
  });
  const status = async (where: string, method: string): Promise<number> =>
    (await fetch(served.url + where, { method })).status;
  assert.equal(await status("/v2/team/own/manifests/v1", "HEAD"), 404);
  assert.equal(await status(`/v2/team/own/blobs/${digestOf("x")}`, "HEAD"), 404);
  assert.equal(await status(`/v2/team/own/referrers/${digestOf("x")}`, "GET"), 200);
  assert.equal(await status("/v2/team/own/manifests/v1?ns=docker.io", "HEAD"), 503);
});

test("the report tells hits, misses, and what was fetched and saved", { skip }, async () => {
  proxy.behave({ kind: "pass" });
  await putTag("team/report", "v1", "report");
  const bytes = randomBytes(50_000);
  const digest = await putBlob("team/report", bytes);
  await using served = await serveMirror();
  for (let round = 0; round < 3; round += 1)
    for (const where of ["manifests/v1", `blobs/${digest}`])
      await (await fetch(`${served.url}/v2/team/report/${where}?ns=up.example`)).arrayBuffer();
  const [counts] = served.mirror.counts().upstreams;
  assert.deepEqual([counts?.host, counts?.misses, counts?.hits], ["up.example", 2, 4]);
  assert.ok(counts !== undefined && counts.savedBytes === 2 * counts.fetchedBytes, JSON.stringify(counts));
});

test("what the upstream does not have is 404, and it is not asked again at once", { skip }, async () => {
  proxy.behave({ kind: "pass" });
  await using served = await serveMirror();
  const pull = (): Promise<Response> => fetch(`${served.url}/v2/team/none/manifests/v1?ns=up.example`);
  assert.equal((await pull()).status, 404);
  const asked = seen("/v2/team/none/manifests/v1");
  assert.equal((await pull()).status, 404);
  assert.equal(seen("/v2/team/none/manifests/v1"), asked);
  served.clock += 11_000;
  await pull();
  assert.ok(seen("/v2/team/none/manifests/v1") > asked);
});

test("offline, what was mirrored is served and no upstream is ever asked", { skip }, async () => {
  proxy.behave({ kind: "pass" });
  const digest = await putTag("team/off", "v1", "kept");
  const dir = await mkdtemp(path.join(tmpdir(), "kubefile-mirror-"));
  try {
    {
      await using online = await serveMirror({}, dir);
      assert.equal((await fetch(`${online.url}/v2/team/off/manifests/v1?ns=up.example`)).status, 200);
    }
    await using served = await serveMirror({ offline: true }, dir);
    served.clock += 10 * 86_400_000;
    const asked = proxy.requests.length;
    const answer = await fetch(`${served.url}/v2/team/off/manifests/v1?ns=up.example`);
    assert.equal(answer.headers.get("docker-content-digest"), digest);
    assert.equal((await fetch(`${served.url}/v2/team/off/manifests/v2?ns=up.example`)).status, 404);
    assert.equal(proxy.requests.length, asked);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test("a blob that two upstream repositories share is fetched once, and only for those that have it", {
  skip,
}, async () => {
  proxy.behave({ kind: "pass" });
  const bytes = randomBytes(600_000);
  const digest = await putBlob("team/one", bytes);
  await putBlob("team/two", bytes);
  await using served = await serveMirror();
  const pull = async (repository: string): Promise<number> => {
    const answer = await fetch(`${served.url}/v2/${repository}/blobs/${digest}?ns=up.example`);
    await answer.arrayBuffer();
    return answer.status;
  };
  assert.deepEqual([await pull("team/one"), await pull("team/two"), await pull("team/three")], [200, 200, 404]);
  assert.equal(proxy.requests.filter((line) => line.startsWith("GET") && line.endsWith(digest)).length, 1);
});

for (const host of ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "intranet", "quay.io:8443", "[::1]"])
  test(`a stranger cannot make the mirror ask ${host}`, { skip }, async () => {
    await using served = await serveMirror();
    const answer = await fetch(`${served.url}/v2/a/b/manifests/v1?ns=${encodeURIComponent(host)}`);
    assert.equal(answer.status, 403);
  });

test("containerd pulls images of any host through one hosts.toml, under their original names", {
  skip: skip || skipWithoutProgram("containerd"),
}, async () => {
  proxy.behave({ kind: "pass" });
  const dir = await mkdtemp(path.join(tmpdir(), "kubefile-hosts-"));
  try {
    const digest = await pushReal("library/centos:7");
    await using served = await serveMirror({
      rules: {
        named: new Map([
          ["example.hub", proxy.host],
          ["docker.io", proxy.host],
        ]),
        deny: [],
      },
    });
    await mkdir(path.join(dir, "_default"), { recursive: true });
    await writeFile(
      path.join(dir, "_default/hosts.toml"),
      `server = "${served.url}"\ncapabilities = ["pull", "resolve"]\n[host."${served.url}"]\n  capabilities = ["pull", "resolve"]\n`,
    );
    await using containerd = await startContainerd();
    for (const name of ["example.hub/library/centos:7", "docker.io/library/centos:7"]) {
      await containerd.ctr("images", "pull", "--hosts-dir", dir, "--snapshotter", "native", name);
      const listed = (await containerd.ctr("images", "ls")).split("\n").find((line) => line.startsWith(name));
      assert.ok(listed?.includes(digest), listed);
    }
    assert.deepEqual(served.errors, []);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

/** Pushes a small real image to the upstream; answers the digest of its manifest there. */
async function pushReal(name: string): Promise<string> {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await using client = testClient();
  const source = await tagTestImage(store, `docker.io/${name}`, signal);
  const request = {
    source,
    destination: parseReference(`${upstream.host}/${name}`),
    platforms: { kind: "all" },
    compression: { algorithm: "gzip", level: 1 },
  } as const;
  const { descriptor } = await push(client, store, request, () => undefined, signal);
  return descriptor.digest;
}

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Credentials } from "../../client/credentials.ts";
import { registryOf, registryOfReference, suggestedDestination } from "../../client/registries.ts";
import { TransferMeter } from "../../client/transfers.ts";

describe("speed and time left", () => {
  test("nothing is told before there is enough to tell", () => {
    const meter = new TransferMeter();
    assert.deepEqual(meter.add({ doneBytes: 0, totalBytes: 100, movedBytes: 0 }, 0), {
      doneBytes: 0,
      totalBytes: 100,
      movedBytes: 0,
    });
    assert.equal(meter.add({ doneBytes: 10, totalBytes: 100, movedBytes: 10 }, 100).bytesPerSecond, undefined);
  });

  test("the speed is what moved over the last seconds, the time left goes by what is done", () => {
    const meter = new TransferMeter();
    meter.add({ doneBytes: 0, totalBytes: 10_000, movedBytes: 0 }, 0);
    const state = meter.add({ doneBytes: 2000, totalBytes: 10_000, movedBytes: 1000 }, 2000);
    assert.equal(state.bytesPerSecond, 500);
    assert.equal(state.remainingMs, 8000);
  });

  test("a line that stands still is slow after five seconds, and then has no time left to tell", () => {
    const meter = new TransferMeter();
    meter.add({ doneBytes: 0, totalBytes: 10_000, movedBytes: 0 }, 0);
    for (let atMs = 1000; atMs <= 4000; atMs += 1000)
      meter.add({ doneBytes: atMs, totalBytes: 10_000, movedBytes: atMs }, atMs);
    for (let atMs = 5000; atMs <= 9000; atMs += 1000)
      meter.add({ doneBytes: 4000, totalBytes: 10_000, movedBytes: 4000 }, atMs);
    const state = meter.add({ doneBytes: 4000, totalBytes: 10_000, movedBytes: 4000 }, 10_000);
    assert.equal(state.bytesPerSecond, 0);
    assert.equal(state.remainingMs, undefined);
  });

  test("bytes that have to go again never make a negative speed", () => {
    const meter = new TransferMeter();
    meter.add({ doneBytes: 500, totalBytes: 1000, movedBytes: 500 }, 0);
    const state = meter.add({ doneBytes: 100, totalBytes: 1000, movedBytes: 100 }, 1000);
    assert.equal(state.bytesPerSecond, 0);
    assert.equal(state.remainingMs, undefined);
  });
});

describe("registries as people write them", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["docker.io", "docker.io"],
    ["https://index.docker.io/v1/", "docker.io"],
    ["registry-1.docker.io", "docker.io"],
    ["REGISTRY.example.com:5000", "registry.example.com:5000"],
    ["https://harbor.example.com/v2/", "harbor.example.com"],
    ["127.0.0.1:5000", "127.0.0.1:5000"],
    ["[::1]:5000", "[::1]:5000"],
    [" ghcr.io ", "ghcr.io"],
    ["", undefined],
    ["user@host", undefined],
    ["a b", undefined],
  ];
  for (const [written, registry] of cases) {
    test(`"${written}" is ${registry ?? "no registry"}`, () => assert.equal(registryOf(written), registry));
  }

  test("a reference belongs to the host it starts with, or to Docker Hub", () => {
    assert.equal(registryOfReference("ghcr.io/a/b:1"), "ghcr.io");
    assert.equal(registryOfReference("127.0.0.1:5000/a"), "127.0.0.1:5000");
    assert.equal(registryOfReference("localhost/a"), "localhost");
    assert.equal(registryOfReference("sealerio/kubernetes:v1"), "docker.io");
    assert.equal(registryOfReference("shop:1"), "docker.io");
  });
});

describe("where a push most likely goes", () => {
  test("an image that names its registry goes there", () => {
    const reference = "registry.example.com/shop/cluster:1";
    assert.equal(suggestedDestination(reference, "other.example.com/x/y:1", ["a.example.com"]), reference);
    assert.equal(
      suggestedDestination("docker.io/sealerio/kubernetes:1", undefined, []),
      "docker.io/sealerio/kubernetes:1",
    );
  });

  test("one that names none goes beside the last push, else to the only registry with a login, else the user says", () => {
    const reference = "docker.io/library/shop:1";
    assert.equal(
      suggestedDestination(reference, "registry.example.com/team/old:9", []),
      "registry.example.com/team/shop:1",
    );
    assert.equal(suggestedDestination(reference, undefined, ["harbor.example.com"]), "harbor.example.com/shop:1");
    assert.equal(suggestedDestination(reference, undefined, ["a.example.com", "b.example.com"]), "shop:1");
    assert.equal(suggestedDestination("localhost/shop:1", undefined, ["a.example.com"]), "a.example.com/shop:1");
    assert.equal(suggestedDestination("sha256:abc", undefined, ["a.example.com"]), "a.example.com/");
  });
});

describe("logins", () => {
  /** A stand-in for the editor's secret storage. */
  function secretsInMemory(): ConstructorParameters<typeof Credentials>[0] & { readonly held: Map<string, string> } {
    const held = new Map<string, string>();
    return {
      held,
      get: async (key) => held.get(key),
      store: async (key, value) => void held.set(key, value),
      delete: async (key) => void held.delete(key),
      keys: async () => [...held.keys()],
    };
  }

  test("what is kept is found by its registry until it is forgotten, and other secrets are nobody's registry", async () => {
    const secrets = secretsInMemory();
    secrets.held.set("something.else", "x");
    const credentials = new Credentials(secrets);
    await credentials.keep("b.example.com", { username: "alice", password: "s3cret" });
    await credentials.keep("a.example.com:5000", { username: "bob", password: "pa:ss" });
    assert.deepEqual(await credentials.registries(), ["a.example.com:5000", "b.example.com"]);
    assert.deepEqual(await credentials.find("a.example.com:5000"), { username: "bob", password: "pa:ss" });
    assert.equal(await credentials.find("a.example.com"), null);
    await credentials.forget("a.example.com:5000");
    assert.deepEqual(await credentials.registries(), ["b.example.com"]);
    assert.equal(await credentials.find("a.example.com:5000"), null);
  });

  test("a secret that cannot be read is no login", async () => {
    const secrets = secretsInMemory();
    secrets.held.set("kubefile.login.a.example.com", "{");
    secrets.held.set("kubefile.login.b.example.com", '{"username":1}');
    const credentials = new Credentials(secrets);
    assert.equal(await credentials.find("a.example.com"), null);
    assert.equal(await credentials.find("b.example.com"), null);
  });
});

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { makeBundle } from "../../support/bundles.ts";
import { startRegistryCommand as start } from "../../support/registryCommand.ts";
import { temporaryDir } from "../../support/temporary.ts";

test("a bundle is served with no network, its address printed, each pull told in a line, and it ends cleanly", async () => {
  await using dir = await temporaryDir("serve");
  const digests = await makeBundle(dir.path, ["registry.k8s.io/pause:3.9"]);
  const running = await start(
    "--store",
    path.join(dir.path, "store"),
    "--bundle",
    dir.path,
    "--offline",
    "--read-only",
  );
  const answer = await fetch(`${running.first}/v2/pause/manifests/3.9?ns=registry.k8s.io`);
  assert.equal(answer.headers.get("docker-content-digest"), digests.get("registry.k8s.io/pause:3.9")?.target);
  assert.equal((await fetch(`${running.first}/v2/pause/manifests/4?ns=registry.k8s.io`)).status, 404);
  const status = (await (await fetch(`${running.first}/_kubefile/status`)).json()) as {
    recent: string[];
    offline: boolean;
  };
  assert.equal(status.offline, true);
  assert.match(status.recent[0] ?? "", /^GET registry\.k8s\.io\/pause:3\.9 200 /);
  running.child.kill("SIGTERM");
  assert.equal(await running.ended, 0);
  assert.match(running.said[1] ?? "", /^GET registry\.k8s\.io\/pause:4 404 /);
});

test("a second registry that takes pushes into the same store says so and does not start", async () => {
  await using dir = await temporaryDir("serve");
  const first = await start("--store", dir.path, "--offline");
  const second = await start("--store", dir.path, "--offline");
  assert.match(second.first, /--read-only/);
  assert.equal(await second.ended, 1);
  first.child.kill("SIGINT");
  assert.equal(await first.ended, 0);
});

for (const [title, args] of [
  ["a folder without a registry", ["--bundle", "."]],
  ["a certificate without a key", ["--tls-cert", "a.crt"]],
  ["an upstream with a password", ["--upstream", "quay.io=https://a:b@example.com"]],
  ["a size that is none", ["--cache-size", "many"]],
] as const)
  test(`${title} is refused before anything is served`, async () => {
    await using dir = await temporaryDir("serve");
    const running = await start("--store", dir.path, ...args);
    assert.match(running.first, /^kubefile: /);
    assert.notEqual(await running.ended, 0);
  });

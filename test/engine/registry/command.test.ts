import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { digestOf } from "../../../engine/oci/digest.ts";
import { openStore } from "../../../engine/store/store.ts";
import { makeBundle } from "../../support/bundles.ts";
import { startRegistryCommand as start } from "../../support/registryCommand.ts";
import { temporaryDir } from "../../support/temporary.ts";
import { putImage } from "../../support/testImages.ts";

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

test("the container images inside a cluster image of the store are served without unpacking it", async () => {
  await using dir = await temporaryDir("serve");
  const digests = await makeBundle(dir.path, ["quay.io/y/z:1"], 50_000);
  const image = digests.get("quay.io/y/z:1");
  assert.ok(image);
  const storeDir = path.join(dir.path, "store");
  {
    await using store = openStore({ dir: storeDir, now: Date.now });
    await using lease = store.lease("test");
    const layer = execFileSync("tar", ["-c", "-C", dir.path, "registry"], { maxBuffer: 16 * 1024 * 1024 });
    await store.tag("docker.io/library/cluster:1", await putImage(lease, [layer]), AbortSignal.timeout(10_000));
  }
  await using running = await start("--store", storeDir, "--bundle", "cluster:1", "--offline");
  const answer = await fetch(`${running.first}/v2/y/z/manifests/1?ns=quay.io`);
  assert.equal(answer.headers.get("docker-content-digest"), image.target);
  const blob = await fetch(`${running.first}/v2/y/z/blobs/${image.layer}?ns=quay.io`);
  assert.equal(digestOf(Buffer.from(await blob.arrayBuffer())), image.layer);
  const own = await fetch(`${running.first}/v2/library/cluster/manifests/1`);
  assert.equal(own.status, 200);
});

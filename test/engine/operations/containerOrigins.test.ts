import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { quietFollower } from "../../../engine/commands/quietFollower.ts";
import { type Engine, openEngine } from "../../../engine/engine.ts";
import { digestOf } from "../../../engine/oci/digest.ts";
import { containerImagesOf } from "../../../engine/operations/containerOrigins.ts";
import type { PackedContainerImage } from "../../../engine/protocol.ts";
import { startRegistry, type TestRegistry } from "../../support/registryServer.ts";
import { temporaryDir } from "../../support/temporary.ts";
import { publishTinyImage } from "../../support/tinyImages.ts";

const signal = AbortSignal.timeout(60_000);
const follower = quietFollower(() => undefined);

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  template:
    spec:
      initContainers:
        - { name: wait, image: busybox:1 }
      containers:
        - { name: shop, image: "team/shop:2" }
        - { name: again, image: busybox:1 }
`;

suite("an image built here knows its container images and why it carries them", () => {
  let dir: Awaited<ReturnType<typeof temporaryDir>>;
  let registry: TestRegistry;
  let engine: Engine;
  before(async () => {
    dir = await temporaryDir("container-origins");
    registry = await startRegistry();
    const host = new URL(registry.url).host;
    await publishTinyImage(host, "library/busybox", "1");
    await publishTinyImage(host, "team/shop", "2");
    write("Kubefile", "FROM scratch\nAPP shop local://shop.yaml\nLAUNCH shop\n");
    write("shop.yaml", deployment);
    engine = openEngine({
      storeDir: path.join(dir.path, "store"),
      fetch,
      now: Date.now,
      log: () => undefined,
      world: { environment: {}, homeDir: dir.path },
    });
    await build("shop:1");
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await dir[Symbol.asyncDispose]();
  });

  function write(name: string, text: string): void {
    mkdirSync(path.join(dir.path, "context"), { recursive: true });
    writeFileSync(path.join(dir.path, "context", name), text);
  }

  function build(tag: string) {
    const params = {
      buildId: tag,
      contextDir: path.join(dir.path, "context"),
      tags: [tag],
      platforms: ["linux/amd64"],
      buildMode: "all" as const,
      containerImages: { mirrors: { "docker.io": new URL(registry.url).host } },
    };
    return engine.build(params, follower, signal);
  }

  const imagesOf = (name: string): readonly PackedContainerImage[] =>
    engine.inspect(name).images[0]?.containerImages ?? [];

  test("every image has its digest, its size, its application and each place that names it", () => {
    const [busybox, shop, ...others] = imagesOf("shop:1");
    assert.deepEqual(others, []);
    assert.equal(busybox?.image, "docker.io/library/busybox:1");
    assert.match(busybox?.digest ?? "", /^sha256:/);
    assert.equal(busybox?.digest, busybox?.platformDigest);
    assert.ok((busybox?.sizeBytes ?? 0) > 1024, "more than its layer");
    assert.deepEqual(busybox?.found, [
      "application/apps/shop/shop.yaml:8 (Deployment init container)",
      "application/apps/shop/shop.yaml:11 (Deployment container)",
    ]);
    assert.equal(shop?.appName, "shop");
    assert.deepEqual(shop?.found, ["application/apps/shop/shop.yaml:10 (Deployment container)"]);
  });

  test("an image built on it says which of them came with the base", async () => {
    write("Kubefile", "FROM shop:1\nCOPY more.yaml manifests/\n");
    write("more.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: team/shop:2\n");
    await build("derived:1");
    assert.deepEqual(
      imagesOf("derived:1").map(({ found }) => found),
      [["carried by the base image"], ["carried by the base image"]],
    );
  });

  test("the names of the annotation remain when nothing else is known", async () => {
    const annotation = '[{"image":"docker.io/library/nginx:1","appName":"web"}]';
    assert.deepEqual(containerImagesOf(engine.store, digestOf(Buffer.from("pulled")), annotation), [
      { image: "docker.io/library/nginx:1", appName: "web", found: [] },
    ]);
  });

  test("a prune of the whole cache leaves what is known of a named image, and takes it with the name", async () => {
    await engine.prune({ dryRun: false, all: true }, signal);
    assert.equal(imagesOf("shop:1")[0]?.found.length, 2);
    const { digest } = await engine.removeImage("shop:1");
    await engine.removeImage("derived:1");
    await engine.prune({ dryRun: false, all: true }, signal);
    assert.equal(engine.store.readRecord("container-origins", digest), undefined);
  });
});

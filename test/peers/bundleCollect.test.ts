import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { collectImages, type ImageToCollect } from "../../engine/bundle/collect.ts";
import { packRegistryLayer } from "../../engine/bundle/registryLayer.ts";
import { isEngineError } from "../../engine/errors.ts";
import { parseReference } from "../../engine/oci/reference.ts";
import { distributionLayout } from "../../engine/registry/distributionLayout.ts";
import { push } from "../../engine/remote/push.ts";
import type { Store } from "../../engine/store/contract.ts";
import { type CountingProxy, startCountingProxy } from "../support/countingProxy.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/dockerRegistry.ts";
import { testClient } from "../support/registryClient.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryDir, temporaryStore } from "../support/temporary.ts";
import { tagTestImage, tagTestIndex } from "../support/testImages.ts";

const signal = AbortSignal.timeout(120_000);
const amd64 = { os: "linux", architecture: "amd64" };
const wanted = (image: string, more: Partial<ImageToCollect> = {}): ImageToCollect => ({
  image,
  optional: false,
  findings: [],
  ...more,
});

suite("container images are collected from registries", { skip: skipWithoutProgram("docker-registry") }, () => {
  let registry: DockerRegistry;
  let proxy: CountingProxy;
  before(async () => {
    registry = await startDockerRegistry();
    proxy = await startCountingProxy(registry.host);
    await using temporary = await temporaryStore();
    await publish(temporary.store, await tagTestImage(temporary.store, "docker.io/test/shop:1", signal), "team/shop:1");
    await publish(
      temporary.store,
      await tagTestIndex(temporary.store, "docker.io/test/multi:1", signal),
      "team/multi:1",
    );
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  async function publish(store: Store, source: Parameters<typeof push>[2]["source"], name: string): Promise<void> {
    await using client = testClient();
    const destination = parseReference(`${registry.host}/${name}`);
    await push(
      client,
      store,
      { source, destination, platforms: { kind: "all" }, compression: { algorithm: "gzip", level: 1 } },
      () => undefined,
      signal,
    );
  }

  async function collect(
    store: Store,
    images: readonly ImageToCollect[],
    freshness: "newer" | "missing" | "never" = "newer",
  ) {
    await using client = testClient({ retryDelaysMs: [1] });
    await using lease = store.lease("test");
    const collected = await collectImages(images, {
      client,
      store,
      lease,
      platform: amd64,
      freshness,
      documentsOnly: false,
      mirrors: new Map(),
      onProgress: () => undefined,
      signal,
    });
    const layer = await packRegistryLayer(store, lease, distributionLayout(collected.images), signal);
    return { ...collected, layer };
  }

  test("an image and one platform of an index come into the store; the second time nothing moves", async () => {
    proxy.behave({ kind: "pass" });
    await using temporary = await temporaryStore();
    const images = [wanted(`${proxy.host}/team/shop:1`), wanted(`${proxy.host}/team/multi:1`)];
    const first = await collect(temporary.store, images);
    assert.ok(first.movedBytes > 0);
    const multi = first.images.find(({ image }) => image.includes("multi"));
    assert.equal(multi?.manifests.length, 2, "the index and the manifest of one platform");
    const asked = proxy.requests.length;
    const second = await collect(temporary.store, images);
    assert.equal(second.movedBytes, 0);
    assert.equal(second.layer.diffId, first.layer.diffId);
    const methods = new Set(proxy.requests.slice(asked).map((line) => line.split(" ")[0]));
    assert.deepEqual(methods, new Set(["HEAD"]));
  });

  test("without a network, what was collected before is enough", async () => {
    proxy.behave({ kind: "pass" });
    await using temporary = await temporaryStore();
    const images = [wanted(`${proxy.host}/team/shop:1`)];
    const first = await collect(temporary.store, images);
    proxy.behave({ kind: "hangUp" });
    assert.equal((await collect(temporary.store, images)).layer.diffId, first.layer.diffId);
    assert.equal((await collect(temporary.store, images, "never")).layer.diffId, first.layer.diffId);
  });

  test("an image held to a digest is taken by it, whatever its tag says now", async () => {
    proxy.behave({ kind: "pass" });
    await using temporary = await temporaryStore();
    const [held] = (await collect(temporary.store, [wanted(`${proxy.host}/team/shop:1`)])).images;
    await using other = await temporaryStore();
    const [again] = (await collect(other.store, [wanted(`${proxy.host}/team/shop:9`, { digest: held!.target })]))
      .images;
    assert.equal(again?.target, held?.target);
  });

  test("every image that cannot be had is named at once, with what asked for it; an optional one is left", async () => {
    proxy.behave({ kind: "pass" });
    await using temporary = await temporaryStore();
    const origin = { file: "manifests/app.yaml", line: 12, path: "spec" };
    const finding = { image: "x", text: "x", confidence: "certain" as const, rule: "Pod container", origin };
    const failing = collect(temporary.store, [
      wanted(`${proxy.host}/team/none:1`, { findings: [finding] }),
      wanted(`${proxy.host}/team/shop:1`),
      wanted(`${proxy.host}/team/shop:2`, { added: "for the site" }),
      wanted(`${proxy.host}/team/maybe:1`, { optional: true }),
    ]);
    await assert.rejects(failing, (error: unknown) => {
      assert.ok(isEngineError(error, "CONTAINER_IMAGES_UNAVAILABLE"));
      assert.deepEqual(
        error.facts.failures.map(({ image, askedBy }) => [image.replace(/^.*\/team/, "team"), askedBy]),
        [
          ["team/none:1", "manifests/app.yaml:12"],
          ["team/shop:2", "for the site"],
        ],
      );
      return true;
    });
    const { images, left } = await collect(temporary.store, [
      wanted(`${proxy.host}/team/shop:1`),
      wanted(`${proxy.host}/team/maybe:1`, { optional: true }),
    ]);
    assert.equal(images.length, 1);
    assert.deepEqual(
      left.map(({ image }) => image),
      [`${proxy.host}/team/maybe:1`],
    );
  });

  test("an image without the platform is a failure that names those there are", async () => {
    proxy.behave({ kind: "pass" });
    await using temporary = await temporaryStore();
    const { store } = temporary;
    await using client = testClient();
    await using lease = store.lease("test");
    const platform = { os: "linux", architecture: "s390x" };
    const options = {
      client,
      store,
      lease,
      platform,
      freshness: "newer",
      documentsOnly: false,
      mirrors: new Map(),
      onProgress: () => undefined,
      signal,
    } as const;
    await assert.rejects(collectImages([wanted(`${proxy.host}/team/multi:1`)], options), /linux\/amd64, linux\/arm64/);
  });

  test("what was packed is served, unpacked, by an unmodified docker-registry", async () => {
    proxy.behave({ kind: "pass" });
    await using temporary = await temporaryStore();
    const { store } = temporary;
    const { images, layer } = await collect(store, [
      wanted(`${proxy.host}/team/shop:1`),
      wanted(`${proxy.host}/team/multi:1`),
    ]);
    await using dir = await temporaryDir("bundle");
    const { spawnSync } = await import("node:child_process");
    const chunks: Uint8Array[] = [];
    for await (const chunk of store.read(layer.diffId, {}, signal)) chunks.push(Uint8Array.from(chunk));
    await using served = await startDockerRegistry();
    const unpacked = spawnSync("tar", ["-xf", "-", "-C", dir.path], { input: Buffer.concat(chunks) });
    assert.equal(unpacked.status, 0);
    const copied = spawnSync("sh", [
      "-c",
      'mkdir -p "$2" && cp -r "$1/registry/docker" "$2/"',
      "sh",
      dir.path,
      served.dir,
    ]);
    assert.equal(copied.status, 0, copied.stderr.toString());
    for (const { image, target } of images) {
      const { repository, tag } = parseReference(image);
      const answer = await fetch(`http://${served.host}/v2/${repository}/manifests/${tag}`, {
        headers: { Accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json" },
      });
      assert.equal(answer.headers.get("docker-content-digest"), target);
    }
    const inspected = spawnSync(
      "skopeo",
      [
        "copy",
        "--src-tls-verify=false",
        "--override-arch=amd64",
        `docker://${served.host}/team/multi:1`,
        `oci:${dir.path}/out:1`,
      ],
      { encoding: "utf8" },
    );
    assert.equal(inspected.status, 0, inspected.stderr);
  });
});

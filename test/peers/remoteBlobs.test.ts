import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { digestOf } from "../../engine/oci/digest.ts";
import { mediaTypes } from "../../engine/oci/mediaTypes.ts";
import { headBlob, readBlob } from "../../engine/remote/blobs.ts";
import { compressedContent, defaultCompression } from "../../engine/remote/compression.ts";
import { CompressionThreads } from "../../engine/remote/compressionThreads.ts";
import { bytesContent } from "../../engine/remote/content.ts";
import { deleteManifest, getManifest, headManifest, putManifest } from "../../engine/remote/manifests.ts";
import { listReferrers, putReferrer } from "../../engine/remote/referrers.ts";
import { listTags } from "../../engine/remote/tags.ts";
import { uploadBlob } from "../../engine/remote/uploads.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/dockerRegistry.ts";
import { testClient } from "../support/registryClient.ts";
import { skipWithoutProgram } from "../support/requirement.ts";

const signal = AbortSignal.timeout(60_000);

suite("the registry client beside docker-registry", { skip: skipWithoutProgram("docker-registry") }, () => {
  let registry: DockerRegistry;
  before(async () => {
    registry = await startDockerRegistry();
  });
  after(async () => await registry[Symbol.asyncDispose]());

  const where = (repository: string) => ({ what: "test", host: registry.host, repository });

  async function collect(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    return Buffer.concat(parts);
  }

  for (const [name, size] of [
    ["empty", 0],
    ["small", 10],
    ["of a few MiB", 5_000_001],
  ] as const) {
    test(`a blob that is ${name} comes back as it went`, async () => {
      await using client = testClient();
      const bytes = randomBytes(size);
      const digest = digestOf(bytes);
      assert.equal(await headBlob(client, where("a/b"), digest, signal), undefined);
      let sent = 0;
      const onSent = (count: number): void => {
        sent += count;
      };
      const done = await uploadBlob(client, where("a/b"), bytesContent(bytes, digest), { onSent }, signal);
      assert.deepEqual(done, { digest, sizeBytes: size, how: "uploaded" });
      assert.equal(sent, size);
      assert.equal(await headBlob(client, where("a/b"), digest, signal), size);
      const descriptor = { mediaType: mediaTypes.ociLayer, digest, size };
      assert.deepEqual(await collect(readBlob(client, where("a/b"), descriptor, signal)), bytes);
    });
  }

  test("a blob of a neighbour is mounted, not sent", async () => {
    await using client = testClient();
    const bytes = randomBytes(2_000_000);
    const content = bytesContent(bytes, digestOf(bytes));
    await uploadBlob(client, where("one"), content, { onSent: () => undefined }, signal);
    const onSent = () => assert.fail("nothing should travel");
    const mount = { digest: digestOf(bytes), sizeBytes: bytes.byteLength, from: ["one"] };
    const mounted = await uploadBlob(client, where("two"), content, { mount, onSent }, signal);
    assert.equal(mounted.how, "mounted");
    assert.equal(await headBlob(client, where("two"), digestOf(bytes), signal), bytes.byteLength);
  });

  test("a layer compressed while it is sent has the digest that was hashed in passing", async () => {
    await using client = testClient();
    const layer = Buffer.from("hello world, hello cluster\n".repeat(200_000));
    await using threads = new CompressionThreads(2);
    const open = (offset: number) => bytesContent(layer, digestOf(layer)).open(offset, signal);
    const content = compressedContent(open, defaultCompression, threads);
    const done = await uploadBlob(client, where("gz"), content, { onSent: () => undefined }, signal);
    const descriptor = { mediaType: mediaTypes.ociLayerGzip, digest: done.digest, size: done.sizeBytes };
    assert.deepEqual(gunzipSync(await collect(readBlob(client, where("gz"), descriptor, signal))), layer);
  });

  async function putImage(client: ReturnType<typeof testClient>, repository: string, tag: string) {
    const config = Buffer.from(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`);
    const options = { onSent: () => undefined };
    await uploadBlob(client, where(repository), bytesContent(config, digestOf(config)), options, signal);
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.byteLength },
      layers: [],
    };
    const bytes = Buffer.from(JSON.stringify(manifest, null, 3));
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.byteLength };
    await putManifest(client, where(repository), tag, { descriptor, bytes }, signal);
    return { descriptor, bytes, config: manifest.config };
  }

  test("a manifest keeps its bytes, its type and its digest", async () => {
    await using client = testClient();
    const { descriptor, bytes } = await putImage(client, "manifests", "v1");
    assert.deepEqual(await headManifest(client, where("manifests"), "v1", signal), descriptor);
    const got = await getManifest(client, where("manifests"), descriptor.digest, signal);
    assert.deepEqual({ ...got, bytes: Buffer.from(got.bytes) }, { descriptor, bytes });
    assert.equal(await headManifest(client, where("manifests"), "v2", signal), undefined);
    assert.equal(await deleteManifest(client, where("manifests"), descriptor.digest, signal), true);
    await assert.rejects(getManifest(client, where("manifests"), "v1", signal), { code: "REMOTE_NOT_FOUND" });
  });

  test("tags are listed", async () => {
    await using client = testClient();
    for (const tag of ["v1", "v2", "latest"]) await putImage(client, "tags", tag);
    const tags = (await Array.fromAsync(listTags(client, where("tags"), signal))).flat();
    assert.deepEqual([...tags].sort(), ["latest", "v1", "v2"]);
  });

  test("referrers are kept under the subject's tag where a registry has no API for them", async () => {
    await using client = testClient();
    const subject = await putImage(client, "referrers", "v1");
    const signed = (kind: string) => {
      const manifest = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        artifactType: kind,
        config: subject.config,
        layers: [],
        subject: subject.descriptor,
      };
      const bytes = Buffer.from(JSON.stringify(manifest));
      return {
        bytes,
        descriptor: { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.byteLength },
      };
    };
    const list = (type?: string) => listReferrers(client, where("referrers"), subject.descriptor.digest, type, signal);
    assert.deepEqual(await list(), []);
    await putReferrer(client, where("referrers"), signed("application/one"), signal);
    await putReferrer(client, where("referrers"), signed("application/two"), signal);
    await putReferrer(client, where("referrers"), signed("application/two"), signal);
    assert.deepEqual(
      (await list()).map((each) => each.artifactType),
      ["application/one", "application/two"],
    );
    assert.equal((await list("application/two")).length, 1);
  });
});

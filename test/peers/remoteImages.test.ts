import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { parseIndex } from "../../engine/oci/index.ts";
import { parseManifest } from "../../engine/oci/manifest.ts";
import { mediaTypes } from "../../engine/oci/mediaTypes.ts";
import { parseReference } from "../../engine/oci/reference.ts";
import { copy } from "../../engine/remote/copy.ts";
import { pull } from "../../engine/remote/pull.ts";
import { push } from "../../engine/remote/push.ts";
import type { Store } from "../../engine/store/contract.ts";
import { startContainerd } from "../support/containerd.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/dockerRegistry.ts";
import { testClient } from "../support/registryClient.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryDir, temporaryStore } from "../support/temporary.ts";
import { tagTestImage, tagTestIndex, tarOf, testAnnotations } from "../support/testImages.ts";

const run = promisify(execFile);
const signal = AbortSignal.timeout(300_000);
const gzip = { algorithm: "gzip", level: 1 } as const;
const all = { kind: "all" } as const;
const amd64 = { kind: "one", platform: { os: "linux", architecture: "amd64" } } as const;
const quiet = () => undefined;

suite("images travel between this store, docker-registry and other tools", {
  skip: skipWithoutProgram("docker-registry"),
}, () => {
  let registry: DockerRegistry;
  before(async () => {
    registry = await startDockerRegistry();
  });
  after(async () => await registry[Symbol.asyncDispose]());

  const at = (name: string) => parseReference(`${registry.host}/${name}`);

  async function pushTestImage(
    store: Store,
    name: string,
    compression: Parameters<typeof push>[2]["compression"] = gzip,
  ) {
    await using client = testClient();
    const source = await tagTestImage(store, `${registry.host}/${name}`, signal);
    return await push(client, store, { source, destination: at(name), platforms: all, compression }, quiet, signal);
  }

  async function pullInto(store: Store, name: string, platforms: typeof all | typeof amd64 = all) {
    await using client = testClient();
    return await pull(client, store, { reference: at(name), platforms, policy: "always" }, quiet, signal);
  }

  async function assertWhole(store: Store): Promise<void> {
    const report = await store.verify(signal);
    assert.deepEqual(report.damaged, []);
  }

  const annotationsOf = (manifest: Uint8Array) => {
    const { annotations = {} } = parseManifest(manifest, "test");
    return Object.fromEntries(Object.keys(testAnnotations).map((key) => [key, annotations[key]]));
  };

  test("what is pushed is pulled again, with the same bytes and annotations", async () => {
    await using here = await temporaryStore();
    await using there = await temporaryStore();
    const pushed = await pushTestImage(here.store, "round/trip:v1");
    assert.equal(pushed.blobs.uploaded, 3);
    const pulled = await pullInto(there.store, "round/trip:v1");
    assert.deepEqual(pulled.descriptor, pushed.descriptor);
    assert.equal(pulled.how, "pulled");
    assert.deepEqual(annotationsOf(there.store.readBytes(pulled.descriptor.digest, 1 << 20)), testAnnotations);
    await assertWhole(there.store);
  });

  test("a second push moves nothing, and one to a neighbour mounts", async () => {
    await using here = await temporaryStore();
    const first = await pushTestImage(here.store, "again/one:v1");
    const second = await pushTestImage(here.store, "again/one:v2");
    assert.deepEqual(second.blobs, { present: 3, mounted: 0, uploaded: 0 });
    assert.equal(second.movedBytes, 0);
    assert.equal(second.descriptor.digest, first.descriptor.digest);
    const third = await pushTestImage(here.store, "again/two:v1");
    assert.deepEqual(third.blobs, { present: 0, mounted: 3, uploaded: 0 });
  });

  test("a pull of what is here asks once and moves nothing; policies keep their word", async () => {
    await using there = await temporaryStore();
    await using here = await temporaryStore();
    await using client = testClient();
    await pushTestImage(here.store, "policy:v1");
    const request = { reference: at("policy:v1"), platforms: all } as const;
    await assert.rejects(pull(client, there.store, { ...request, policy: "never" }, quiet, signal), {
      code: "IMAGE_NOT_FOUND",
    });
    assert.equal((await pull(client, there.store, { ...request, policy: "missing" }, quiet, signal)).how, "pulled");
    for (const policy of ["missing", "never", "always", "newer"] as const) {
      assert.equal((await pull(client, there.store, { ...request, policy }, quiet, signal)).how, "present", policy);
    }
    await pushTestImage(here.store, "policy:v1", "none");
    assert.equal((await pull(client, there.store, { ...request, policy: "missing" }, quiet, signal)).how, "present");
    assert.equal((await pull(client, there.store, { ...request, policy: "newer" }, quiet, signal)).how, "pulled");
  });

  test("all platforms of an index are pushed; one of them can be pulled, and the others later", async () => {
    await using here = await temporaryStore();
    await using there = await temporaryStore();
    await using client = testClient();
    const source = await tagTestIndex(here.store, "docker.io/test/index:v1", signal);
    const request = { source, destination: at("index:v1"), platforms: all, compression: gzip } as const;
    const pushed = await push(client, here.store, request, quiet, signal);
    assert.equal(pushed.descriptor.mediaType, mediaTypes.ociIndex);
    const one = await pullInto(there.store, "index:v1", amd64);
    assert.deepEqual(one.descriptor, pushed.descriptor);
    const { manifests } = parseIndex(there.store.readBytes(one.descriptor.digest, 1 << 20), "index");
    const present = () => manifests.map((each) => there.store.stat(each.digest) !== undefined);
    assert.deepEqual(present(), [true, false]);
    const rest = await pullInto(there.store, "index:v1", all);
    assert.equal(rest.how, "pulled");
    assert.deepEqual(present(), [true, true]);
    assert.ok(rest.movedBytes > 0 && rest.movedBytes < one.movedBytes + 5000, "the shared layer came once");
    await assertWhole(there.store);
    const s390x = { kind: "one", platform: { os: "linux", architecture: "s390x" } } as const;
    await assert.rejects(
      pull(
        client,
        there.store,
        { ...request, reference: at("index:v1"), platforms: s390x, policy: "always" },
        quiet,
        signal,
      ),
      {
        code: "IMAGE_PLATFORM_MISSING",
        message: /choose one of linux\/amd64, linux\/arm64/,
      },
    );
  });

  test("an index of which one platform is here is not pushed as if it were whole", async () => {
    await using here = await temporaryStore();
    await using there = await temporaryStore();
    await using client = testClient();
    const source = await tagTestIndex(here.store, "docker.io/test/index:v1", signal);
    await push(
      client,
      here.store,
      { source, destination: at("sparse:v1"), platforms: all, compression: gzip },
      quiet,
      signal,
    );
    const { descriptor } = await pullInto(there.store, "sparse:v1", amd64);
    const elsewhere = { source: descriptor, destination: at("sparse-copy:v1"), compression: gzip } as const;
    await assert.rejects(push(client, there.store, { ...elsewhere, platforms: all }, quiet, signal), {
      code: "IMAGE_INCOMPLETE",
    });
    const back = { ...elsewhere, destination: at("sparse:v2"), platforms: all } as const;
    assert.equal((await push(client, there.store, back, quiet, signal)).descriptor.digest, descriptor.digest);
    const one = await push(client, there.store, { ...elsewhere, platforms: amd64 }, quiet, signal);
    assert.equal(one.descriptor.mediaType, mediaTypes.ociManifest);
  });

  test("a copy from repository to repository keeps the digest and stores nothing", async () => {
    await using here = await temporaryStore();
    await using other = await startDockerRegistry();
    await using client = testClient();
    const source = await tagTestIndex(here.store, "docker.io/test/index:v1", signal);
    const pushed = await push(
      client,
      here.store,
      { source, destination: at("copy:v1"), platforms: all, compression: gzip },
      quiet,
      signal,
    );
    const request = { source: at("copy:v1"), platforms: all, withReferrers: true } as const;
    const near = await copy(client, { ...request, destination: at("copied:v1") }, quiet, signal);
    assert.equal(near.descriptor.digest, pushed.descriptor.digest);
    assert.equal(near.movedBytes, 0);
    const far = await copy(client, { ...request, destination: parseReference(`${other.host}/far:v1`) }, quiet, signal);
    assert.equal(far.descriptor.digest, pushed.descriptor.digest);
    assert.ok(far.movedBytes > 0);
    await using there = await temporaryStore();
    const reference = parseReference(`${other.host}/far:v1`);
    await pull(client, there.store, { reference, platforms: all, policy: "always" }, quiet, signal);
    await assertWhole(there.store);
  });

  for (const compression of [gzip, { algorithm: "zstd", level: 3 } as const, "none" as const]) {
    const label = compression === "none" ? "uncompressed" : compression.algorithm;

    test(`skopeo and buildah read what was pushed ${label}, annotations and files`, {
      skip: skipWithoutProgram("skopeo") || skipWithoutProgram("buildah"),
    }, async () => {
      await using here = await temporaryStore();
      await using dir = await temporaryDir("skopeo");
      const name = `skopeo-${label}:v1`;
      await pushTestImage(here.store, name, compression);
      const image = `docker://${registry.host}/${name}`;
      const raw = await run("skopeo", ["inspect", "--raw", "--tls-verify=false", image]);
      assert.deepEqual(annotationsOf(Buffer.from(raw.stdout)), testAnnotations);
      await run("skopeo", ["copy", "--src-tls-verify=false", image, `oci:${dir.path}/oci:v1`]);
      const buildah = (...args: string[]) =>
        run("buildah", [
          "--root",
          `${dir.path}/root`,
          "--runroot",
          `${dir.path}/run`,
          "--storage-driver",
          "vfs",
          ...args,
        ]);
      const container = (await buildah("from", "--tls-verify=false", `${registry.host}/${name}`)).stdout.trim();
      const mounted = (await buildah("mount", container)).stdout.trim();
      assert.equal(await readFile(path.join(mounted, "etc/kubeadm.yml"), "utf8"), "kind: ClusterConfiguration\n");
      assert.equal((await readFile(path.join(mounted, "bin/tool"))).byteLength, 300_000);
      await buildah("rm", "-a");
    });
  }

  test("podman pulls what was pushed", { skip: skipWithoutProgram("podman") }, async () => {
    await using here = await temporaryStore();
    await using dir = await temporaryDir("podman");
    await pushTestImage(here.store, "podman:v1");
    const podman = (...args: string[]) =>
      run("podman", ["--root", `${dir.path}/root`, "--runroot", `${dir.path}/run`, "--storage-driver", "vfs", ...args]);
    await podman("pull", "--tls-verify=false", `${registry.host}/podman:v1`);
    const { stdout } = await podman(
      "image",
      "inspect",
      "--format",
      "{{json .Annotations}}",
      `${registry.host}/podman:v1`,
    );
    assert.equal(JSON.parse(stdout)["sealer.image.extension"], testAnnotations["sealer.image.extension"]);
  });

  test("containerd pulls what was pushed", { skip: skipWithoutProgram("containerd") }, async () => {
    await using here = await temporaryStore();
    await using containerd = await startContainerd();
    await pushTestImage(here.store, "containerd:v1");
    await containerd.ctr("images", "pull", "--plain-http", "--snapshotter", "native", `${registry.host}/containerd:v1`);
    assert.match(await containerd.ctr("images", "ls", "-q"), /containerd:v1/);
  });

  test("what skopeo copied from an OCI layout is pulled, and stays byte for byte", {
    skip: skipWithoutProgram("skopeo"),
  }, async () => {
    await using here = await temporaryStore();
    await using there = await temporaryStore();
    await using dir = await temporaryDir("layout");
    await pushTestImage(here.store, "layout:v1");
    const layout = `oci:${dir.path}/oci:v1`;
    await run("skopeo", ["copy", "--src-tls-verify=false", `docker://${registry.host}/layout:v1`, layout]);
    await run("skopeo", ["copy", "--dest-tls-verify=false", layout, `docker://${registry.host}/from-skopeo:v1`]);
    const { descriptor } = await pullInto(there.store, "from-skopeo:v1");
    assert.deepEqual(annotationsOf(there.store.readBytes(descriptor.digest, 1 << 20)), testAnnotations);
    await assertWhole(there.store);
  });

  for (const format of ["oci", "docker"] as const) {
    test(`what buildah built and pushed in ${format} format is pulled, and pushed on unchanged`, {
      skip: skipWithoutProgram("buildah"),
    }, async () => {
      await using there = await temporaryStore();
      await using dir = await temporaryDir("buildah");
      await mkdir(`${dir.path}/context`);
      await writeFile(`${dir.path}/context/layer.tar`, await tarOf({ "a/b": "c" }));
      await writeFile(`${dir.path}/context/Dockerfile`, "FROM scratch\nCOPY layer.tar /layer.tar\nENV A=b\n");
      const buildah = (...args: string[]) =>
        run("buildah", [
          "--root",
          `${dir.path}/root`,
          "--runroot",
          `${dir.path}/run`,
          "--storage-driver",
          "vfs",
          ...args,
        ]);
      await buildah("bud", "--isolation", "chroot", "--format", format, "-t", "made:v1", `${dir.path}/context`);
      const name = `from-buildah-${format}`;
      await buildah("push", "--tls-verify=false", "made:v1", `docker://${registry.host}/${name}:v1`);
      const { descriptor } = await pullInto(there.store, `${name}:v1`);
      assert.equal(descriptor.mediaType, format === "oci" ? mediaTypes.ociManifest : mediaTypes.dockerManifest);
      await assertWhole(there.store);
      await using client = testClient();
      const request = {
        source: descriptor,
        destination: at(`${name}-on:v1`),
        platforms: all,
        compression: gzip,
      } as const;
      assert.equal((await push(client, there.store, request, quiet, signal)).descriptor.digest, descriptor.digest);
    });
  }
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { quietFollower } from "../../engine/commands/quietFollower.ts";
import { parseLock } from "../../engine/discover/lock.ts";
import { type Engine, openEngine } from "../../engine/engine.ts";
import { parseDigest } from "../../engine/oci/digest.ts";
import { parseReference } from "../../engine/oci/reference.ts";
import type { BuildParams } from "../../engine/protocol.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/dockerRegistry.ts";
import { corpusDir, skipWithoutCorpus, skipWithoutProgram } from "../support/requirement.ts";
import { temporaryDir } from "../support/temporary.ts";
import { publishTinyImage } from "../support/tinyImages.ts";

const signal = AbortSignal.timeout(280_000);
const privateHost = "registry.private.example";
const login = { username: "site", password: "for-the-test-only" };

/** Folders of the corpus that name images: sealer's fixtures, and applications of sealos and sealer. */
const contexts = [
  "kubefiles/sealer-fixtures/build_with_cmds",
  "kubefiles/sealer-fixtures/build_with_launch",
  "kubefiles/sealer-fixtures/build_with_appcmds",
  "kubefiles/sealer-fixtures/build_with_multi_arch",
  "kubefiles/sealer-fixtures/build_with_imagelist_flag",
  "kubefiles/cluster-image/applications/metallb/v0.13.7",
  "kubefiles/cluster-image/applications/memcached/1.6.17",
  "kubefiles/cluster-image/applications/istio/v1.14.2",
  "kubefiles/cluster-image/applications/endpoints-operator/v0.2.0",
  "kubefiles/cluster-image/applications/kong-ingress-controller/2.7.0",
  "kubefiles/cluster-image/applications/awx-operator/v1.1.0",
  "kubefiles/cluster-image/applications/mysql-operator/8.0.27-18.1",
  "kubefiles/cluster-image/applications/flink-kubernetes-operator/1.2.0",
  "kubefiles/cluster-image/applications/kubevirt/v0.57.0",
  "kubefiles/cluster-image/applications/mongodb-community-operator/0.7.6",
  "kubefiles/cluster-image/applications/nfs-subdir-external-provisioner/v4.0.17",
];

suite("applications of public projects are packed with every image and served where there is no network", {
  skip: skipWithoutProgram("docker-registry") || skipWithoutProgram("htpasswd", "apache2-utils") || skipWithoutCorpus(),
}, () => {
  let hub: DockerRegistry;
  let quay: DockerRegistry;
  let closed: DockerRegistry;
  let dir: Awaited<ReturnType<typeof temporaryDir>>;
  let engine: Engine;

  before(async () => {
    dir = await temporaryDir("packing");
    const htpasswd = path.join(dir.path, "htpasswd");
    const made = spawnSync("htpasswd", ["-Bbn", login.username, login.password], { encoding: "utf8" });
    writeFileSync(htpasswd, made.stdout);
    [hub, quay, closed] = await Promise.all([
      startDockerRegistry(),
      startDockerRegistry(),
      startDockerRegistry({ htpasswd }),
    ]);
    const credentials = {
      find: async (registry: string) =>
        registry === closed.host ? { kind: "password" as const, ...login } : undefined,
    };
    engine = openEngine({
      storeDir: path.join(dir.path, "store"),
      fetch,
      now: Date.now,
      log: () => undefined,
      world: { environment: {}, homeDir: dir.path, credentials },
    });
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
    await Promise.all([hub, quay, closed].map((registry) => registry[Symbol.asyncDispose]()));
    await dir[Symbol.asyncDispose]();
  });

  /** docker.io is one registry, the private one another, everything else the third. */
  function standIn(host: string): DockerRegistry {
    if (host === "docker.io") return hub;
    return host === privateHost ? closed : quay;
  }

  /** A copy of a context, so that its lock can be written beside its Kubefile. */
  function copyOf(context: string): { readonly contextDir: string; readonly kubefile: string } {
    const contextDir = path.join(dir.path, "contexts", context);
    cpSync(path.join(corpusDir, context), contextDir, { recursive: true });
    for (const made of ["registry", "opt", "images"]) mkdirSync(path.join(contextDir, made), { recursive: true });
    const kubefile = ["Kubefile", "Dockerfile"].map((name) => path.join(contextDir, name)).find(existsSync);
    assert.ok(kubefile, `${context} has no Kubefile`);
    return { contextDir, kubefile };
  }

  function paramsOf(
    place: { readonly contextDir: string; readonly kubefile: string },
    hosts: Iterable<string>,
    more: object = {},
  ): BuildParams {
    const mirrors = Object.fromEntries([...hosts].map((host) => [host, standIn(host).host]));
    return {
      ...place,
      buildId: "test",
      tags: ["packed:1"],
      platforms: ["linux/amd64"],
      buildMode: "all",
      containerImages: { mirrors, ...more },
    };
  }

  /** Builds once to learn what is missing, publishes that, and builds again. */
  async function buildWithImages(place: { readonly contextDir: string; readonly kubefile: string }, more: object = {}) {
    const { discoverPath } = await import("../../engine/operations/discoverPath.ts");
    const found = await discoverPath(place.contextDir, { valueSets: [] }, signal);
    const names = new Set(
      found.findings.filter(({ confidence }) => confidence !== "declared").map(({ image }) => image),
    );
    for (const list of ["imagelist", "imageList"]) {
      const file = path.join(place.contextDir, list);
      if (existsSync(file))
        for (const line of readFileSync(file, "utf8").split("\n"))
          if (line.trim() !== "") names.add(parseName(line.trim()));
    }
    for (const name of names) {
      const { host, repository, tag = "latest" } = parseReference(name);
      await publishTinyImage(standIn(host).host, repository, tag, standIn(host) === closed ? login : undefined);
    }
    const params = paramsOf(place, new Set([...names].map((name) => parseReference(name).host)), more);
    const locked = await engine.lock(
      params,
      { update: false, check: false },
      quietFollower(() => undefined),
      signal,
    );
    const built = await engine.build(
      { ...params, containerImages: { ...params.containerImages, locked: true } },
      quietFollower(() => undefined),
      signal,
    );
    return { built, locked, names };
  }

  /** Unpacks the `registry/` folder of an image into the storage of a fresh, unmodified registry and asks it for every image of the lock. */
  async function servesEverything(digest: string, lockFile: string): Promise<number> {
    const details = engine.inspect(digest);
    const layer = details.images[0]?.layers.at(-1);
    assert.equal(layer?.createdBy, "container images");
    const chunks: Uint8Array[] = [];
    for await (const chunk of engine.store.read(parseDigest(layer?.diffId ?? ""), {}, signal))
      chunks.push(Uint8Array.from(chunk));
    await using out = await temporaryDir("served");
    const unpacked = spawnSync("tar", ["-xf", "-", "-C", out.path], { input: Buffer.concat(chunks), maxBuffer: 1e9 });
    assert.equal(unpacked.status, 0);
    await using served = await startDockerRegistry();
    rmSync(served.dir, { recursive: true, force: true });
    cpSync(path.join(out.path, "registry"), served.dir, { recursive: true });
    const { lock } = parseLock(readFileSync(lockFile, "utf8"));
    for (const image of lock.images) {
      const { repository, tag, digest: pinned } = parseReference(image.image);
      const answer = await fetch(`http://${served.host}/v2/${repository}/manifests/${pinned ?? tag}`, {
        headers: { Accept: "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json" },
      });
      assert.equal(answer.headers.get("docker-content-digest"), image.digest, `${image.image}: ${answer.status}`);
      const manifest = (await answer.json()) as { config: { digest: string }; layers: { digest: string }[] };
      for (const blob of [manifest.config, ...manifest.layers]) {
        const got = await fetch(`http://${served.host}/v2/${repository}/blobs/${blob.digest}`, { method: "HEAD" });
        assert.equal(got.status, 200, `${image.image} lacks ${blob.digest}`);
      }
    }
    return lock.images.length;
  }

  for (const context of contexts)
    test(`${context} builds with all its images, and an unmodified registry serves them`, async () => {
      const place = copyOf(context);
      const list = path.join(place.contextDir, "imagelist");
      const { built, locked } = await buildWithImages(place, existsSync(list) ? { imageListFile: list } : {});
      assert.ok(locked.images.length > 0);
      assert.equal(await servesEverything(built.digest, locked.path), locked.images.length);
    });

  test("images of a registry that wants a login are packed too, and the second build moves nothing", async () => {
    const contextDir = path.join(dir.path, "private");
    mkdirSync(path.join(contextDir, "manifests"), { recursive: true });
    writeFileSync(path.join(contextDir, "Kubefile"), "FROM scratch\nCOPY manifests manifests\n");
    writeFileSync(
      path.join(contextDir, "manifests/pod.yaml"),
      `apiVersion: v1\nkind: Pod\nspec: { containers: [{ name: a, image: "${privateHost}/team/secret:1" }, { name: b, image: "x:1" }] }\n`,
    );
    const place = { contextDir, kubefile: path.join(contextDir, "Kubefile") };
    const { built, locked } = await buildWithImages(place);
    assert.equal(await servesEverything(built.digest, locked.path), 2);
    const again = await engine.build(
      paramsOf(place, ["docker.io", privateHost]),
      quietFollower(() => undefined),
      signal,
    );
    assert.equal(again.digest, built.digest);
    assert.equal(again.containerImages?.movedBytes, 0);
  });

  test("charts are rendered with assignments and with the files that the lock names too", async () => {
    const contextDir = path.join(dir.path, "values");
    const chart = path.join(contextDir, "charts/web");
    mkdirSync(path.join(chart, "templates"), { recursive: true });
    writeFileSync(path.join(contextDir, "Kubefile"), "FROM scratch\nCOPY charts charts\n");
    writeFileSync(path.join(chart, "Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    writeFileSync(path.join(chart, "values.yaml"), "tag: v1\nsidecar: false\n");
    writeFileSync(
      path.join(chart, "templates/pod.yaml"),
      'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  containers:\n    - { name: a, image: "team/web:{{ .Values.tag }}" }\n{{- if .Values.sidecar }}\n    - { name: b, image: "team/sidecar:1" }\n{{- end }}\n',
    );
    writeFileSync(path.join(contextDir, "site.yaml"), "tag: v2\n");
    writeFileSync(path.join(contextDir, "kubefile.lock"), "version: 1\nimages: []\nvalues:\n  - site.yaml\n");
    for (const [repository, tag] of [
      ["team/web", "v1"],
      ["team/web", "v2"],
      ["team/sidecar", "1"],
    ] as const)
      await publishTinyImage(hub.host, repository, tag);
    const place = { contextDir, kubefile: path.join(contextDir, "Kubefile") };
    const params = paramsOf(place, ["docker.io"], { setValues: ["sidecar=true"] });
    const { images } = await engine.lock(
      params,
      { update: false, check: false },
      quietFollower(() => undefined),
      signal,
    );
    assert.deepEqual(
      images.map(({ image }) => image),
      ["docker.io/team/sidecar:1", "docker.io/team/web:v1", "docker.io/team/web:v2"],
    );
    assert.match(readFileSync(path.join(contextDir, "kubefile.lock"), "utf8"), /values:\n {2}- site\.yaml\n/);
  });

  test("a second image of another host with the same path and tag is packed beside the first", async () => {
    const contextDir = path.join(dir.path, "collision");
    mkdirSync(path.join(contextDir, "manifests"), { recursive: true });
    writeFileSync(path.join(contextDir, "Kubefile"), "FROM scratch\nCOPY manifests manifests\n");
    writeFileSync(path.join(contextDir, "manifests/imageList"), "docker.io/team/same:1\nquay.io/team/same:1\n");
    const { built } = await buildWithImages({ contextDir, kubefile: path.join(contextDir, "Kubefile") });
    const [image] = engine.inspect(built.digest).images;
    assert.deepEqual(
      image?.containerImages?.map(({ image: name }) => name),
      ["docker.io/team/same:1", "quay.io/team/same:1"],
    );
  });
});

function parseName(text: string): string {
  const { host, repository, tag = "latest" } = parseReference(text);
  return `${host}/${repository}:${tag}`;
}

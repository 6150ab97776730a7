import assert from "node:assert/strict";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { type Digest, digestOf } from "../../../engine/oci/digest.ts";
import { openBundleContent } from "../../../engine/registry/bundleContent.ts";
import { bundleFilesOfTree, openBundleDirectory } from "../../../engine/registry/bundleFiles.ts";
import type { Content } from "../../../engine/registry/content.ts";
import { makeBundle } from "../../support/bundles.ts";
import { temporaryDir } from "../../support/temporary.ts";

const signal = AbortSignal.timeout(30_000);

async function tagOf(content: Content, name: string, host?: string): Promise<Digest | undefined> {
  const [repository = "", tag = ""] = name.split(":");
  const manifest = await content.manifest({ path: repository, ...(host === undefined ? {} : { host }) }, tag, signal);
  return manifest?.digest;
}

async function bytesOf(
  content: Content,
  repository: string,
  digest: Digest,
  host?: string,
): Promise<Buffer | undefined> {
  const blob = await content.blob({ path: repository, ...(host === undefined ? {} : { host }) }, digest, signal);
  if (blob === undefined) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of blob.read(0, blob.sizeBytes, signal)) chunks.push(Buffer.from(chunk));
  await blob.close();
  return Buffer.concat(chunks);
}

test("two hosts with the same path and tag stay apart, by ns and by path", async () => {
  await using dir = await temporaryDir("bundle");
  const digests = await makeBundle(dir.path, ["a.io/x:1", "b.io/x:1"]);
  const content = await openBundleContent(await openBundleDirectory(dir.path), signal);
  for (const host of ["a.io", "b.io"]) {
    const digest = digests.get(`${host}/x:1`)?.target;
    assert.ok(digest);
    assert.equal(await tagOf(content, "x:1", host), digest);
    assert.equal(await tagOf(content, `${host}/x:1`), digest);
  }
  assert.notEqual(digests.get("a.io/x:1")?.target, digests.get("b.io/x:1")?.target);
  assert.equal(await tagOf(content, "x:1", "c.io"), undefined);
  assert.equal(await tagOf(content, "x:1"), undefined);
});

test("a bare path is the image of the only host that has it, or Docker Hub's", async () => {
  await using dir = await temporaryDir("bundle");
  const digests = await makeBundle(dir.path, [
    "registry.k8s.io/pause:3.9",
    "docker.io/library/y:1",
    "quay.io/library/y:1",
  ]);
  const content = await openBundleContent(
    await openBundleDirectory(path.dirname(path.join(dir.path, "registry"))),
    signal,
  );
  assert.equal(await tagOf(content, "pause:3.9"), digests.get("registry.k8s.io/pause:3.9")?.target);
  assert.equal(await tagOf(content, "library/y:1"), digests.get("docker.io/library/y:1")?.target);
  assert.equal(await tagOf(content, "y:1"), digests.get("docker.io/library/y:1")?.target);
  assert.deepEqual(content.repositories(), ["docker.io/library/y", "quay.io/library/y", "registry.k8s.io/pause"]);
  assert.deepEqual(await content.tags({ path: "pause", host: "registry.k8s.io" }, signal), ["3.9"]);
});

test("a host with its port is found by the port's form in a path", async () => {
  await using dir = await temporaryDir("bundle");
  const digests = await makeBundle(dir.path, ["reg.example:5000/team/app:2"]);
  const content = await openBundleContent(await openBundleDirectory(dir.path), signal);
  const digest = digests.get("reg.example:5000/team/app:2")?.target;
  assert.equal(await tagOf(content, "team/app:2", "reg.example:5000"), digest);
  assert.equal(await tagOf(content, "reg.example_5000_/team/app:2"), digest);
});

test("a folder that sealer made, without an index, answers every host by its path", async () => {
  await using dir = await temporaryDir("bundle");
  const digests = await makeBundle(dir.path, ["quay.io/a/b:1"]);
  await rm(path.join(dir.path, "registry/kubefile-index.json"));
  const content = await openBundleContent(await openBundleDirectory(dir.path), signal);
  for (const host of [undefined, "quay.io", "ghcr.io"])
    assert.equal(await tagOf(content, "a/b:1", host), digests.get("quay.io/a/b:1")?.target);
  assert.deepEqual(content.repositories(), ["a/b"]);
});

test("blobs are read whole and by digest, and only in the repositories that link them", async () => {
  await using dir = await temporaryDir("bundle");
  const digests = await makeBundle(dir.path, ["quay.io/a/b:1", "quay.io/other:1"]);
  const content = await openBundleContent(await openBundleDirectory(dir.path), signal);
  const layer = digests.get("quay.io/a/b:1")?.layer;
  assert.ok(layer);
  const bytes = await bytesOf(content, "a/b", layer, "quay.io");
  assert.equal(bytes === undefined ? undefined : digestOf(bytes), layer);
  assert.equal(await bytesOf(content, "other", layer, "quay.io"), undefined);
});

test("a manifest or a configuration that was changed on disk is not served", async () => {
  await using dir = await temporaryDir("bundle");
  const digests = await makeBundle(dir.path, ["quay.io/a/b:1"]);
  const image = digests.get("quay.io/a/b:1");
  assert.ok(image);
  for (const digest of [image.target, image.layer]) {
    const hex = digest.slice(7);
    await writeFile(
      path.join(dir.path, `registry/docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`),
      "changed",
    );
  }
  const content = await openBundleContent(await openBundleDirectory(dir.path), signal);
  await assert.rejects(content.manifest({ path: "a/b", host: "quay.io" }, "1", signal), { code: "BLOB_CORRUPT" });
  await assert.rejects(content.blob({ path: "a/b", host: "quay.io" }, image.layer, signal), { code: "BLOB_CORRUPT" });
});

test("a link that leads out of the folder is not followed", async () => {
  await using dir = await temporaryDir("bundle");
  const digests = await makeBundle(dir.path, ["quay.io/a/b:1"]);
  const layer = digests.get("quay.io/a/b:1")?.layer;
  assert.ok(layer);
  const hex = layer.slice(7);
  const data = path.join(dir.path, `registry/docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`);
  await writeFile(path.join(dir.path, "secret"), "secret");
  await rm(data);
  await symlink(path.join(dir.path, "secret"), data);
  const content = await openBundleContent(await openBundleDirectory(dir.path), signal);
  assert.equal(await bytesOf(content, "a/b", layer, "quay.io"), undefined);
});

test("a folder without a registry is told as such", async () => {
  await using dir = await temporaryDir("bundle");
  await mkdir(path.join(dir.path, "registry"));
  await assert.rejects(openBundleDirectory(dir.path), { code: "BUNDLE_UNREADABLE" });
});

test("the files of an image's tree are served like those of a folder", async () => {
  await using dir = await temporaryDir("bundle");
  const digests = await makeBundle(dir.path, ["quay.io/a/b:1"]);
  const disk = await openBundleDirectory(dir.path);
  const paths = ["etc/hosts"];
  const sizes = new Map<string, number>();
  const walk = async (folder: string): Promise<void> => {
    for (const name of await disk.list(folder)) {
      const file = folder === "" ? name : `${folder}/${name}`;
      const size = await disk.sizeOf(file);
      if (size === undefined) await walk(file);
      else {
        paths.push(`registry/${file}`);
        sizes.set(`registry/${file}`, size);
      }
    }
  };
  await walk("");
  const tree = bundleFilesOfTree(
    {
      where: "an image",
      paths,
      sizeOf: (file) => sizes.get(file),
      readRange: (file, start, end, aborted) => disk.read(file.slice("registry/".length), start, end, aborted),
    },
    "registry",
  );
  const content = await openBundleContent(tree, signal);
  const image = digests.get("quay.io/a/b:1");
  assert.ok(image);
  assert.equal(await tagOf(content, "a/b:1", "quay.io"), image.target);
  assert.equal(digestOf((await bytesOf(content, "a/b", image.layer)) ?? ""), image.layer);
});

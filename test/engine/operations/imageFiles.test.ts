import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { EngineError, type ErrorCode } from "../../../engine/errors.ts";
import { encodeConfig } from "../../../engine/oci/config.ts";
import type { Digest } from "../../../engine/oci/digest.ts";
import { digestOf } from "../../../engine/oci/digest.ts";
import { encodeManifest } from "../../../engine/oci/manifest.ts";
import { mediaTypes } from "../../../engine/oci/mediaTypes.ts";
import {
  diffImageFiles,
  entryOf,
  largestShownBytes,
  listFolder,
  readImageFile,
} from "../../../engine/operations/imageFiles.ts";
import { OpenTrees } from "../../../engine/operations/openTrees.ts";
import type { ImageEntry } from "../../../engine/protocol.ts";
import type { Store } from "../../../engine/store/contract.ts";
import { temporaryDir, temporaryStore } from "../../support/temporary.ts";

const signal = AbortSignal.timeout(60_000);

/** A tar of a folder that `fill` makes, by GNU tar. */
async function layerOf(fill: (dir: string) => Promise<unknown>): Promise<Buffer> {
  await using dir = await temporaryDir("layer");
  const root = path.join(dir.path, "root");
  await mkdir(root);
  await fill(root);
  const options = [
    "--sort=name",
    "--owner=0",
    "--group=0",
    "--mtime=@60",
    "-cf",
    path.join(dir.path, "a.tar"),
    "-C",
    root,
    ".",
  ];
  const made = spawnSync("tar", options);
  assert.equal(made.status, 0, made.stderr.toString());
  return await readFile(path.join(dir.path, "a.tar"));
}

/** Stores an image of gzipped layers, as a registry would send them. */
async function storeImage(store: Store, name: string, layers: readonly Buffer[]): Promise<Digest> {
  await using lease = store.lease("test");
  const stored = [];
  for (const layer of layers) {
    const { digest, sizeBytes } = await lease.putBytes(gzipSync(layer));
    stored.push({ mediaType: mediaTypes.ociLayerGzip, digest, size: sizeBytes });
  }
  const config = await lease.putBytes(
    encodeConfig({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: layers.map((each) => digestOf(each)) },
    }),
  );
  const manifest = await lease.putBytes(
    encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.sizeBytes },
      layers: stored,
    }),
  );
  const target = { mediaType: mediaTypes.ociManifest, digest: manifest.digest, size: manifest.sizeBytes };
  await store.tag(name, target, signal);
  return manifest.digest;
}

async function twoLayers(store: Store): Promise<Digest> {
  const lower = await layerOf(async (dir) => {
    await mkdir(path.join(dir, "etc/deep"), { recursive: true });
    await writeFile(path.join(dir, "etc/kept.yaml"), "kept: true\n");
    await writeFile(path.join(dir, "etc/gone.yaml"), "gone: true\n");
    await writeFile(path.join(dir, "etc/deep/old"), "old\n");
    await symlink("/etc/kept.yaml", path.join(dir, "link"));
    await symlink("nowhere", path.join(dir, "dangling"));
    await symlink("../../../../etc", path.join(dir, "etc/deep/up"));
  });
  const upper = await layerOf(async (dir) => {
    await mkdir(path.join(dir, "etc/deep"), { recursive: true });
    await writeFile(path.join(dir, "etc/.wh.gone.yaml"), "");
    await writeFile(path.join(dir, "etc/deep/.wh..wh..opq"), "");
    await writeFile(path.join(dir, "etc/deep/new"), "new\n");
    await writeFile(path.join(dir, "etc/ü.txt"), "umlaut\n");
  });
  return await storeImage(store, "docker.io/library/two:1", [lower, upper]);
}

const text = (read: { readonly base64: string }): string => Buffer.from(read.base64, "base64").toString("utf8");
const brief = (entries: readonly ImageEntry[]): string[] => entries.map(({ name, kind }) => `${name} ${kind}`);
const code = (wanted: ErrorCode) => (error: unknown) => error instanceof EngineError && error.code === wanted;

test("the merged root file system is what the layers make together, and its files read as they were", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await using trees = new OpenTrees(store);
  const image = await twoLayers(store);
  assert.deepEqual(brief(await listFolder(trees, { image, path: "" }, signal)), [
    "etc directory",
    "dangling symlink",
    "link symlink",
  ]);
  assert.deepEqual(brief(await listFolder(trees, { image, path: "etc" }, signal)), [
    "deep directory",
    "kept.yaml file",
    "ü.txt file",
  ]);
  assert.deepEqual(brief(await listFolder(trees, { image, path: "etc/deep" }, signal)), ["new file"]);
  const kept = await entryOf(trees, { image, path: "etc/kept.yaml" }, signal);
  assert.deepEqual(kept, { name: "kept.yaml", kind: "file", sizeBytes: 11, modifiedAt: 60_000, layer: 1 });
  assert.equal((await entryOf(trees, { image, path: "etc/ü.txt" }, signal)).layer, 2);
  const read = (file: string) => readImageFile(store, trees, { image, path: file }, signal);
  assert.equal(text(await read("etc/kept.yaml")), "kept: true\n");
  assert.equal(text(await read("etc/ü.txt")), "umlaut\n");
  await assert.rejects(read("etc/gone.yaml"), code("FILE_NOT_IN_IMAGE"));
  await assert.rejects(read("etc"), code("FILE_NOT_IN_IMAGE"));
  await assert.rejects(listFolder(trees, { image, path: "etc/kept.yaml" }, signal), code("FILE_NOT_IN_IMAGE"));
  await assert.rejects(listFolder(trees, { image, layer: 3, path: "" }, signal), code("FILE_NOT_IN_IMAGE"));
});

test("a layer shows what it adds, and what it deletes and hides below it", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await using trees = new OpenTrees(store);
  const image = await twoLayers(store);
  const upper = await listFolder(trees, { image, layer: 2, path: "etc" }, signal);
  assert.deepEqual(brief(upper), ["deep directory", "gone.yaml deleted", "ü.txt file"]);
  assert.equal(upper[0]?.opaque, true);
  const old = { image, layer: 1, path: "etc/deep/old" };
  assert.equal(text(await readImageFile(store, trees, old, signal)), "old\n");
  await assert.rejects(entryOf(trees, { ...old, layer: 2 }, signal), code("FILE_NOT_IN_IMAGE"));
  await assert.rejects(entryOf(trees, { image, layer: 2, path: "etc/gone.yaml" }, signal), code("FILE_NOT_IN_IMAGE"));
});

test("symlinks lead to files inside the image and never out of it", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await using trees = new OpenTrees(store);
  const image = await twoLayers(store);
  const link = await entryOf(trees, { image, path: "link" }, signal);
  assert.deepEqual([link.kind, link.leadsTo, link.target, link.sizeBytes], ["symlink", "file", "/etc/kept.yaml", 11]);
  assert.equal((await entryOf(trees, { image, path: "dangling" }, signal)).leadsTo, undefined);
  assert.equal(text(await readImageFile(store, trees, { image, path: "link" }, signal)), "kept: true\n");
  const up = await entryOf(trees, { image, layer: 1, path: "etc/deep/up" }, signal);
  assert.equal(up.leadsTo, "directory");
  const through = { image, layer: 1, path: "etc/deep/up/kept.yaml" };
  assert.equal(text(await readImageFile(store, trees, through, signal)), "kept: true\n");
  const out = { image, path: "../../../../../../etc/hostname" };
  await assert.rejects(readImageFile(store, trees, out, signal), code("FILE_NOT_IN_IMAGE"));
});

test("a file that is too large is refused with its size and the limit", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await using trees = new OpenTrees(store);
  const sizeBytes = largestShownBytes + 1;
  const layer = await layerOf((dir) => writeFile(path.join(dir, "big"), Buffer.alloc(sizeBytes, 7)));
  const image = await storeImage(store, "docker.io/library/big:1", [layer]);
  await assert.rejects(readImageFile(store, trees, { image, path: "big" }, signal), (error) => {
    assert.ok(error instanceof EngineError && error.code === "FILE_TOO_LARGE");
    assert.deepEqual(error.facts, { path: "big", sizeBytes, limitBytes: largestShownBytes });
    return true;
  });
});

test("an image stays open for a while, keeps its layers from a prune, and is let go when nobody looks", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await using trees = new OpenTrees(store, 300);
  const image = await twoLayers(store);
  await listFolder(trees, { image, path: "" }, signal);
  assert.equal(trees.size, 1);
  await store.untag("docker.io/library/two:1");
  await store.prune({ recordsUnusedForMs: 0 }, signal);
  assert.equal(text(await readImageFile(store, trees, { image, path: "etc/kept.yaml" }, signal)), "kept: true\n");
  while (trees.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 100));
  await store.prune({ recordsUnusedForMs: 0 }, signal);
  await assert.rejects(listFolder(trees, { image, path: "" }, signal), code("IMAGE_NOT_FOUND"));
  assert.equal(trees.size, 0, "what could not be opened is not kept");
});

test("who stops waiting gets CANCELLED, and who asks next is served", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await using trees = new OpenTrees(store);
  const image = await twoLayers(store);
  await assert.rejects(listFolder(trees, { image, path: "" }, AbortSignal.abort()), code("CANCELLED"));
  assert.equal((await listFolder(trees, { image, path: "" }, signal)).length, 3);
});

test("two images are compared by their files", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  const fill = (files: Readonly<Record<string, string>>) => async (dir: string) => {
    for (const [name, content] of Object.entries(files)) await writeFile(path.join(dir, name), content);
  };
  const before = await storeImage(store, "docker.io/library/a:1", [
    await layerOf(fill({ same: "1", edited: "1", old: "1" })),
  ]);
  const after = await storeImage(store, "docker.io/library/a:2", [
    await layerOf(fill({ same: "1", edited: "2", new: "1" })),
  ]);
  assert.deepEqual(await diffImageFiles(store, before, after, signal), {
    added: ["new"],
    removed: ["old"],
    changed: ["edited"],
  });
});

test("a folder of 5,000 files is listed again in a few milliseconds", async () => {
  await using temporary = await temporaryStore();
  const { store } = temporary;
  await using trees = new OpenTrees(store);
  const layer = await layerOf(async (dir) => {
    await mkdir(path.join(dir, "many"));
    for (let index = 0; index < 5000; index++)
      await writeFile(path.join(dir, "many", `file-${index}.yaml`), `n: ${index}\n`);
  });
  const image = await storeImage(store, "docker.io/library/many:1", [layer]);
  assert.equal((await listFolder(trees, { image, layer: 1, path: "" }, signal)).length, 1);
  const before = process.cpuUsage();
  const entries = await listFolder(trees, { image, layer: 1, path: "many" }, signal);
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1000;
  assert.equal(entries.length, 5000);
  assert.ok(tookMs < 200, `${tookMs} ms`);
});

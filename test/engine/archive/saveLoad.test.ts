import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type LoadRequest, loadImages } from "../../../engine/archive/load.ts";
import { type SaveFormat, saveImages } from "../../../engine/archive/save.ts";
import { bytesOfText } from "../../../engine/byteString.ts";
import { decompress } from "../../../engine/layer/decompress.ts";
import { annotationKeys } from "../../../engine/oci/clusterImage.ts";
import { digestHex, digestOf } from "../../../engine/oci/digest.ts";
import { parseIndex } from "../../../engine/oci/index.ts";
import { parseManifest } from "../../../engine/oci/manifest.ts";
import { mediaTypes } from "../../../engine/oci/mediaTypes.ts";
import { parsePlatform } from "../../../engine/oci/platform.ts";
import type { Store } from "../../../engine/store/contract.ts";
import { tarEntry } from "../../../engine/tar/entry.ts";
import { packTar } from "../../../engine/tar/write.ts";
import { collect, never, testStore } from "../store/support.ts";
import { extension, layerTar, putClusterImage, tagClusterImage, tagIndex } from "./support.ts";

const quiet = (): void => undefined;
const app = "docker.io/library/app:1";

interface Desk extends AsyncDisposable {
  readonly dir: string;
  readonly from: Store;
  readonly to: Store;
  save(
    references: readonly string[],
    format: SaveFormat,
    output: string,
    platform?: string,
  ): ReturnType<typeof saveImages>;
  load(input: string, name?: string): ReturnType<typeof loadImages>;
}

/** Two stores and a folder between them. */
function desk(): Desk {
  const a = testStore();
  const b = testStore();
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-archive-"));
  return {
    dir,
    from: a.store,
    to: b.store,
    save: (references, format, output, platform) =>
      saveImages(
        a.store,
        {
          references,
          format,
          output: path.join(dir, output),
          ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
        },
        quiet,
        never,
      ),
    load: (input, name) => {
      const request: LoadRequest = {
        input: path.join(dir, input),
        decompress,
        ...(name === undefined ? {} : { name }),
      };
      return loadImages(b.store, request, quiet, never);
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      rmSync(dir, { recursive: true, force: true });
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
    },
  };
}

for (const format of ["oci-archive", "oci-dir"] as const) {
  test(`an image saved as ${format} loads with the digest it had`, async () => {
    await using d = desk();
    const target = await tagClusterImage(d.from, app);
    const saved = await d.save(["app:1"], format, "out");
    assert.deepEqual(saved.warnings, []);
    assert.deepEqual(await d.load("out"), { images: [{ names: [app], target }], warnings: [] });
    assert.deepEqual((await d.to.verify(never)).damaged, []);
    assert.deepEqual(readdirSync(d.dir), ["out"], "nothing lies beside it");
  });

  test(`an image of several platforms saved as ${format} loads with all of them`, async () => {
    await using d = desk();
    const target = await tagIndex(d.from, app);
    await d.save([app], format, "out");
    assert.deepEqual((await d.load("out")).images, [{ names: [app], target }]);
    const index = parseIndex(await d.to.readDocument(target, never), "i");
    for (const manifest of index.manifests) assert.ok(d.to.stat(manifest.digest));
  });
}

test("one platform of several is saved alone", async () => {
  await using d = desk();
  await tagIndex(d.from, app);
  await d.save([app], "oci-archive", "out.tar", "linux/arm64");
  const [image] = (await d.load("out.tar")).images;
  assert.equal(image?.target.mediaType, mediaTypes.ociManifest);
  await assert.rejects(d.save([app], "oci-archive", "out.tar", "linux/s390x"), {
    code: "IMAGE_PLATFORM_MISSING",
    message: /linux\/amd64, linux\/arm64/,
  });
});

test("several images travel in one archive, what they share once", async () => {
  await using d = desk();
  const a = await tagClusterImage(d.from, app);
  await d.from.tag("quay.io/x/app:1", a, never);
  const b = await tagIndex(d.from, "quay.io/x/list:2");
  const one = await d.save([app], "oci-archive", "one.tar");
  const all = await d.save([app, "quay.io/x/app:1", "quay.io/x/list:2"], "oci-archive", "all.tar");
  assert.ok(all.sizeBytes < 2.5 * one.sizeBytes);
  const { images } = await d.load("all.tar");
  assert.deepEqual(
    images.map((image) => [image.names[0], image.target.digest]),
    [
      [app, a.digest],
      ["quay.io/x/app:1", a.digest],
      ["quay.io/x/list:2", b.digest],
    ],
  );
});

for (const format of ["oci-archive", "docker-archive"] as const) {
  test(`the same image gives the same ${format}, byte for byte`, async () => {
    await using d = desk();
    await tagClusterImage(d.from, app);
    await d.save([app], format, "a.tar");
    await d.save([app], format, "b.tar");
    assert.ok(readFileSync(path.join(d.dir, "a.tar")).equals(readFileSync(path.join(d.dir, "b.tar"))));
  });
}

test("a docker-archive says what it loses, and our load brings it back: the very same manifest", async () => {
  await using d = desk();
  const target = await tagClusterImage(d.from, app);
  const { warnings } = await d.save([app], "docker-archive", "out.tar");
  assert.match(warnings.join(), /has no place for what makes it a cluster image/);
  const { images } = await d.load("out.tar");
  assert.deepEqual(images, [{ names: [app], target }]);
  const manifest = parseManifest(await d.to.readDocument(target, never), "m");
  assert.equal(manifest.annotations?.[annotationKeys.imageExtension], extension);
  assert.equal(manifest.annotations?.["com.example.note"], "käse");
});

test("a docker-archive holds one platform; which one has to be said", async () => {
  await using d = desk();
  await tagIndex(d.from, app);
  await assert.rejects(d.save([app], "docker-archive", "out.tar"), {
    code: "ARCHIVE_ONE_PLATFORM",
    message: /--platform/,
  });
  assert.deepEqual(readdirSync(d.dir), []);
  await d.save([app], "docker-archive", "out.tar", "linux/amd64");
  assert.deepEqual((await d.load("out.tar")).images[0]?.names, [app]);
});

test("layers are compressed on the way out when asked, the image's id stays", async () => {
  await using d = desk();
  const target = await tagClusterImage(d.from, app);
  const compressor = {
    compression: "gzip",
    async *compress(layer: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      yield gzipSync(await collect(layer));
    },
  } as const;
  await saveImages(
    d.from,
    { references: [app], format: "oci-archive", output: path.join(d.dir, "z.tar"), compressor },
    quiet,
    never,
  );
  const [image] = (await d.load("z.tar")).images;
  assert.ok(image !== undefined && image.target.digest !== target.digest);
  const read = async (store: Store, one: typeof target) => parseManifest(await store.readDocument(one, never), "m");
  const [before, after] = [await read(d.from, target), await read(d.to, image.target)];
  assert.equal(after.config.digest, before.config.digest);
  assert.ok(after.layers.every((layer) => layer.mediaType === mediaTypes.ociLayerGzip));
  const layer = after.layers[0];
  assert.ok(layer !== undefined);
  assert.equal(digestOf(await collect(decompress(d.to.readBlob(layer, never)))), before.layers[0]?.digest);
});

test("an index of which not all is here is saved with what is here, and says what is not", async () => {
  await using d = desk();
  await tagIndex(d.from, app);
  await d.save([app], "oci-archive", "all.tar");
  await d.load("all.tar");
  const [image] = d.to.list();
  const index = parseIndex(await d.to.readDocument(image?.target ?? assert.fail(), never), "i");
  rmSync(path.join(d.to.dir, "store-v1/blobs/sha256", digestHex(index.manifests[1]?.digest ?? assert.fail())));
  const saved = await saveImages(
    d.to,
    { references: [app], format: "oci-archive", output: path.join(d.dir, "part.tar") },
    quiet,
    never,
  );
  assert.match(saved.warnings.join(), /linux\/arm64 of its index are not in the store/);
});

test("sealer's archive of several platforms becomes one index under its name", async () => {
  await using d = desk();
  await tagIndex(d.from, app);
  const items: [string, Buffer][] = [["Metadata", Buffer.from("localhost/cluster:v1")]];
  for (const arch of ["arm64", "amd64"]) {
    await d.save([app], "oci-archive", `${arch}.tar`, `linux/${arch}`);
    const bytes = readFileSync(path.join(d.dir, `${arch}.tar`));
    items.push([`${digestHex(digestOf(arch))}.tar`, bytes]);
  }
  await writeTar(path.join(d.dir, "sealer.tar"), items);
  const { images } = await d.load("sealer.tar");
  assert.deepEqual(images[0]?.names, ["localhost/cluster:v1"]);
  const index = parseIndex(await d.to.readDocument(images[0]?.target ?? assert.fail(), never), "i");
  assert.deepEqual(
    index.manifests.map((one) => one.platform),
    [
      { os: "linux", architecture: "amd64" },
      { os: "linux", architecture: "arm64" },
    ],
  );
  const manifest = parseManifest(await d.to.readDocument(index.manifests[0] ?? assert.fail(), never), "m");
  assert.equal(manifest.annotations?.[annotationKeys.imageExtension], extension);
});

test("a docker save of the old kind, layers in folders and some of them links, is read", async () => {
  await using d = desk();
  const layer = await layerTar({ a: "1" });
  const config = Buffer.from(
    JSON.stringify({
      os: "linux",
      architecture: "amd64",
      rootfs: { type: "layers", diff_ids: [digestOf(layer), digestOf(layer)] },
    }),
  );
  const manifest = [
    { Config: "c.json", RepoTags: ["app:1", "quay.io/x/y:2"], Layers: ["one/layer.tar", "two/layer.tar"] },
  ];
  const file = (name: string, bytes: Buffer) => ({
    entry: tarEntry("file", bytesOfText(name), { size: bytes.length }),
    content: [bytes],
  });
  const tar = await collect(
    packTar([
      file("./one/layer.tar", layer),
      { entry: tarEntry("symlink", bytesOfText("two/layer.tar"), { linkTarget: bytesOfText("../one/layer.tar") }) },
      file("c.json", config),
      file("manifest.json", Buffer.from(JSON.stringify(manifest))),
      file("repositories", Buffer.from("{}")),
    ]),
  );
  for (const [name, bytes] of [
    ["old.tar", tar],
    ["old.tar.gz", gzipSync(tar)],
    ["old.tar.zst", zstdCompressSync(tar)],
  ] as const) {
    writeFileSync(path.join(d.dir, name), bytes);
    const { images } = await d.load(name);
    assert.deepEqual(images[0]?.names, [app, "quay.io/x/y:2"]);
  }
});

test("compressed layers of a docker-archive are checked against what the configuration promises", async () => {
  await using d = desk();
  const layer = await layerTar({ a: "1" });
  const pack = async (diffId: string): Promise<void> => {
    const config = { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [diffId] } };
    await writeTar(path.join(d.dir, "d.tar"), [
      ["manifest.json", Buffer.from(JSON.stringify([{ Config: "c.json", RepoTags: ["app:1"], Layers: ["l.tar"] }]))],
      ["c.json", Buffer.from(JSON.stringify(config))],
      ["l.tar", gzipSync(layer)],
    ]);
  };
  await pack(digestOf(layer));
  const { images } = await d.load("d.tar");
  const manifest = parseManifest(await d.to.readDocument(images[0]?.target ?? assert.fail(), never), "m");
  assert.equal(manifest.layers[0]?.mediaType, mediaTypes.ociLayerGzip);
  await pack(digestOf("something else"));
  await assert.rejects(d.load("d.tar"), { code: "BLOB_MISMATCH" });
});

test("an image without a name is kept under its digest, or under the name given", async () => {
  await using d = desk();
  const target = await tagClusterImage(d.from, app);
  await d.save([app], "oci-dir", "My App");
  const indexFile = path.join(d.dir, "My App/index.json");
  const strip = (name: string | undefined): void => {
    const index = JSON.parse(readFileSync(indexFile, "utf8")) as { manifests: { annotations?: unknown }[] };
    for (const one of index.manifests) one.annotations = name === undefined ? null : { [annotationKeys.refName]: name };
    writeFileSync(indexFile, JSON.stringify(index));
  };
  strip(undefined);
  const loaded = await d.load("My App");
  assert.deepEqual(loaded.images, [{ names: [`localhost/my-app@${target.digest}`], target }]);
  assert.match(loaded.warnings.join(), /kubefile tag/);
  assert.deepEqual((await d.load("My App", "given")).images[0]?.names, ["docker.io/library/given:latest"]);
  strip("v2");
  assert.deepEqual((await d.load("My App")).images[0]?.names, ["localhost/my-app:v2"]);
  strip("example.com/full:3");
  assert.deepEqual((await d.load("My App")).images[0]?.names, ["example.com/full:3"]);
});

const hostile: readonly (readonly [what: string, make: (dir: string) => Promise<void>, code: string])[] = [
  ["nothing", async () => undefined, "ARCHIVE_UNREADABLE"],
  ["text", async (dir) => writeFileSync(path.join(dir, "x"), "hello ".repeat(200)), "ARCHIVE_UNREADABLE"],
  ["an empty file", async (dir) => writeFileSync(path.join(dir, "x"), ""), "ARCHIVE_UNREADABLE"],
  [
    "a tar of something else",
    async (dir) => writeTar(path.join(dir, "x"), [["a", Buffer.from("a")]]),
    "ARCHIVE_UNREADABLE",
  ],
  [
    "an archive of ancient Docker",
    async (dir) => writeTar(path.join(dir, "x"), [["repositories", Buffer.from("{}")]]),
    "ARCHIVE_UNREADABLE",
  ],
  [
    "an index that is no JSON",
    async (dir) => writeTar(path.join(dir, "x"), [["index.json", Buffer.from("{")]]),
    "DOCUMENT_INVALID",
  ],
  [
    "an empty index",
    async (dir) => writeTar(path.join(dir, "x"), [["index.json", Buffer.from('{"schemaVersion":2,"manifests":[]}')]]),
    "ARCHIVE_UNREADABLE",
  ],
  [
    "a blob that is not what its name says",
    async (dir) => writeTar(path.join(dir, "x"), [[`blobs/sha256/${digestHex(digestOf("a"))}`, Buffer.from("b")]]),
    "BLOB_MISMATCH",
  ],
  [
    "an index of what is not in it",
    async (dir) =>
      writeTar(path.join(dir, "x"), [
        [
          "index.json",
          Buffer.from(
            JSON.stringify({
              schemaVersion: 2,
              manifests: [{ mediaType: mediaTypes.ociManifest, digest: digestOf("a"), size: 1 }],
            }),
          ),
        ],
      ]),
    "ARCHIVE_UNREADABLE",
  ],
  [
    "a folder whose blob is a link out of it",
    async (dir) => {
      const digest = digestOf("secret");
      mkdirSync(path.join(dir, "x/blobs/sha256"), { recursive: true });
      writeFileSync(path.join(dir, "outside"), "secret");
      symlinkSync("../../../outside", path.join(dir, "x/blobs/sha256", digestHex(digest)));
      const manifests = [{ mediaType: mediaTypes.ociManifest, digest, size: 6 }];
      writeFileSync(path.join(dir, "x/index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
    },
    "PATH_ESCAPES_ROOT",
  ],
];

for (const [what, make, code] of hostile) {
  test(`loading ${what} ends in ${code} and names nothing`, async () => {
    await using d = desk();
    await make(d.dir);
    await assert.rejects(d.load("x"), { code });
    assert.deepEqual(d.to.list(), []);
    await d.to.prune({}, never);
    assert.equal(d.to.usage().totalBytes, 0);
  });
}

test("an archive that was cut off anywhere names nothing and leaves nothing", async () => {
  await using d = desk();
  await tagClusterImage(d.from, app);
  const { sizeBytes } = await d.save([app], "oci-archive", "x");
  for (let at = sizeBytes - 1025; at > 0; at -= 1500) {
    truncateSync(path.join(d.dir, "x"), at);
    await assert.rejects(d.load("x"), (error: { code?: string }) =>
      /^(ARCHIVE_UNREADABLE|BLOB_MISMATCH)$/.test(error.code ?? ""),
    );
  }
  assert.deepEqual(d.to.list(), []);
});

test("a save that cannot be finished leaves what was there", async () => {
  await using d = desk();
  await tagClusterImage(d.from, app);
  writeFileSync(path.join(d.dir, "out.tar"), "before");
  await assert.rejects(d.save([app], "oci-archive", "no/such/folder.tar"), { code: "ARCHIVE_TARGET_UNUSABLE" });
  await assert.rejects(d.save(["missing"], "oci-archive", "out.tar"), { code: "IMAGE_NOT_FOUND" });
  await assert.rejects(d.save([app], "oci-dir", "out.tar"), { code: "ARCHIVE_TARGET_UNUSABLE" });
  mkdirSync(path.join(d.dir, "used"));
  writeFileSync(path.join(d.dir, "used/file"), "");
  await assert.rejects(d.save([app], "oci-dir", "used"), { code: "ARCHIVE_TARGET_UNUSABLE", message: /not empty/ });
  const cancelled = saveImages(
    d.from,
    { references: [app], format: "oci-archive", output: path.join(d.dir, "out.tar") },
    quiet,
    AbortSignal.abort(),
  );
  await assert.rejects(cancelled, { code: "CANCELLED" });
  assert.deepEqual(readdirSync(d.dir).sort(), ["out.tar", "used"]);
  assert.equal(readFileSync(path.join(d.dir, "out.tar"), "utf8"), "before");
});

test("a damaged store cannot be saved as if it were whole", async () => {
  await using d = desk();
  await tagClusterImage(d.from, app);
  const layer = await layerTar({ "application/apps/shop/shop.yaml": "kind: Pod\n" });
  const file = path.join(d.from.dir, "store-v1/blobs/sha256", digestHex(digestOf(layer)));
  writeFileSync(file, Buffer.alloc(layer.length));
  await assert.rejects(d.save([app], "oci-archive", "out.tar"), { code: "BLOB_CORRUPT" });
  assert.deepEqual(readdirSync(d.dir), []);
});

test("what both sides have may be left out of an archive", async () => {
  await using d = desk();
  const target = await tagClusterImage(d.from, app);
  {
    await using lease = d.to.lease("base");
    const { platform: _, ...same } = await putClusterImage(lease, process.arch === "arm64" ? "arm64" : "amd64");
    await d.to.tag("docker.io/library/base:1", same, never);
  }
  await d.save([app], "oci-dir", "x");
  rmSync(path.join(d.dir, "x/blobs"), { recursive: true });
  assert.deepEqual((await d.load("x")).images[0]?.target, target);
});

async function writeTar(file: string, items: readonly (readonly [name: string, bytes: Buffer])[]): Promise<void> {
  const entries = items.map(([name, bytes]) => ({
    entry: tarEntry("file", bytesOfText(name), { size: bytes.length }),
    content: [bytes],
  }));
  writeFileSync(file, await collect(packTar(entries)));
}

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { loadImages } from "../../engine/archive/load.ts";
import type { LayerCompressor } from "../../engine/archive/recompress.ts";
import { type SaveFormat, saveImages } from "../../engine/archive/save.ts";
import { decompress } from "../../engine/layer/decompress.ts";
import { annotationKeys } from "../../engine/oci/clusterImage.ts";
import { parseIndex } from "../../engine/oci/index.ts";
import { parseManifest } from "../../engine/oci/manifest.ts";
import { validateImage } from "../../engine/oci/validate.ts";
import { extension, tagClusterImage, tagIndex } from "../engine/archive/support.ts";
import { collect, never, type TestStore, testStore } from "../engine/store/support.ts";
import { skipWithoutProgram } from "../support/requirement.ts";

const quiet = (): void => undefined;
const app = "localhost/app:1";
const skip =
  ["skopeo", "umoci", "podman", "buildah"]
    .map((program) => skipWithoutProgram(program))
    .find((reason) => reason !== false) ?? false;

const gzip: LayerCompressor = {
  compression: "gzip",
  async *compress(layer) {
    yield gzipSync(await collect(layer));
  },
};

interface Bench extends AsyncDisposable {
  readonly dir: string;
  readonly t: TestStore;
  /** Runs a peer in the folder; its standard output. */
  run(...command: string[]): string;
  save(format: SaveFormat, output: string, compressor?: LayerCompressor): Promise<void>;
  load(input: string): ReturnType<typeof loadImages>;
}

function bench(): Bench {
  const t = testStore();
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-peers-"));
  return {
    dir,
    t,
    run: (program = "", ...args) => {
      const { status, stdout, stderr } = spawnSync(program, args, { cwd: dir, encoding: "utf8", timeout: 120_000 });
      assert.equal(status, 0, `${program} ${args.join(" ")}: ${stderr}`);
      return stdout;
    },
    save: async (format, output, compressor) => {
      const request = {
        references: [app],
        format,
        output: path.join(dir, output),
        ...(compressor === undefined ? {} : { compressor }),
      };
      await saveImages(t.store, request, quiet, never);
    },
    load: (input) => loadImages(t.store, { input: path.join(dir, input), decompress }, quiet, never),
    [Symbol.asyncDispose]: async (): Promise<void> => {
      spawnSync("podman", [...podman(dir).slice(1), "rmi", "-a", "-f"], { stdio: "ignore" });
      rmSync(dir, { recursive: true, force: true });
      await t[Symbol.asyncDispose]();
    },
  };
}

/** A podman or buildah with a storage of its own. */
function podman(dir: string, program = "podman"): string[] {
  return [program, "--root", path.join(dir, "storage"), "--runroot", path.join(dir, "run"), "--storage-driver", "vfs"];
}

for (const [format, transport] of [
  ["oci-archive", "oci-archive:out"],
  ["oci-dir", "oci:out"],
] as const) {
  test(`skopeo inspects our ${format}, extension and all, and copies it`, { skip }, async () => {
    await using b = bench();
    const target = await tagClusterImage(b.t.store, app);
    await b.save(format, "out");
    const manifest = JSON.parse(b.run("skopeo", "inspect", "--raw", transport)) as {
      annotations: Record<string, string>;
    };
    assert.equal(manifest.annotations[annotationKeys.imageExtension], extension);
    const inspected = JSON.parse(b.run("skopeo", "inspect", `${transport}:1`)) as { Digest: string; Layers: string[] };
    assert.equal(inspected.Digest, target.digest);
    assert.equal(inspected.Layers.length, 2);
    b.run("skopeo", "copy", transport, "oci:copied:1");
    b.run("skopeo", "copy", transport, "docker-archive:copied.tar:app:1");
  });
}

for (const [what, compressor] of [
  ["uncompressed", undefined],
  ["gzip", gzip],
] as const) {
  test(`umoci unpacks our layers, ${what}`, { skip }, async () => {
    await using b = bench();
    await tagClusterImage(b.t.store, app);
    await b.save("oci-dir", "out", compressor);
    b.run("umoci", "unpack", "--image", "out:1", "bundle");
    const file = path.join(b.dir, "bundle/rootfs/application/apps/shop/shop.yaml");
    assert.equal(readFileSync(file, "utf8"), "kind: Pod\n");
    b.run("umoci", "stat", "--image", "out:1");
  });
}

for (const format of ["oci-archive", "docker-archive"] as const) {
  test(`podman loads our ${format} under its name`, { skip }, async () => {
    await using b = bench();
    await tagClusterImage(b.t.store, app);
    await b.save(format, "out.tar");
    assert.match(b.run(...podman(b.dir), "load", "-i", "out.tar"), /localhost\/app:1/);
    const [image] = JSON.parse(b.run(...podman(b.dir), "inspect", app)) as {
      Annotations: Record<string, string> | null;
    }[];
    if (format === "oci-archive") assert.equal(image?.Annotations?.[annotationKeys.imageExtension], extension);
  });
}

test("skopeo reads our docker-archive as Docker would", { skip }, async () => {
  await using b = bench();
  await tagClusterImage(b.t.store, app);
  await b.save("docker-archive", "out.tar", gzip);
  const inspected = JSON.parse(b.run("skopeo", "inspect", "--config", "docker-archive:out.tar")) as {
    rootfs: { diff_ids: string[] };
  };
  assert.equal(inspected.rootfs.diff_ids.length, 2);
  b.run("skopeo", "copy", "docker-archive:out.tar", "dir:copied");
});

test("skopeo picks each platform out of our multi-platform archive", { skip }, async () => {
  await using b = bench();
  await tagIndex(b.t.store, app);
  await b.save("oci-archive", "out.tar");
  for (const arch of ["amd64", "arm64"]) {
    const inspected = JSON.parse(b.run("skopeo", "--override-arch", arch, "inspect", "oci-archive:out.tar")) as {
      Architecture: string;
    };
    assert.equal(inspected.Architecture, arch);
  }
  b.run("skopeo", "copy", "--all", "oci-archive:out.tar", "oci-archive:copied.tar:app:1");
  const [image] = (await b.load("copied.tar")).images;
  assert.equal(image?.target.mediaType.includes("index"), true);
  assert.deepEqual(await validateImage(b.t.store, image?.target ?? assert.fail(), decompress, never), []);
});

/** What other tools make of one of our images, and the transport to name it by. */
const foreign: readonly (readonly [what: string, make: (b: Bench) => string])[] = [
  ["skopeo's oci-archive", (b) => skopeoCopy(b, "oci-archive:f.tar:other:2", "f.tar")],
  ["skopeo's oci folder", (b) => skopeoCopy(b, "oci:f:2", "f")],
  ["skopeo's docker-archive", (b) => skopeoCopy(b, "docker-archive:f.tar:other:2", "f.tar")],
  ["skopeo's dir", (b) => skopeoCopy(b, "dir:f", "f")],
  ["skopeo's dir in Docker's format", (b) => skopeoCopy(b, "dir:f", "f", "--format", "v2s2", "--remove-signatures")],
  [
    "podman save",
    (b) => {
      b.run(...podman(b.dir), "load", "-i", "ours.tar");
      b.run(...podman(b.dir), "save", "-o", "f.tar", app);
      return "f.tar";
    },
  ],
  [
    "podman save of the oci-archive kind",
    (b) => {
      b.run(...podman(b.dir), "load", "-i", "ours.tar");
      b.run(...podman(b.dir), "save", "--format", "oci-archive", "-o", "f.tar", app);
      return "f.tar";
    },
  ],
  [
    "buildah push of the docker-archive kind",
    (b) => {
      b.run(...podman(b.dir, "buildah"), "pull", "oci-archive:ours.tar");
      b.run(...podman(b.dir, "buildah"), "push", app, "docker-archive:f.tar:other:2");
      return "f.tar";
    },
  ],
  [
    "umoci's layout",
    (b) => {
      b.run("skopeo", "copy", "-q", "oci-archive:ours.tar", "oci:f:base");
      b.run("umoci", "config", "--image", "f:base", "--tag", "new", "--config.label", "a=b");
      b.run("umoci", "rm", "--image", "f:base");
      return "f";
    },
  ],
];

function skopeoCopy(b: Bench, to: string, result: string, ...flags: string[]): string {
  b.run("skopeo", "copy", "-q", ...flags, "oci-archive:ours.tar", to);
  return result;
}

for (const [what, make] of foreign) {
  test(`${what} is loaded, and every claim the image makes is true`, { skip }, async () => {
    await using b = bench();
    await tagClusterImage(b.t.store, app);
    await b.save("oci-archive", "ours.tar");
    await b.t.store.untag(app);
    await b.t.store.prune({}, never);
    const input = make(b);
    const { images } = await b.load(input);
    assert.equal(images.length, 1);
    const target = images[0]?.target ?? assert.fail();
    assert.ok((images[0]?.names.length ?? 0) > 0);
    assert.deepEqual(await validateImage(b.t.store, target, decompress, never), []);
    const manifest = parseManifest(await b.t.store.readDocument(target, never), "m");
    assert.equal(manifest.layers.length, 2);
    if (!/docker|Docker|podman save$/.test(what)) {
      assert.equal(
        manifest.annotations?.[annotationKeys.imageExtension],
        extension,
        "annotations survive every OCI way",
      );
    }
    if (/docker-archive|^podman save$/.test(what)) {
      // A plain docker-archive of another tool carries no annotations; ours would have carried them in a label.
      assert.equal(manifest.annotations?.[annotationKeys.imageExtension], undefined);
    }
  });
}

test("our docker-archive keeps the extension through podman load and podman save", { skip }, async () => {
  await using b = bench();
  await tagClusterImage(b.t.store, app);
  await b.save("docker-archive", "ours.tar");
  await b.t.store.untag(app);
  b.run(...podman(b.dir), "load", "-i", "ours.tar");
  b.run(...podman(b.dir), "save", "-o", "f.tar", app);
  const { images } = await b.load("f.tar");
  const manifest = parseManifest(await b.t.store.readDocument(images[0]?.target ?? assert.fail(), never), "m");
  assert.equal(manifest.annotations?.[annotationKeys.imageExtension], extension);
});

test("a list as sealer saves it, made of archives by containers/image, is loaded as one index", { skip }, async () => {
  await using b = bench();
  await tagIndex(b.t.store, app);
  await b.save("oci-archive", "ours.tar");
  mkdirSync(path.join(b.dir, "list"));
  for (const arch of ["arm64", "amd64"]) {
    b.run(
      "skopeo",
      "--override-arch",
      arch,
      "copy",
      "-q",
      "oci-archive:ours.tar",
      `oci-archive:list/${arch === "arm64" ? "a" : "b"}.tar`,
    );
  }
  writeFileSync(path.join(b.dir, "list/Metadata"), "docker.io/library/cluster:v1");
  b.run("tar", "-C", "list", "-cf", "list.tar", ".");
  const { images } = await b.load("list.tar");
  assert.deepEqual(images[0]?.names, ["docker.io/library/cluster:v1"]);
  const target = images[0]?.target ?? assert.fail();
  const index = parseIndex(await b.t.store.readDocument(target, never), "i");
  assert.deepEqual(
    index.manifests.map((one) => one.platform?.architecture),
    ["amd64", "arm64"],
  );
  assert.deepEqual(await validateImage(b.t.store, target, decompress, never), []);
});

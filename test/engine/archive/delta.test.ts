import assert from "node:assert/strict";
import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { saveImages } from "../../../engine/archive/save.ts";
import { decompress } from "../../../engine/layer/decompress.ts";
import { digestHex } from "../../../engine/oci/digest.ts";
import { parseManifest } from "../../../engine/oci/manifest.ts";
import { validateImage } from "../../../engine/oci/validate.ts";
import { inventoryText, loadArchive, type SaveChoices, saveArchive } from "../../../engine/operations/archives.ts";
import { imageSboms } from "../../../engine/operations/sbom.ts";
import type { Store } from "../../../engine/store/contract.ts";
import { forgetReferrer, referrersOf } from "../../../engine/store/referrers.ts";
import { tagClusterImage } from "../../support/clusterImages.ts";
import { temporaryDir } from "../../support/temporary.ts";
import { never, testStore } from "../store/support.ts";

const control = { onProgress: (): void => undefined, signal: never };
const [old, next] = ["test.example/shop:1", "test.example/shop:2"] as const;

/** Two images that share the large layer and differ in the small one. */
async function tagTwo(store: Store): Promise<void> {
  const large = { "bin/kubelet": "x".repeat(400_000) };
  await tagClusterImage(store, old, { layers: [large, { "manifests/shop.yaml": "version: 1\n" }] }, never);
  await tagClusterImage(store, next, { layers: [large, { "manifests/shop.yaml": "version: 2\n" }] }, never);
}

async function bench() {
  const from = testStore();
  const to = testStore();
  const dir = await temporaryDir("delta");
  await tagTwo(from.store);
  return {
    from: from.store,
    to: to.store,
    dir: dir.path,
    save: (reference: string, choices: Partial<SaveChoices> & { readonly output: string }) =>
      saveArchive(
        from.store,
        { references: [reference], format: "oci-archive", ...choices, output: path.join(dir.path, choices.output) },
        control,
      ),
    load: (input: string) => loadArchive(to.store, { input: path.join(dir.path, input) }, control),
    [Symbol.asyncDispose]: async (): Promise<void> => {
      for (const each of [from, to, dir]) await each[Symbol.asyncDispose]();
    },
  };
}

for (const compression of ["none", "gzip", "zstd"] as const) {
  test(`one changed layer moves only that one, layers being ${compression}`, async () => {
    await using b = await bench();
    const full = await b.save(old, { output: "full.tar", compression });
    await b.load("full.tar");
    const delta = await b.save(next, { output: "delta.tar", compression, since: [old] });
    assert.equal(delta.needs.length, 1);
    assert.ok(delta.sizeBytes < 20_000, `${delta.sizeBytes} of ${full.sizeBytes}`);
    const { images } = await b.load("delta.tar");
    assert.deepEqual(images[0]?.names, [next]);
    const target = images[0]?.target ?? assert.fail();
    assert.deepEqual(await validateImage(b.to, target, decompress, never), []);
  });
}

test("a delta folder holds exactly the blobs the other side lacks, and its documents", async () => {
  await using b = await bench();
  const saved = await b.save(next, { output: "delta", format: "oci-dir", since: [old] });
  const target = saved.images[0]?.target ?? assert.fail();
  const manifest = parseManifest(await b.from.readDocument(target, never), "m");
  const blobs = [target, manifest.config, manifest.layers[1] ?? assert.fail()].map(({ digest }) => digestHex(digest));
  assert.deepEqual(readdirSync(path.join(b.dir, "delta/blobs/sha256")).sort(), blobs.sort());
  assert.equal(saved.needs[0]?.digest, manifest.layers[0]?.digest);
});

test("a delta made for an inventory leaves out what is on it", async () => {
  await using b = await bench();
  await b.save(old, { output: "full.tar" });
  await b.load("full.tar");
  const text = await inventoryText(b.to, never);
  assert.match(text, /^# kubefile inventory 1\n(sha256:[0-9a-f]{64}\n){4}$/);
  const inventory = path.join(b.dir, "there.inventory");
  writeFileSync(inventory, text);
  const { needs } = await b.save(next, { output: "delta.tar", since: [inventory] });
  assert.equal(needs.length, 1);
  assert.deepEqual((await b.load("delta.tar")).images[0]?.names, [next]);
});

test("a store that lacks what a delta builds on is told every missing blob, and names nothing", async () => {
  await using b = await bench();
  const { needs } = await b.save(next, { output: "delta.tar", since: [old] });
  const [missing] = needs;
  await assert.rejects(b.load("delta.tar"), (error: Error & { code?: string; facts?: unknown }) => {
    assert.equal(error.code, "ARCHIVE_NEEDS_MORE");
    assert.deepEqual(error.facts, {
      file: path.join(b.dir, "delta.tar"),
      missing: [missing?.digest],
      sizeBytes: missing?.size,
    });
    assert.match(error.message, new RegExp(String(missing?.digest)));
    return true;
  });
  assert.deepEqual(b.to.list(), []);
});

test("a delta since itself moves documents alone, and one since nothing shared is a whole archive", async () => {
  await using b = await bench();
  await tagClusterImage(b.from, "test.example/other:1", { layers: [{ a: "1" }] }, never);
  assert.equal((await b.save(next, { output: "same.tar", since: [next] })).needs.length, 2);
  assert.equal((await b.save(next, { output: "whole.tar", since: ["test.example/other:1"] })).needs.length, 0);
  assert.deepEqual((await b.load("whole.tar")).images[0]?.names, [next]);
});

test("the image a delta is since need not pass the rule that the saved one must", async () => {
  await using b = await bench();
  const asked: string[] = [];
  const request = {
    references: [next],
    format: "oci-archive",
    output: path.join(b.dir, "x.tar"),
    since: { references: [old], digests: new Set<never>() },
    admit: ({ name }: { readonly name: string }) => void asked.push(name),
  } as const;
  await saveImages(b.from, request, () => undefined, never);
  assert.deepEqual(asked, [next]);
});

test("an archive brings signatures and SBOMs of its own images, and attaches nothing to others", async () => {
  await using b = await bench();
  await imageSboms(b.from, { reference: next, attach: true }, never);
  await b.save(next, { output: "x", format: "oci-dir" });
  const { images } = await b.load("x");
  const subject = images[0]?.target.digest ?? assert.fail();
  assert.equal(referrersOf(b.to, subject).length, 1);
  await b.save(old, { output: "y", format: "oci-dir" });
  await b.load("y");
  // The supplement and the blobs of the other image's SBOM, put into an archive that does not hold that image.
  cpSync(path.join(b.dir, "x/blobs"), path.join(b.dir, "y/blobs"), { recursive: true });
  cpSync(path.join(b.dir, "x/kubefile.json"), path.join(b.dir, "y/kubefile.json"));
  rmSync(path.join(b.dir, "y/blobs/sha256", digestHex(subject)));
  for (const each of referrersOf(b.to, subject)) forgetReferrer(b.to, subject, each.digest);
  await b.load("y");
  assert.equal(referrersOf(b.to, subject).length, 0);
});

test("what is no inventory, and a docker-archive, are refused with the reason", async () => {
  await using b = await bench();
  const file = path.join(b.dir, "list");
  for (const [text, line] of [
    ["sha256:abc\n", 1],
    ["# kubefile inventory 1\n\nsha256:abc\n", 3],
  ] as const) {
    writeFileSync(file, text);
    await assert.rejects(b.save(next, { output: "x.tar", since: [file] }), {
      code: "INVENTORY_INVALID",
      message: new RegExp(`line ${line}`),
    });
  }
  await assert.rejects(b.save(next, { output: "x.tar", format: "docker-archive", since: [old] }), { code: "USAGE" });
  await assert.rejects(b.save(next, { output: "x.tar", since: ["test.example/no:1"] }), { code: "IMAGE_NOT_FOUND" });
});

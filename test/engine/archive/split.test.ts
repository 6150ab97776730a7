import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { loadArchive, saveArchive } from "../../../engine/operations/archives.ts";
import type { Store } from "../../../engine/store/contract.ts";
import { temporaryDir } from "../../support/temporary.ts";
import { never, testStore } from "../store/support.ts";
import { tagClusterImage, tagIndex } from "./support.ts";

const app = "docker.io/library/app:1";
const control = { onProgress: (): void => undefined, signal: never };

/** Saves an image of two platforms in parts of `splitBytes`; the names of what was written. */
async function saveParts(store: Store, output: string, splitBytes: number): Promise<readonly string[]> {
  await tagIndex(store, app);
  const { paths } = await saveArchive(store, { references: [app], format: "oci-archive", output, splitBytes }, control);
  return paths.map((each) => path.basename(each));
}

for (const name of ["out.tar", "out.tar.zst"]) {
  test(`${name} in parts is loaded by its list, its first part or its folder, and leaves nothing beside`, async () => {
    await using from = testStore();
    await using dir = await temporaryDir("split");
    const names = await saveParts(from.store, path.join(dir.path, name), name.endsWith("zst") ? 400 : 1500);
    assert.ok(names.length > 2);
    assert.deepEqual(readdirSync(dir.path).sort(), names.toSorted());
    assert.deepEqual(names.slice(0, 2), [`${name}.parts.json`, `${name}.001`]);
    for (const input of [`${name}.parts.json`, `${name}.001`, `${name}.002`, "."]) {
      await using to = testStore();
      const { images } = await loadArchive(to.store, { input: path.join(dir.path, input) }, control);
      assert.deepEqual(images[0]?.names, [app]);
      assert.deepEqual((await to.store.verify(never)).damaged, []);
    }
  });
}

test("the parts joined are the archive, and the list has the digests sha256sum prints", async () => {
  await using from = testStore();
  await using dir = await temporaryDir("split");
  const names = await saveParts(from.store, path.join(dir.path, "out.tar"), 4096);
  const whole = { references: [app], format: "oci-archive", output: path.join(dir.path, "whole.tar") } as const;
  await saveArchive(from.store, whole, control);
  const read = (name: string): Buffer => readFileSync(path.join(dir.path, name));
  assert.ok(Buffer.concat(names.slice(1).map(read)).equals(read("whole.tar")));
  const { parts } = JSON.parse(read("out.tar.parts.json").toString("utf8")) as {
    parts: { file: string; sizeBytes: number; digest: string }[];
  };
  assert.deepEqual(
    parts,
    names.slice(1).map((file) => ({
      digest: `sha256:${createHash("sha256").update(read(file)).digest("hex")}`,
      file,
      sizeBytes: read(file).length,
    })),
  );
});

test("a missing part and a part cut short are named before anything is read", async () => {
  await using from = testStore();
  await using to = testStore();
  await using dir = await temporaryDir("split");
  await saveParts(from.store, path.join(dir.path, "out.tar"), 4096);
  const part = (number: number): string => path.join(dir.path, `out.tar.00${number}`);
  renameSync(part(2), `${part(2)}.aside`);
  await assert.rejects(loadArchive(to.store, { input: dir.path }, control), {
    code: "ARCHIVE_PART_MISSING",
    message: /out\.tar\.002 is missing/,
  });
  writeFileSync(part(2), "short");
  await assert.rejects(loadArchive(to.store, { input: part(1) }, control), {
    code: "ARCHIVE_PART_DAMAGED",
    message: /out\.tar\.002: it has 5 bytes/,
  });
  assert.equal(to.store.usage().totalBytes, 0);
});

test("a damaged part is named wherever it is damaged, and no image is", async () => {
  for (const name of ["out.tar", "out.tar.zst"]) {
    await using from = testStore();
    await using dir = await temporaryDir("split");
    const names = await saveParts(from.store, path.join(dir.path, name), name.endsWith("zst") ? 500 : 4096);
    for (const file of names.slice(1)) {
      await using to = testStore();
      const place = path.join(dir.path, file);
      const good = readFileSync(place);
      const bad = Buffer.from(good);
      bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 0xff;
      writeFileSync(place, bad);
      await assert.rejects(loadArchive(to.store, { input: dir.path }, control), (error: Error) => {
        assert.match(error.message, new RegExp(`Loading ${file.replaceAll(".", "\\.")}: its content is not`));
        return true;
      });
      assert.deepEqual(to.store.list(), []);
      writeFileSync(place, good);
    }
  }
});

test("a smaller archive under the same name takes the parts of the larger one with it", async () => {
  await using from = testStore();
  await using dir = await temporaryDir("split");
  const output = path.join(dir.path, "out.tar");
  const many = await saveParts(from.store, output, 1500);
  const few = await saveParts(from.store, output, 8192);
  assert.ok(few.length < many.length);
  assert.deepEqual(readdirSync(dir.path).sort(), few.toSorted());
});

test("too many parts, a folder in parts and a list that leads elsewhere are refused", async () => {
  await using from = testStore();
  await using dir = await temporaryDir("split");
  await tagClusterImage(from.store, app);
  const output = path.join(dir.path, "out");
  const save = (format: "oci-archive" | "oci-dir", splitBytes: number) =>
    saveArchive(from.store, { references: [app], format, output, splitBytes }, control);
  await assert.rejects(save("oci-archive", 2), { code: "ARCHIVE_TARGET_UNUSABLE", message: /more than 999/ });
  await assert.rejects(save("oci-dir", 4096), { code: "USAGE" });
  assert.deepEqual(readdirSync(dir.path), []);
  await save("oci-archive", 4096);
  const list = `${output}.parts.json`;
  writeFileSync(list, readFileSync(list, "utf8").replace('"out.001"', '"../out.001"'));
  await assert.rejects(loadArchive(from.store, { input: list }, control), { code: "DOCUMENT_INVALID" });
  rmSync(list);
  await assert.rejects(loadArchive(from.store, { input: `${output}.001` }, control), { code: "ARCHIVE_UNREADABLE" });
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { type ByteString, bytesOfText } from "../../../engine/byteString.ts";
import { type Assembled, assembleLayer, type Piece } from "../../../engine/layer/assemble.ts";
import type { LayerEntry } from "../../../engine/layer/layerEntry.ts";
import { inlineReaders, type Readers } from "../../../engine/layer/readers.ts";
import { WorkerReaders } from "../../../engine/layer/workerReaders.ts";
import { tarEntry } from "../../../engine/tar/entry.ts";
import { packTar } from "../../../engine/tar/write.ts";

const dir = mkdtempSync(path.join(tmpdir(), "kubefile-assemble-"));
const workers = new WorkerReaders(2);
after(async () => {
  await workers[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});
let count = 0;

function fileEntry(content: Uint8Array): LayerEntry {
  const file = path.join(dir, `f${count++}`);
  writeFileSync(file, content);
  const { dev, ino, mtimeNs, ctimeNs } = lstatSync(file, { bigint: true });
  const identity = { dev, ino, size: content.length, mtimeNs, ctimeNs };
  const entry = tarEntry("file", path.basename(file) as ByteString, { size: content.length });
  return { ...entry, content: { from: "file", path: bytesOfText(file), identity } };
}

function assemble(
  pieces: readonly Piece[],
  readers: Readers,
  signal = new AbortController().signal,
): Promise<Assembled> {
  return assembleLayer(pieces, path.join(dir, "out"), { readers, signal });
}

const slab = 1024 * 1024;
const size = fc.oneof(
  fc.nat(3000),
  fc.integer({ min: slab - 1100, max: slab + 1100 }),
  fc.constantFrom(0, 512, 2 * slab, 3 * slab + 1),
);

test("a layer is the archive of its entries, whatever their sizes and whoever reads them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(size, { maxLength: 6 }), fc.boolean(), async (sizes, threaded) => {
      const contents = sizes.map((length, index) => Buffer.alloc(length, index + 1));
      const entries = contents.map(fileEntry);
      const assembled = await assemble(
        entries.map((entry) => ({ kind: "entry", entry })),
        threaded ? workers : inlineReaders,
      );
      const expected: Uint8Array[] = [];
      for await (const chunk of packTar(
        entries.map((entry, index) => ({ entry, content: [contents[index] ?? Buffer.alloc(0)] })),
      ))
        expected.push(chunk);
      const bytes = readFileSync(path.join(dir, "out"));
      assert.ok(bytes.equals(Buffer.concat(expected)));
      assert.equal(assembled.diffId, `sha256:${createHash("sha256").update(bytes).digest("hex")}`);
      for (const [index, content] of contents.entries()) {
        const digest = createHash("sha256").update(content).digest();
        assert.deepEqual(Buffer.from(assembled.contentDigests.subarray(index * 32, index * 32 + 32)), digest);
      }
    }),
    { numRuns: 20 },
  );
});

test("ranges of earlier files are hashed and not written again", async () => {
  const old = path.join(dir, "old");
  const content = Buffer.alloc(2 * slab + 512, 7);
  writeFileSync(old, content);
  const entry = fileEntry(Buffer.from("new"));
  const pieces: Piece[] = [
    { kind: "range", path: old, offset: 512, length: slab + 1024 },
    { kind: "entry", entry },
    { kind: "range", path: old, offset: 0, length: 512 },
  ];
  const assembled = await assemble(pieces, workers);
  const written = readFileSync(path.join(dir, "out"));
  assert.equal(assembled.writtenBytes, written.length);
  assert.equal(written.length, 1024 + 1024);
  const whole = Buffer.concat([
    content.subarray(512, 512 + slab + 1024),
    written.subarray(0, 1024),
    content.subarray(0, 512),
    written.subarray(1024),
  ]);
  assert.equal(assembled.sizeBytes, whole.length);
  assert.equal(assembled.diffId, `sha256:${createHash("sha256").update(whole).digest("hex")}`);
  assert.deepEqual([...assembled.starts], [0, slab + 1024, slab + 2048]);
});

for (const [who, readers] of [
  ["this thread", inlineReaders],
  ["worker threads", workers],
] as const) {
  test(`a file that is not what it was is noticed by ${who}`, async () => {
    const changes: Readonly<Record<string, (file: string) => void>> = {
      longer: (file) => appendFileSync(file, "x"),
      shorter: (file) => writeFileSync(file, "x"),
      "same size, new time": (file) => writeFileSync(file, Buffer.alloc(5000, 9)),
      gone: (file) => rmSync(file),
      "a link now": (file) => {
        rmSync(file);
        symlinkSync("/etc/hostname", file);
      },
    };
    for (const [how, change] of Object.entries(changes)) {
      const entry = fileEntry(Buffer.alloc(5000, 1));
      await new Promise((resolve) => setTimeout(resolve, 15));
      if (entry.content.from === "file") change(entry.content.path);
      await assert.rejects(assemble([{ kind: "entry", entry }], readers), { code: "CONTEXT_CHANGED" }, how);
    }
  });

  test(`a cancel is noticed by ${who} between slabs`, async () => {
    const entries = Array.from({ length: 12 }, () => fileEntry(Buffer.alloc(slab, 1)));
    const controller = new AbortController();
    const assembling = assembleLayer(
      entries.map((entry) => ({ kind: "entry", entry })),
      path.join(dir, "cancelled"),
      { readers, signal: controller.signal, onProgress: () => controller.abort() },
    );
    await assert.rejects(assembling, { code: "CANCELLED" });
  });
}

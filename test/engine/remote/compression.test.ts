import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { type Compression, compressedContent } from "../../../engine/remote/compression.ts";
import { CompressionThreads } from "../../../engine/remote/compressionThreads.ts";
import { gzipMember } from "../../../engine/remote/gzipMember.ts";

const never = new AbortController().signal;
const threads = new CompressionThreads(2);
after(() => threads[Symbol.asyncDispose]());
const gzip: Compression = { algorithm: "gzip", level: 1 };
const mebibyte = 1024 * 1024;

/** Text, then random bytes, then text, then a short random tail: every kind of cut. */
function mixedLayer(): Buffer {
  const text = Buffer.from("kind: Deployment\nmetadata: {name: shop}\n".repeat(40_000));
  const seed = createHash("sha256").update("seed").digest();
  const random = Buffer.concat(
    Array.from({ length: 70_000 }, (_, i) => createHash("sha256").update(seed).update(String(i)).digest()),
  );
  return Buffer.concat([text, random, text.subarray(0, 300_001), random.subarray(0, 9001)]);
}

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function all(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}

function compress(layer: Uint8Array, compression: Compression, chunkSize = 100_000): Promise<Buffer> {
  const content = compressedContent((offset) => chunks(layer.subarray(offset), chunkSize), compression, threads);
  return all(content.open(0, never));
}

test("gzip members read as one file with the layer's bytes, for us and for gunzip", async () => {
  const layer = mixedLayer();
  const compressed = await compress(layer, gzip);
  assert.deepEqual(gunzipSync(compressed), layer);
  const { stdout, status } = spawnSync("gunzip", ["-c"], { input: compressed, maxBuffer: 1 << 26 });
  assert.equal(status, 0);
  assert.ok(stdout.equals(layer));
});

test("any bytes come back from a member, and random ones grow by less than a thousandth", () => {
  const text = Buffer.from("apiVersion: v1 ".repeat(10_000));
  const stretch = fc.oneof(
    fc.record({ kind: fc.constant("text"), length: fc.integer({ min: 0, max: 9000 }) }),
    fc.record({ kind: fc.constant("random"), length: fc.integer({ min: 0, max: 70_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 12 }), (stretches) => {
      const bytes = Buffer.concat(
        stretches.map(({ kind, length }) => (kind === "text" ? text.subarray(0, length) : randomBytes(length))),
      );
      assert.ok(gunzipSync(gzipMember(bytes, 1)).equals(bytes));
    }),
    { numRuns: 60 },
  );
  const random = randomBytes(mebibyte);
  assert.ok(gzipMember(random, 1).byteLength < mebibyte * 1.001);
});

test("the compressed bytes do not depend on how the layer arrived", async () => {
  const layer = mixedLayer();
  const digests = await Promise.all(
    [1 << 20, 65_536, 65_537, 12_345].map(async (size) =>
      createHash("sha256")
        .update(await compress(layer, gzip, size))
        .digest("hex"),
    ),
  );
  assert.equal(new Set(digests).size, 1);
});

test("a member's header names no system and no time", async () => {
  const compressed = await compress(Buffer.from("hello"), gzip);
  assert.deepEqual([...compressed.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, compressed[8], 255]);
});

test("an empty layer is one empty member", async () => {
  assert.deepEqual(gunzipSync(await compress(new Uint8Array(), gzip)), Buffer.alloc(0));
});

test("zstd frames hold the layer's bytes", async () => {
  const layer = mixedLayer();
  const compressed = await compress(layer, { algorithm: "zstd", level: 3 });
  const frames: Buffer[] = [];
  for (let at = 0; at < compressed.byteLength; ) {
    const { buffer, engine } = zstdDecompressSync(compressed.subarray(at), { info: true } as never) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    frames.push(buffer);
    at += engine.bytesWritten;
  }
  assert.deepEqual(Buffer.concat(frames), layer);
});

test("opened at any offset, the compressed bytes go on as they would have", async () => {
  const layer = mixedLayer();
  const content = compressedContent((offset) => chunks(layer.subarray(offset), 50_000), gzip, threads);
  const whole = await all(content.open(0, never));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.byteLength }), async (offset) => {
      assert.ok((await all(content.open(offset, never))).equals(whole.subarray(offset)));
    }),
    { numRuns: 12, examples: [[0], [whole.byteLength], [whole.byteLength - 1]] },
  );
});

test("a reader that stops early leaves no compression behind, and a later one goes on", async () => {
  const layer = mixedLayer();
  const content = compressedContent((offset) => chunks(layer.subarray(offset), 50_000), gzip, threads);
  let first: Uint8Array = new Uint8Array();
  for await (const chunk of content.open(0, never)) {
    first = Buffer.from(chunk);
    break;
  }
  const rest = await all(content.open(first.byteLength, never));
  assert.deepEqual(gunzipSync(Buffer.concat([first, rest])), layer);
});

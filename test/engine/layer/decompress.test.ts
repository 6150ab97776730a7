import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { isEngineError } from "../../../engine/errors.ts";
import { decompress, detectCompression, readLayerTar } from "../../../engine/layer/decompress.ts";
import { digestOf } from "../../../engine/oci/digest.ts";
import { skipWithoutProgram } from "../../support/requirement.ts";

const text = Buffer.concat([Buffer.from("a layer is a tar ".repeat(40_000)), randomBytes(200_000)]);
const parts = [text.subarray(0, 100_000), text.subarray(100_000, 100_001), text.subarray(100_001)];

/** The bytes in pieces of `size`. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const checksummed = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const skippable = Buffer.concat([Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from("extra")]);

const blobs: Readonly<Record<string, Buffer>> = {
  "an uncompressed tar": text,
  "one gzip member": gzipSync(text),
  "many gzip members": Buffer.concat(parts.map((part) => gzipSync(part))),
  "one zstd frame": zstdCompressSync(text),
  "many zstd frames": Buffer.concat(parts.map((part) => zstdCompressSync(part))),
  "zstd frames with checksums, and skippable frames before, between and after": Buffer.concat([
    skippable,
    ...parts.flatMap((part) => [zstdCompressSync(part, checksummed), skippable]),
  ]),
  "an empty zstd frame between others": Buffer.concat([zstdCompressSync(text), zstdCompressSync(Buffer.alloc(0))]),
};

describe("decompressing layers", () => {
  for (const [what, blob] of Object.entries(blobs)) {
    for (const size of [1021, 65_536, blob.length]) {
      test(`${what} in pieces of ${size === blob.length ? "all" : size} bytes gives all of the content`, async () => {
        assert.deepEqual(await collect(decompress(pieces(blob, size))), text);
      });
    }
  }

  test("member and frame boundaries may fall between any two pieces", async () => {
    for (const compress of [gzipSync, zstdCompressSync]) {
      const small = Buffer.concat([compress(Buffer.from("hello ")), compress(Buffer.from("world"))]);
      for (let size = 1; size <= small.length; size++) {
        assert.equal((await collect(decompress(pieces(small, size)))).toString(), "hello world", `pieces of ${size}`);
      }
    }
  });

  test("an empty blob is an empty tar", async () => {
    assert.equal((await collect(decompress(pieces(Buffer.alloc(0), 1)))).length, 0);
    assert.equal(detectCompression(Buffer.of(0x1f)), "none");
  });

  for (const what of ["many gzip members", "many zstd frames", "one zstd frame"]) {
    test(`${what}, cut anywhere but between two, is damaged, not short`, async () => {
      const blob = blobs[what] as Buffer;
      const ends =
        what === "many gzip members"
          ? gzipSync(parts[0] as Buffer).length
          : zstdCompressSync(parts[0] as Buffer).length;
      for (const at of [7, 20, ends - 1, ends + 3, blob.length - 100, blob.length - 1]) {
        await assert.rejects(
          collect(decompress(pieces(blob.subarray(0, at), 4096))),
          (error) => isEngineError(error, "LAYER_CORRUPT"),
          `cut at ${at}`,
        );
      }
    });
  }

  test("a flipped bit in a zstd frame with a checksum is noticed", async () => {
    const blob = Buffer.from(zstdCompressSync(text, checksummed));
    blob[blob.length - 50_000] = (blob[blob.length - 50_000] as number) ^ 1;
    await assert.rejects(collect(decompress(pieces(blob, 4096))), (error) => isEngineError(error, "LAYER_CORRUPT"));
  });

  test("bytes after the last zstd frame that are no frame are damage", async () => {
    const blob = Buffer.concat([zstdCompressSync(text), Buffer.from("rubbish")]);
    await assert.rejects(collect(decompress(pieces(blob, 4096))), (error) => isEngineError(error, "LAYER_CORRUPT"));
  });

  test("an error of the source arrives as it is", async () => {
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield gzipSync(text).subarray(0, 100);
      throw new Error("the disk is gone");
    };
    await assert.rejects(collect(decompress(failing())), /the disk is gone/);
  });

  test("whoever stops early closes the source", async () => {
    for (const blob of [gzipSync(text), zstdCompressSync(text), text]) {
      let closed = false;
      const source = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* pieces(blob, 1000);
        } finally {
          closed = true;
        }
      };
      for await (const _ of decompress(source())) break;
      assert.ok(closed);
    }
  });

  test("a layer whose content is not the promised one ends in an error, a right one ends", async () => {
    const blob = gzipSync(text);
    const diffId = digestOf(text);
    assert.deepEqual(await collect(readLayerTar(pieces(blob, 4096), { diffId, sizeBytes: text.length })), text);
    const wrong = readLayerTar(pieces(blob, 4096), { diffId: digestOf("other") });
    await assert.rejects(collect(wrong), (error) => isEngineError(error, "LAYER_CORRUPT"));
  });

  test("a layer that unfolds to more than its size is stopped there", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    let seen = 0;
    await assert.rejects(
      async () => {
        for await (const chunk of readLayerTar(pieces(bomb, 4096), { diffId: digestOf(""), sizeBytes: 1000 }))
          seen += chunk.length;
      },
      (error) => isEngineError(error, "LAYER_CORRUPT"),
    );
    assert.ok(seen < 1_000_000);
  });
});

describe("decompressing what zstd itself writes", { skip: skipWithoutProgram("zstd") }, () => {
  for (const args of [["-1"], ["-19", "--ultra"], ["--long=27"], ["--no-check"], ["-T2", "-B65536"]]) {
    test(`zstd ${args.join(" ")}`, async () => {
      const blob = spawnSync("zstd", [...args, "-q", "-c"], { input: text, maxBuffer: 1 << 26 }).stdout;
      assert.deepEqual(
        await collect(decompress(pieces(Buffer.concat([blob, blob]), 10_000))),
        Buffer.concat([text, text]),
      );
    });
  }
});

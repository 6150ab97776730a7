import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ByteString } from "../../../engine/byteString.ts";
import { isEngineError } from "../../../engine/errors.ts";
import { type EntryKind, type TarEntry, tarEntry } from "../../../engine/tar/entry.ts";
import { decodeHeader, encodeHeader } from "../../../engine/tar/header.ts";
import { decodePax, encodePax } from "../../../engine/tar/pax.ts";
import { readTar } from "../../../engine/tar/read.ts";
import { packTar } from "../../../engine/tar/write.ts";

const byte = (minimum: number): fc.Arbitrary<string> =>
  fc.integer({ min: minimum, max: 255 }).map((code) => String.fromCharCode(code));

const name = fc
  .array(
    byte(1).filter((c) => c !== "/"),
    { minLength: 1, maxLength: 120 },
  )
  .map((parts) => parts.join(""));

const pathArbitrary = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/") as ByteString);

interface Sample {
  readonly entry: TarEntry;
  readonly content: Buffer;
}

const xattrs = fc
  .uniqueArray(
    fc.tuple(
      fc.stringMatching(/^user\.[a-z]{1,8}$/).map((text) => text as ByteString),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    ),
    { maxLength: 2, selector: ([key]) => key },
  )
  .map((pairs) => new Map(pairs.sort(([a], [b]) => (a < b ? -1 : 1))));

const sample: fc.Arbitrary<Sample> = fc
  .record({
    kind: fc.constantFrom<EntryKind>(
      "file",
      "hardLink",
      "symlink",
      "directory",
      "characterDevice",
      "blockDevice",
      "fifo",
    ),
    path: pathArbitrary,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.oneof(fc.nat(70_000), fc.integer({ min: 0, max: 2 ** 40 })),
    gid: fc.oneof(fc.nat(70_000), fc.integer({ min: 0, max: 2 ** 40 })),
    mtimeSeconds: fc.oneof(fc.nat(), fc.integer({ min: -(2 ** 33), max: 2 ** 34 })),
    mtimeNanoseconds: fc.oneof(fc.constant(0), fc.nat(999_999_999)),
    link: pathArbitrary,
    major: fc.nat(4095),
    minor: fc.nat(4095),
    xattrs,
    content: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  })
  .map((raw) => {
    const content = raw.kind === "file" ? raw.content : Buffer.alloc(0);
    const isDevice = raw.kind === "characterDevice" || raw.kind === "blockDevice";
    const isLink = raw.kind === "hardLink" || raw.kind === "symlink";
    const entry = tarEntry(raw.kind, raw.path, {
      mode: raw.mode,
      uid: raw.uid,
      gid: raw.gid,
      size: content.length,
      mtimeSeconds: raw.mtimeSeconds,
      mtimeNanoseconds: raw.mtimeNanoseconds,
      linkTarget: isLink ? raw.link : ("" as ByteString),
      deviceMajor: isDevice ? raw.major : 0,
      deviceMinor: isDevice ? raw.minor : 0,
      xattrs: raw.xattrs,
    });
    return { entry, content };
  });

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const member of readTar(source)) {
    samples.push({ entry: member.entry, content: await gather(member.content()) });
  }
  return samples;
}

const pack = (samples: readonly Sample[]): Promise<Buffer> =>
  gather(packTar(samples.map(({ entry, content }) => ({ entry, content: [content] }))));

test("what is packed is read back the same, fed in chunks of any size", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(sample, { maxLength: 6 }), fc.integer({ min: 1, max: 3000 }), async (samples, size) => {
      const archive = await pack(samples);
      assert.equal(archive.length % 512, 0);
      assert.deepEqual(await readAll(inPieces(archive, size)), samples);
    }),
    { numRuns: 150 },
  );
});

test("the same entries give the same bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(sample, { maxLength: 4 }), async (samples) => {
      assert.deepEqual(await pack(samples), await pack(structuredCopy(samples)));
    }),
    { numRuns: 40 },
  );
});

const structuredCopy = (samples: readonly Sample[]): Sample[] =>
  samples.map(({ entry, content }) => ({
    entry: { ...entry, xattrs: new Map(entry.xattrs) },
    content: Buffer.from(content),
  }));

test("members that nobody reads are passed over", async () => {
  const samples = [1, 700, 512, 0, 5000].map((size, index) => ({
    entry: tarEntry("file", `f${index}` as ByteString, { size }),
    content: Buffer.alloc(size, 1),
  }));
  const names: string[] = [];
  for await (const member of readTar(inPieces(await pack(samples), 333))) names.push(member.entry.path);
  assert.deepEqual(names, ["f0", "f1", "f2", "f3", "f4"]);
});

test("contentOffset is where the content stands in the archive", async () => {
  const content = Buffer.from("needle in the archive");
  const long = `${"d".repeat(200)}/${"f".repeat(120)}` as ByteString;
  const archive = await pack([{ entry: tarEntry("file", long, { size: content.length }), content }]);
  for await (const member of readTar(inPieces(archive, 100))) {
    assert.equal(member.headerOffset, 0);
    assert.equal(member.contentOffset, 3 * 512);
    assert.deepEqual(archive.subarray(member.contentOffset, member.contentOffset + content.length), content);
  }
});

test("an archive cut short at any byte is an error or ends between members, never a wrong member", async () => {
  const content = Buffer.alloc(700, 7);
  const samples = [
    { entry: tarEntry("file", "one" as ByteString, { size: 700 }), content },
    { entry: tarEntry("file", "two" as ByteString, { size: 700, mtimeSeconds: -5 }), content },
  ];
  const archive = await pack(samples);
  for (let end = 0; end < archive.length - 1024; end += 97) {
    const read = await readAll(inPieces(archive.subarray(0, end), 512)).catch((error: unknown) => error);
    if (Array.isArray(read)) assert.deepEqual(read, samples.slice(0, read.length));
    else assert.ok(isEngineError(read, "TAR_INVALID"), String(read));
  }
});

test("a flipped bit in a header is noticed", () => {
  const block = encodeHeader(tarEntry("file", "name" as ByteString, { size: 12 }));
  block[3] = (block[3] ?? 0) ^ 1;
  assert.throws(() => decodeHeader(block, 1024), { code: "TAR_INVALID" });
});

test("random blocks are refused or decoded, never another exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (bytes) => {
      try {
        decodeHeader(Buffer.from(bytes), 0);
      } catch (error) {
        assert.ok(isEngineError(error, "TAR_INVALID"));
      }
    }),
  );
});

test("a content shorter or longer than its entry says stops the archive", async () => {
  for (const content of ["abc", "abcde"]) {
    const item = { entry: tarEntry("file", "f" as ByteString, { size: 4 }), content: [Buffer.from(content)] };
    await assert.rejects(gather(packTar([item])), { code: "TAR_SIZE_MISMATCH" });
  }
});

test("pax records count their own length, also where a digit is added", () => {
  for (let length = 0; length < 1200; length++) {
    const records = new Map([["k" as ByteString, new Uint8Array(Buffer.alloc(length, "v"))]]);
    const decoded = decodePax(encodePax(records), 0);
    assert.equal(decoded.get("k" as ByteString)?.length, length);
  }
});

test("malformed pax records are refused", () => {
  for (const text of ["x", "5 a=b", "99 a=b\n", "6 ab\n ", "0 a=b\n", "6 a=bc", "-6 a=b\n"]) {
    assert.throws(() => decodePax(Buffer.from(text), 0), { code: "TAR_INVALID" }, JSON.stringify(text));
  }
});

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { digestHex, digestOf } from "../../../engine/oci/digest.ts";
import type { Lease, RecipePart, SegmentId } from "../../../engine/store/contract.ts";
import { collect, never, testStore } from "./support.ts";

const absent = digestOf("not there");

test("bytes put in come out, by their digest", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const { digest, sizeBytes } = await lease.putBytes(Buffer.from("hello"));
  assert.equal(digest, digestOf("hello"));
  assert.equal(sizeBytes, 5);
  assert.deepEqual(t.store.stat(digest), { digest, sizeBytes: 5, heldAs: "whole" });
  assert.equal((await collect(t.store.read(digest, {}, never))).toString(), "hello");
  assert.equal(Buffer.from(t.store.readBytes(digest, 5)).toString(), "hello");
});

test("a sha512 blob lives beside the others", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const { digest } = await lease.putBytes(Buffer.from("x"), "sha512");
  assert.equal(digest, digestOf("x", "sha512"));
  assert.equal(Buffer.from(t.store.readBytes(digest, 1)).toString(), "x");
});

test("an empty blob is a blob", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const { digest } = await lease.putBytes(new Uint8Array());
  assert.equal((await collect(t.store.read(digest, {}, never))).length, 0);
  await using writer = lease.createBlob({ digest, sizeBytes: 0 });
  assert.equal((await writer.commit()).digest, digest);
});

test("what is not there says so", async () => {
  await using t = testStore();
  assert.equal(t.store.stat(absent), undefined);
  assert.equal(t.store.locate(absent), undefined);
  assert.throws(() => t.store.readBytes(absent, 10), { code: "BLOB_MISSING" });
  await assert.rejects(collect(t.store.read(absent, {}, never)), { code: "BLOB_MISSING" });
});

test("a document larger than allowed is not read", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const { digest } = await lease.putBytes(Buffer.from("hello"));
  assert.throws(() => t.store.readBytes(digest, 4), { code: "BLOB_TOO_LARGE" });
});

test("a blob written in pieces is visible only when committed", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const content = randomBytes(3_000_000);
  const digest = digestOf(content);
  await using writer = lease.createBlob({ digest, sizeBytes: content.length });
  for (let at = 0; at < content.length; at += 700_001) await writer.write(content.subarray(at, at + 700_001));
  assert.equal(t.store.stat(digest), undefined);
  assert.equal((await writer.commit()).digest, digest);
  assert.equal((await writer.commit()).digest, digest, "committing twice is committing once");
  assert.ok(content.equals(await collect(t.store.read(digest, {}, never))));
});

test("a writer that is let go without commit leaves nothing", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  {
    await using writer = lease.createBlob();
    await writer.write(Buffer.from("abandoned"));
  }
  assert.equal(t.store.stat(digestOf("abandoned")), undefined);
  const left = readdirSync(path.join(t.dir, "store-v1/tmp"), { recursive: true }).filter((name) =>
    String(name).includes("blob"),
  );
  assert.deepEqual(left, []);
});

test("leaving a scope with a write that nobody has awaited yet waits for it", async () => {
  await using t = testStore();
  const putInScope = async (): Promise<unknown> => {
    await using lease = t.store.lease("test");
    return lease.putBytes(Buffer.from("bytes"));
  };
  await putInScope();
  await using lease = t.store.lease("test");
  const commitInScope = async (): Promise<unknown> => {
    await using writer = lease.createBlob();
    await writer.write(Buffer.from("blob"));
    return writer.commit();
  };
  await commitInScope();
  let id = "";
  const commitSegmentInScope = async (): Promise<unknown> => {
    await using writer = lease.createSegment();
    id = writer.id;
    writeFileSync(writer.path, "segment");
    return writer.commit();
  };
  await commitSegmentInScope();
  assert.ok(t.store.stat(digestOf("bytes")) && t.store.stat(digestOf("blob")));
  assert.equal(readFileSync(path.join(t.dir, "store-v1/segments", id), "utf8"), "segment");
});

test("a lease that ends takes its unfinished files with it", async () => {
  await using t = testStore();
  const lease = t.store.lease("test");
  lease.createSegment();
  lease.scratchDir();
  await lease.createBlob().write(Buffer.from("x"));
  await lease[Symbol.asyncDispose]();
  assert.deepEqual(readdirSync(path.join(t.dir, "store-v1/tmp")), []);
  assert.deepEqual(readdirSync(path.join(t.dir, "store-v1/leases")), []);
});

for (const [what, sent] of [
  ["other bytes of the right size", "jello"],
  ["too few bytes", "hell"],
  ["too many bytes", "hello!"],
] as const) {
  test(`${what} are refused and not kept`, async () => {
    await using t = testStore();
    await using lease = t.store.lease("test");
    const digest = digestOf("hello");
    await using writer = lease.createBlob({ digest, sizeBytes: 5 });
    await assert.rejects(
      async () => {
        await writer.write(Buffer.from(sent));
        await writer.commit();
      },
      { code: "BLOB_MISMATCH" },
    );
    assert.equal(t.store.stat(digest), undefined);
    assert.equal(t.store.stat(digestOf(sent)), undefined);
  });
}

test("any range is the slice of the whole, however the blob is held", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const content = randomBytes(2_500_000);
  const whole = await lease.putBytes(content);
  const other = Buffer.concat([content, Buffer.from("!")]);
  const recipe = await lease.putRecipe(digestOf(other), await cut(lease, other, [10, 11, 300_000, 300_500, 2_000_000]));
  for (const [blob, bytes] of [
    [whole, content],
    [recipe, other],
  ] as const) {
    for (const [start, end] of [
      [0, 1],
      [5, 5],
      [9, 12],
      [299_999, 2_000_001],
      [1_048_575, 1_048_577],
      [bytes.length - 1, bytes.length],
      [0, bytes.length],
    ] as const) {
      const got = await collect(t.store.read(blob.digest, { start, end }, never));
      assert.ok(got.equals(bytes.subarray(start, end)), `${blob.heldAs} ${start}-${end}`);
    }
    assert.ok((await collect(t.store.read(blob.digest, { start: 7 }, never))).equals(bytes.subarray(7)));
  }
  for (const range of [{ start: -1 }, { start: 2, end: 1 }, { end: content.length + 1 }, { start: 0.5 }]) {
    await assert.rejects(collect(t.store.read(whole.digest, range, never)), { code: "RANGE_INVALID" });
  }
});

test("a recipe of any cut reads as the bytes it was cut from", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 2000 }),
      fc.array(fc.nat(2000), { maxLength: 20 }),
      async (content, cuts) => {
        const bytes = Buffer.from(content);
        const digest = digestOf(bytes);
        await lease.putRecipe(digest, await cut(lease, bytes, cuts));
        assert.ok((await collect(t.store.read(digest, {}, never))).equals(bytes));
        assert.ok(Buffer.from(t.store.readBytes(digest, 2000)).equals(bytes));
      },
    ),
    { numRuns: 25 },
  );
});

test("the place of a recipe's parts lets anybody read them", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const bytes = randomBytes(10_000);
  const digest = digestOf(bytes);
  await lease.putRecipe(digest, await cut(lease, bytes, [1000, 5000]));
  const location = t.store.locate(digest);
  assert.ok(location !== undefined);
  assert.equal(location.heldAs, "recipe");
  const parts = Array.from(location.pathIndex, (file, i) => {
    const offset = location.offsets[i] ?? 0;
    return readFileSync(location.paths[file] ?? "").subarray(offset, offset + (location.lengths[i] ?? 0));
  });
  assert.ok(Buffer.concat(parts).equals(bytes));
});

test("neighbouring parts of one segment are joined", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const segment = await put(lease, Buffer.from("abcdef"));
  await lease.putRecipe(digestOf("abcdef"), [
    { segment, offset: 0, length: 2 },
    { segment, offset: 2, length: 0 },
    { segment, offset: 2, length: 3 },
    { segment, offset: 5, length: 1 },
  ]);
  assert.deepEqual([...(t.store.locate(digestOf("abcdef"))?.lengths ?? [])], [6]);
});

test("a recipe whose parts are not there is refused", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const segment = await put(lease, Buffer.from("abc"));
  await assert.rejects(lease.putRecipe(absent, [{ segment: "0".repeat(32) as SegmentId, offset: 0, length: 1 }]), {
    code: "BLOB_MISSING",
  });
  await assert.rejects(lease.putRecipe(absent, [{ segment, offset: 1, length: 3 }]), { code: "BLOB_MISSING" });
  assert.equal(t.store.stat(absent), undefined);
});

test("two hundred thousand parts load in some milliseconds", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const bytes = Buffer.alloc(400_000, 7);
  const segment = await put(lease, bytes);
  const parts: RecipePart[] = [];
  // Every other byte, so that nothing can be joined.
  for (let offset = 0; offset < 400_000; offset += 2) parts.push({ segment, offset, length: 1 });
  const digest = digestOf(bytes.subarray(0, 200_000));
  await lease.putRecipe(digest, parts);
  const location = t.store.locate(digest);
  const times = Array.from({ length: 5 }, () => {
    const begin = performance.now();
    t.store.locate(digest);
    return performance.now() - begin;
  });
  const tookMs = Math.min(...times);
  assert.equal(location?.lengths.length, 200_000);
  assert.ok(tookMs < 60, `${tookMs.toFixed(1)} ms`);
  assert.equal((await collect(t.store.read(digest, {}, never))).length, 200_000);
});

test("a damaged blob never reads to its end", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const { digest } = await lease.putBytes(Buffer.from("hello"));
  const file = path.join(t.dir, "store-v1/blobs/sha256", digestHex(digest));
  writeFileSync(file, "jello");
  await assert.rejects(collect(t.store.read(digest, {}, never)), { code: "BLOB_CORRUPT" });
  assert.throws(() => t.store.readBytes(digest, 9), { code: "BLOB_CORRUPT" });
  await lease.putBytes(Buffer.from("hello"));
  assert.equal(Buffer.from(t.store.readBytes(digest, 9)).toString(), "hello", "writing it again heals it");
});

test("a segment that was cut off, changed or lost is found on reading", async () => {
  const ways: readonly ((file: string) => void)[] = [
    (file) => truncateSync(file, 3),
    (file) => writeFileSync(file, "XXXXXX"),
    (file) => rmSync(file),
  ];
  for (const harm of ways) {
    await using t = testStore();
    await using lease = t.store.lease("test");
    const digest = digestOf("abcdef");
    const segment = await put(lease, Buffer.from("abcdef"));
    await lease.putRecipe(digest, [{ segment, offset: 0, length: 6 }]);
    harm(path.join(t.dir, "store-v1/segments", segment));
    await assert.rejects(collect(t.store.read(digest, {}, never)), { code: "BLOB_CORRUPT" });
    const healed = await put(lease, Buffer.from("abcdef"));
    await lease.putRecipe(digest, [{ segment: healed, offset: 0, length: 6 }]);
    assert.equal((await collect(t.store.read(digest, {}, never))).toString(), "abcdef");
  }
});

test("a recipe file that was cut off or changed is not trusted", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const digest = digestOf("abcdef");
  const segment = await put(lease, Buffer.from("abcdef"));
  await lease.putRecipe(digest, [{ segment, offset: 0, length: 6 }]);
  const file = path.join(t.dir, "store-v1/recipes/sha256", digestHex(digest));
  appendFileSync(file, "x");
  assert.throws(() => t.store.locate(digest), { code: "BLOB_CORRUPT" });
  writeFileSync(file, "short");
  assert.equal(t.store.stat(digest), undefined);
});

test("a reader that stops early closes its files", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const { digest } = await lease.putBytes(randomBytes(5_000_000));
  const open = (): number => readdirSync("/proc/self/fd").length;
  const before = open();
  for (let i = 0; i < 20; i++) {
    for await (const _ of t.store.read(digest, {}, never)) break;
  }
  assert.ok(open() <= before + 1, `${open()} files open, ${before} before`);
});

test("a reader can be cancelled between chunks", async () => {
  await using t = testStore();
  await using lease = t.store.lease("test");
  const { digest } = await lease.putBytes(randomBytes(3_000_000));
  const controller = new AbortController();
  await assert.rejects(
    async () => {
      for await (const _ of t.store.read(digest, {}, controller.signal)) controller.abort();
    },
    { code: "CANCELLED" },
  );
});

test("many writers of the same blob at once agree", async () => {
  await using t = testStore();
  await using other = t.again();
  await using a = t.store.lease("a");
  await using b = other.lease("b");
  const digests = await Promise.all(
    Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? a : b).putBytes(Buffer.from(`blob ${i % 5}`))),
  );
  assert.equal(new Set(digests.map((stat) => stat.digest)).size, 5);
  const report = await t.store.verify(never);
  assert.equal(report.blobs, 5);
  assert.deepEqual(report.damaged, []);
});

async function put(lease: Lease, bytes: Buffer): Promise<SegmentId> {
  await using writer = lease.createSegment();
  writeFileSync(writer.path, bytes);
  await writer.commit();
  return writer.id;
}

/** Cuts the bytes at the given places into two segments, alternately. */
async function cut(lease: Lease, bytes: Buffer, at: readonly number[]): Promise<RecipePart[]> {
  const places = [0, ...at.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
  const pieces = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
  const even = Buffer.concat(pieces.filter((_, i) => i % 2 === 0));
  const odd = Buffer.concat(pieces.filter((_, i) => i % 2 === 1));
  const ids = [await put(lease, even), odd.length === 0 ? undefined : await put(lease, odd)] as const;
  const offsets = [0, 0];
  return pieces.map((piece, i) => {
    const which = i % 2;
    const offset = offsets[which] ?? 0;
    offsets[which] = offset + piece.length;
    return { segment: ids[which] ?? ids[0], offset, length: piece.length };
  });
}

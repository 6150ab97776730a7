import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { requestLog } from "../../../engine/registry/requestLog.ts";
import { gatherBytes, writeBehind } from "../../../engine/registry/writeBehind.ts";

async function* chunksOf(sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let value = 0;
  for (const size of sizes) yield Buffer.alloc(size, value++ % 251);
}

test("whatever the sizes of the packets, the same bytes are written in order, one piece at a time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 1_500_000 }), { maxLength: 6 }),
      fc.constantFrom(1, gatherBytes),
      async (sizes, leastBytes) => {
        const written: Buffer[] = [];
        let busy = false;
        const whole = await writeBehind(
          chunksOf(sizes),
          async (bytes) => {
            assert.equal(busy, false);
            busy = true;
            const before = Buffer.from(bytes);
            await new Promise((resolve) => setImmediate(resolve));
            assert.ok(before.equals(bytes));
            written.push(before);
            busy = false;
          },
          () => true,
          leastBytes,
        );
        const expected = Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index % 251)));
        return whole && Buffer.concat(written).equals(expected);
      },
    ),
    { numRuns: 20 },
  );
});

test("a disk that fails ends the body, and a body that is too long is cut", async () => {
  const full = writeBehind(
    chunksOf(Array.from({ length: 50 }, () => 1_000_000)),
    () => Promise.reject(new Error("full")),
    () => true,
    1,
  );
  await assert.rejects(full, /full/);
  assert.equal(
    await writeBehind(
      chunksOf([10, 10]),
      async () => undefined,
      (taken) => taken <= 15,
      1,
    ),
    false,
  );
});

test("an image is one line of the log, a failure one too, and control characters none", () => {
  const lines: string[] = [];
  const log = requestLog((line) => lines.push(line));
  const base = { client: "127.0.0.1", durationMs: 1.4, method: "GET", status: 200 };
  log.note({ ...base, path: "/v2/coreos/etcd/manifests/v3", host: "quay.io" });
  log.note({ ...base, path: `/v2/coreos/etcd/blobs/sha256:${"a".repeat(64)}`, host: "quay.io" });
  log.note({ ...base, path: "/v2/a/blobs/uploads/", method: "POST", status: 401 });
  log.note({ ...base, path: "/\u001b[31m", status: 404 });
  assert.deepEqual(lines, [
    "GET quay.io/coreos/etcd:v3 200 127.0.0.1 1 ms",
    "POST a newUpload 401 127.0.0.1 1 ms",
    "GET /?[31m 404 127.0.0.1 1 ms",
  ]);
  assert.deepEqual(log.counts(), {
    other: 1,
    "other failed": 1,
    "pull blob": 1,
    "pull manifest": 1,
    push: 1,
    "push failed": 1,
  });
});

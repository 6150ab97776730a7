import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ownIdentity } from "../../../engine/store/liveness.ts";
import { never, testStore } from "./support.ts";

test("holders of one lock take turns in the order they came", async () => {
  await using t = testStore();
  await using other = t.again();
  const order: number[] = [];
  let inside = 0;
  const turns = Array.from({ length: 8 }, async (_, i) => {
    await using _lock = await (i % 2 === 0 ? t.store : other).lock("x", never);
    inside += 1;
    assert.equal(inside, 1);
    await sleep(2);
    order.push(i);
    inside -= 1;
  });
  await Promise.all(turns);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test("locks of different keys do not meet, and leave no folders", async () => {
  await using t = testStore();
  {
    await using _a = await t.store.lock("a", never);
    await using _b = await t.store.lock("b", never);
  }
  assert.deepEqual(readdirSync(path.join(t.dir, "store-v1/locks")), ["prune"]);
});

test("waiting for a lock can be cancelled, and the one who gave up stands in nobody's way", async () => {
  await using t = testStore();
  const first = await t.store.lock("x", never);
  await assert.rejects(t.store.lock("x", AbortSignal.timeout(20)), { code: "CANCELLED" });
  await assert.rejects(t.store.lock("x", AbortSignal.abort()), { code: "CANCELLED" });
  await first[Symbol.asyncDispose]();
  await using _second = await t.store.lock("x", AbortSignal.timeout(2000));
});

test("a lock of a killed process blocks nobody", { timeout: 20_000 }, async () => {
  await using t = testStore();
  const script = `
    import { openStore } from ${JSON.stringify(path.resolve(import.meta.dirname, "../../../engine/store/store.ts"))};
    const store = openStore({ dir: process.argv[1], now: () => 0 });
    await store.lock("x", new AbortController().signal);
    process.stdout.write("held");
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script, t.dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  await assert.rejects(t.store.lock("x", AbortSignal.timeout(100)), { code: "CANCELLED" }, "it is held");
  child.kill("SIGKILL");
  await once(child, "exit");
  await using _lock = await t.store.lock("x", AbortSignal.timeout(5000));
});

test("a lock left by an earlier boot or another machine counts only while its heart beats", {
  timeout: 20_000,
}, async () => {
  await using t = testStore();
  const probe = await t.store.lock("x", never);
  const locks = path.join(t.dir, "store-v1/locks");
  const folder = path.join(locks, readdirSync(locks).find((name) => name !== "prune") ?? "");
  await probe[Symbol.asyncDispose]();
  mkdirSync(folder, { recursive: true });
  const foreign = path.join(folder, "0123456789ab-1-5_00ff_1");
  writeFileSync(foreign, "");
  await assert.rejects(
    t.store.lock("x", AbortSignal.timeout(100)),
    { code: "CANCELLED" },
    "its heart beat a moment ago",
  );
  const longAgo = new Date(Date.now() - 10 * 60_000);
  utimesSync(foreign, longAgo, longAgo);
  await using _lock = await t.store.lock("x", AbortSignal.timeout(5000));
  assert.equal(existsSync(foreign), false);
});

test("a process number used again by another process is not taken for the holder", { timeout: 20_000 }, async () => {
  await using t = testStore();
  const [world, pid] = ownIdentity().split("-");
  const leases = path.join(t.dir, "store-v1/leases");
  const stale = path.join(leases, `${world}-${pid}-1_00ff`);
  writeFileSync(stale, "old build\n");
  await t.store.prune({}, never);
  assert.equal(existsSync(stale), false);
});

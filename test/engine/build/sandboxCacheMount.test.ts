import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type CacheMountOptions, openCacheMount } from "../../../engine/build/sandboxCacheMount.ts";
import { isEngineError } from "../../../engine/errors.ts";
import { scratch } from "../layer/layerFixture.ts";

const base = { id: "go", mode: 0o750, uid: 0, gid: 0, signal: new AbortController().signal } as const;

describe("the directory of a cache mount", () => {
  const open = (dir: string, sharing: CacheMountOptions["sharing"], rest: Partial<CacheMountOptions> = {}) =>
    openCacheMount({ ...base, dir, sharing, ...rest });

  test("is made with its mode, whatever the umask, and found again with what is in it", async () => {
    using place = scratch();
    const old = process.umask(0o077);
    try {
      await using first = await open(place.dir, "shared");
      assert.equal(statSync(first.source).mode & 0o7777, 0o750);
      writeFileSync(path.join(first.source, "kept"), "");
      await using second = await open(place.dir, "shared");
      assert.equal(second.source, first.source);
      assert.ok(statSync(path.join(second.source, "kept")).isFile());
    } finally {
      process.umask(old);
    }
  });

  test("is another one for another id, whatever the id says", async () => {
    using place = scratch();
    const sources = new Set<string>();
    for (const id of ["a", "b", "../../etc", "/", "", "a/b", "x".repeat(5000)]) {
      await using mount = await open(place.dir, "shared", { id });
      assert.ok(mount.source.startsWith(`${place.dir}/`));
      assert.equal(path.normalize(mount.source), mount.source);
      sources.add(mount.source);
    }
    assert.equal(sources.size, 7);
  });

  test("locked is held by one at a time, in turn", async () => {
    using place = scratch();
    const order: string[] = [];
    const use = async (name: string): Promise<void> => {
      await using mount = await open(place.dir, "locked");
      order.push(`${name} in ${path.basename(mount.source)}`);
      await sleep(30);
      order.push(`${name} out`);
    };
    await Promise.all([use("a"), use("b"), use("c")]);
    for (let index = 0; index < 6; index += 2) {
      assert.equal(order[index]?.split(" ")[0], order[index + 1]?.split(" ")[0]);
    }
  });

  test("locked and shared are the same directory, so that a change of sharing keeps the cache", async () => {
    using place = scratch();
    await using shared = await open(place.dir, "shared");
    await using locked = await open(place.dir, "locked");
    assert.equal(shared.source, locked.source);
  });

  test("private is a directory for each that runs at once, used again afterwards", async () => {
    using place = scratch();
    const first = await open(place.dir, "private");
    const second = await open(place.dir, "private");
    assert.notEqual(first.source, second.source);
    await first[Symbol.asyncDispose]();
    await using third = await open(place.dir, "private");
    assert.equal(third.source, first.source);
    await second[Symbol.asyncDispose]();
  });

  test("waiting for a locked one can be cancelled", async () => {
    using place = scratch();
    await using _held = await open(place.dir, "locked");
    const waiting = open(place.dir, "locked", { signal: AbortSignal.timeout(50) });
    await assert.rejects(waiting, (error) => isEngineError(error, "CANCELLED"));
  });
});

import assert from "node:assert/strict";
import { chmodSync, cpSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Bench } from "../build/fixture.ts";

const copyAll = "FROM scratch\nCOPY . /\n";

test("an unchanged context is taken from the cache and nothing is written", async () => {
  await using bench = new Bench();
  bench.write({ "a.yaml": "a", "charts/redis/values.yaml": "x: 1" });
  const first = await bench.build(copyAll);
  const second = await bench.build(copyAll);
  assert.equal(second.digest, first.digest);
  assert.equal(second.writtenBytes, 0);
  assert.deepEqual(await bench.plan(copyAll), ["cached"]);
});

test("a changed file is named, in the plan and in the build", async () => {
  await using bench = new Bench();
  bench.write({ "a.yaml": "a", "charts/redis/values.yaml": "x: 1" });
  await bench.build(copyAll);
  bench.write({ "charts/redis/values.yaml": "x: 2" });
  assert.deepEqual(await bench.plan(copyAll), ["build: file charts/redis/values.yaml changed"]);
  await bench.build(copyAll);
  assert.deepEqual(bench.outcomes, ["COPY . /: built (file charts/redis/values.yaml changed)"]);
});

test("added, removed and altered files are named, and further ones counted", async () => {
  await using bench = new Bench();
  bench.write({ a: "a", b: "b", c: "c" });
  await bench.build(copyAll);
  bench.write({ d: "d" });
  assert.deepEqual(await bench.plan(copyAll), ["build: file d was added"]);
  rmSync(path.join(bench.contextDir, "d"));
  rmSync(path.join(bench.contextDir, "c"));
  assert.deepEqual(await bench.plan(copyAll), ["build: file c was removed"]);
  bench.write({ a: "changed" });
  assert.deepEqual(await bench.plan(copyAll), ["build: file a changed and 1 more change"]);
  bench.write({ a: "a", c: "c" });
  chmodSync(path.join(bench.contextDir, "b"), 0o600);
  assert.deepEqual(await bench.plan(copyAll), ["build: file b has another mode, owner, target or attribute"]);
});

test("a touched file, a rewritten file of the same content and a copied checkout stay cached", async () => {
  await using bench = new Bench();
  bench.write({ "a.yaml": "a", "deep/b.yaml": "b" });
  const { digest } = await bench.build(copyAll);
  utimesSync(path.join(bench.contextDir, "a.yaml"), 1, 1);
  assert.deepEqual(await bench.plan(copyAll), ["cached"]);
  writeFileSync(path.join(bench.contextDir, "deep/b.yaml"), "b");
  assert.deepEqual(await bench.plan(copyAll), ["cached"]);
  const moved = path.join(bench.dir, "moved");
  cpSync(bench.contextDir, moved, { recursive: true });
  assert.deepEqual(await bench.plan(copyAll, { contextDir: moved }), ["cached"]);
  const again = await bench.build(copyAll, { contextDir: moved });
  assert.equal(again.digest, digest);
  assert.equal(again.writtenBytes, 0);
});

test("a file swapped for another of the same size and time is noticed", async () => {
  await using bench = new Bench();
  bench.write({ one: "11", two: "22" });
  for (const name of ["one", "two"]) utimesSync(path.join(bench.contextDir, name), 1000, 1000);
  await bench.build(copyAll);
  await new Promise((resolve) => setTimeout(resolve, 60));
  await bench.build(copyAll);
  const at = (name: string): string => path.join(bench.contextDir, name);
  renameSync(at("one"), at("three"));
  renameSync(at("two"), at("one"));
  renameSync(at("three"), at("two"));
  assert.deepEqual(await bench.plan(copyAll), ["build: file one changed and 1 more change"]);
});

test("a file written twice within one tick of the clock is read again", async () => {
  await using bench = new Bench();
  for (let round = 0; round < 20; round++) {
    bench.write({ racy: `a${round}` });
    await bench.build(copyAll);
    bench.write({ racy: `b${round}` });
    assert.deepEqual(await bench.plan(copyAll), ["build: file racy changed"], `round ${round}`);
  }
});

test("a build argument that changed is told with both values", async () => {
  await using bench = new Bench();
  bench.write({ "v1/a": "1", "v2/a": "2" });
  const kubefile = "FROM scratch\nARG VERSION=1\nCOPY v${VERSION} /app/\n";
  await bench.build(kubefile);
  assert.deepEqual(await bench.plan(kubefile, { buildArgs: { VERSION: "2" } }), ["build: ARG VERSION was 1, is 2"]);
  await bench.build(kubefile, { buildArgs: { VERSION: "2" } });
  assert.deepEqual(await bench.plan(kubefile, { buildArgs: { VERSION: "2" } }), ["cached"]);
  assert.deepEqual(await bench.plan(kubefile), ["cached"]);
});

test("an early change leaves later copies cached", async () => {
  await using bench = new Bench();
  bench.write({ "a/one": "1", "b/two": "2" });
  const kubefile = "FROM scratch\nCOPY a /a/\nCOPY b /b/\n";
  await bench.build(kubefile);
  bench.write({ "a/one": "changed" });
  await bench.build(kubefile);
  assert.deepEqual(bench.outcomes, [
    "COPY a /a/: built (file a/one changed)",
    "COPY b /b/: cached (nothing it reads changed)",
  ]);
});

test("a layer that was pruned is built again, and says so", async () => {
  await using bench = new Bench();
  bench.write({ a: "a" });
  const first = await bench.build(copyAll);
  await bench.engine.removeImage("test:1");
  await bench.engine.prune({ dryRun: false, all: true }, new AbortController().signal);
  const again = await bench.build(copyAll);
  assert.equal(again.digest, first.digest);
  assert.ok(again.writtenBytes > 0);
});

test("without cache everything is built, to the same image", async () => {
  await using bench = new Bench();
  bench.write({ a: "a" });
  const first = await bench.build(copyAll);
  const again = await bench.build(copyAll, { noCache: true });
  assert.deepEqual(bench.outcomes, ["COPY . /: built (the cache is switched off)"]);
  assert.equal(again.digest, first.digest);
});

test("one changed file writes that file alone, and the layer is what a fresh store would make", async () => {
  await using bench = new Bench();
  const files: Record<string, string> = {};
  for (let index = 0; index < 300; index++) files[`d${index % 7}/f${index}`] = `content ${index} `.repeat(100);
  bench.write(files);
  await bench.build(copyAll);
  bench.write({ "d3/f3": "changed", "new/file": "new" });
  rmSync(path.join(bench.contextDir, "d1/f1"));
  const changed = await bench.build(copyAll);
  assert.ok(changed.writtenBytes < 8 * 1024, `${changed.writtenBytes} bytes were written`);
  assert.deepEqual((await bench.engine.verify(new AbortController().signal)).faults, []);
  await using fresh = new Bench();
  const anew = await fresh.build(copyAll, { contextDir: bench.contextDir });
  assert.equal(anew.digest, changed.digest);
});

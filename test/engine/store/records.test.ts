import assert from "node:assert/strict";
import { readdirSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { digestOf } from "../../../engine/oci/digest.ts";
import { testStore } from "./support.ts";

const payload = (text: string): Uint8Array => Buffer.from(text);

test("a record is read as it was written", async () => {
  await using t = testStore();
  t.clock.ms = 1_700_000_000_123;
  const refs = [digestOf("a"), digestOf("b")];
  t.store.writeRecord({
    kind: "cache",
    key: "any text / at all\n",
    refs,
    keptWith: digestOf("c"),
    payload: payload("\n\0binary\n"),
  });
  const record = t.store.readRecord("cache", "any text / at all\n");
  assert.equal(Buffer.from(record?.payload ?? []).toString(), "\n\0binary\n");
  assert.deepEqual(record?.refs, refs);
  assert.equal(record?.keptWith, digestOf("c"));
  assert.equal(record?.lastUsedAtMs, 1_700_000_000_123);
  assert.equal(t.store.readRecord("cache", "other"), undefined);
  assert.equal(t.store.readRecord("other", "any text / at all\n"), undefined);
});

test("writing again replaces, removing removes", async () => {
  await using t = testStore();
  for (const text of ["one", "two"]) t.store.writeRecord({ kind: "k", key: "x", refs: [], payload: payload(text) });
  assert.equal(Buffer.from(t.store.readRecord("k", "x")?.payload ?? []).toString(), "two");
  assert.equal(t.store.listRecords().length, 1);
  assert.equal(t.store.removeRecord("k", "x"), true);
  assert.equal(t.store.removeRecord("k", "x"), false);
});

test("records are listed by last use, of one kind or of all", async () => {
  await using t = testStore();
  for (const [i, key] of ["a", "b", "c"].entries()) {
    t.clock.ms = 1000 * (i + 1);
    t.store.writeRecord({ kind: key === "b" ? "k2" : "k1", key, refs: [], payload: payload("") });
  }
  t.clock.ms = 9000;
  t.store.touchRecord("k1", "a");
  t.store.touchRecord("k1", "gone");
  assert.deepEqual(
    t.store.listRecords().map((entry) => [entry.key, entry.lastUsedAtMs]),
    [
      ["a", 9000],
      ["c", 3000],
      ["b", 2000],
    ],
  );
  assert.deepEqual(
    t.store.listRecords("k1").map((entry) => entry.key),
    ["a", "c"],
  );
  assert.deepEqual(t.store.listRecords("none"), []);
});

test("a record with thousands of references is listed whole", async () => {
  await using t = testStore();
  const refs = Array.from({ length: 3000 }, (_, i) => digestOf(`${i}`));
  t.store.writeRecord({ kind: "k", key: "x", refs, payload: Buffer.alloc(1_000_000) });
  assert.deepEqual(t.store.listRecords("k")[0]?.refs, refs);
  assert.equal(t.store.readRecord("k", "x")?.payload.length, 1_000_000);
});

test("a record that power loss cut off or emptied is as good as none", async () => {
  await using t = testStore();
  t.store.writeRecord({ kind: "k", key: "x", refs: [], payload: payload("0123456789") });
  const folder = path.join(t.dir, "store-v1/records/k");
  const file = path.join(folder, readdirSync(folder)[0] ?? "");
  truncateSync(file, 100);
  assert.equal(t.store.readRecord("k", "x"), undefined);
  writeFileSync(file, "");
  assert.equal(t.store.readRecord("k", "x"), undefined);
  assert.deepEqual(t.store.listRecords("k"), []);
  t.store.writeRecord({ kind: "k", key: "x", refs: [], payload: payload("again") });
  assert.equal(Buffer.from(t.store.readRecord("k", "x")?.payload ?? []).toString(), "again");
});

test("a kind cannot lead out of the store", async () => {
  await using t = testStore();
  for (const kind of ["..", "a/b", "", "A"]) {
    assert.throws(() => t.store.writeRecord({ kind, key: "x", refs: [], payload: payload("") }), TypeError);
  }
});

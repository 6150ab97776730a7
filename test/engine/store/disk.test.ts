import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { digestOf } from "../../../engine/oci/digest.ts";
import { openStore } from "../../../engine/store/store.ts";
import { skipUnless } from "../../support/requirement.ts";
import { never, putImage, tagImage, testStore } from "./support.ts";

const now = (): number => 0;

/** Everything below a folder: names, and the content of files. */
function snapshot(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    files.map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return [file, entry.isFile() ? readFileSync(file, "base64") : ""];
    }),
  );
}

test("a store is made where there is none, also below folders that are not there yet", async () => {
  await using t = testStore();
  const dir = path.join(t.dir, "a", "b");
  await using store = openStore({ dir, now });
  await tagImage(store, "docker.io/library/a:1", "x");
  assert.equal(openStore({ dir, now }).list().length, 1);
});

test("a newer store is named and left as it is", async () => {
  for (const makeNewer of [
    (dir: string): void => mkdirSync(path.join(dir, "store-v2")),
    (dir: string): void =>
      writeFileSync(path.join(dir, "store-v1/format.json"), '{"version":1,"features":["reflinks"]}'),
  ]) {
    await using t = testStore();
    makeNewer(t.dir);
    const before = snapshot(t.dir);
    assert.throws(() => t.again(), { code: "STORE_NEWER", message: /update Kubefile/ });
    assert.deepEqual(snapshot(t.dir), before);
  }
});

test("a store folder that is a file, or whose format file is damaged, is refused", async () => {
  await using t = testStore();
  const file = path.join(t.dir, "file");
  writeFileSync(file, "");
  assert.throws(() => openStore({ dir: file, now }), { code: "STORE_UNUSABLE" });
  assert.throws(() => openStore({ dir: path.join(file, "x"), now }), { code: "STORE_UNUSABLE" });
  writeFileSync(path.join(t.dir, "store-v1/format.json"), "");
  assert.throws(() => t.again(), { code: "STORE_UNUSABLE" });
});

/** A small file system of its own. */
interface Mount extends Disposable {
  readonly dir: string;
  remount(options: string): void;
}

function mountTmpfs(options: string): Mount {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-tmpfs-"));
  const run = (...args: string[]): void => {
    const { status, stderr } = spawnSync(args[0] ?? "", args.slice(1), { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  };
  run("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir);
  return {
    dir,
    remount: (more) => run("mount", "-o", `remount,${more}`, dir),
    [Symbol.dispose]: (): void => {
      run("umount", dir);
      rmSync(dir, { recursive: true });
    },
  };
}

const canMount =
  spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" }).status === 0;
const skip = skipUnless(process.getuid?.() === 0 && canMount, "mounting a small file system needs root");

test("a read-only store can be read; writing says so and changes nothing", { skip }, async () => {
  using mount = mountTmpfs("size=4m");
  const store = openStore({ dir: mount.dir, now });
  const target = await tagImage(store, "docker.io/library/a:1", "x");
  mount.remount("ro");
  const before = snapshot(mount.dir);
  const reopened = openStore({ dir: mount.dir, now });
  assert.equal(reopened.list().length, 1);
  await using lease = reopened.lease("read");
  assert.ok(await lease.pin(target.digest, never));
  assert.deepEqual((await reopened.verify(never)).damaged, []);
  const refused = { code: "STORE_READ_ONLY" };
  await assert.rejects(lease.putBytes(Buffer.from("new")), refused);
  assert.throws(() => lease.createBlob(), refused);
  await assert.rejects(reopened.tag("docker.io/library/b:1", target, never), refused);
  await assert.rejects(reopened.untag("docker.io/library/a:1"), refused);
  await assert.rejects(reopened.prune({}, never), refused);
  assert.throws(() => reopened.writeRecord({ kind: "k", key: "x", refs: [], payload: Buffer.alloc(0) }), refused);
  reopened.touchRecord("k", "x");
  assert.throws(() => openStore({ dir: path.join(mount.dir, "new"), now }), refused);
  assert.deepEqual(snapshot(mount.dir), before);
});

test("a full disk is named, the store stays whole, and a prune makes room", { skip }, async () => {
  using mount = mountTmpfs("size=2m");
  const store = openStore({ dir: mount.dir, now });
  const full = { code: "STORE_FULL", message: /kubefile prune/ };
  await tagImage(store, "docker.io/library/a:1", "kept");
  {
    await using lease = store.lease("garbage");
    await putImage(lease, "g".repeat(200_000));
  }
  {
    await using lease = store.lease("big");
    await using writer = lease.createBlob();
    await assert.rejects(async () => {
      for (let i = 0; i < 64; i++) await writer.write(randomBytes(65_536));
    }, full);
  }
  // Not one block left, as if others had filled the disk.
  const filler = path.join(mount.dir, "filler");
  for (const size of [65_536, 4096]) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: "a" });
    } catch {
      // Full at this size.
    }
  }
  assert.throws(() => store.lease("build"), full);
  assert.throws(() => store.writeRecord({ kind: "k", key: "x", refs: [], payload: Buffer.alloc(10) }), full);
  await assert.rejects(tagImage(store, "docker.io/library/b:1", "x"), full);
  assert.equal(store.list().length, 1);
  const report = await store.prune({}, never);
  assert.ok(report.freedBytes > 200_000, `${report.freedBytes} bytes freed`);
  await tagImage(store, "docker.io/library/b:1", "x");
  const verified = await store.verify(never);
  assert.deepEqual(verified.damaged, []);
  assert.equal(store.list().length, 2);
  assert.ok(store.stat(digestOf("kept")));
});

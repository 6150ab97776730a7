import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { digestHex, parseDigest } from "../../../engine/oci/digest.ts";
import { treeLines } from "../../peers/treeOf.ts";
import { skipUnless, skipWithoutProgram } from "../../support/requirement.ts";
import { Bench } from "./fixture.ts";

const copyAll = "FROM scratch\nCOPY . /\n";
const skip = skipWithoutProgram("tar");

/** Bytes of the only layer of an image, through an archive any tool reads. */
async function layerOf(bench: Bench, reference: string): Promise<string> {
  const out = mkdtempSync(path.join(bench.dir, "layout-"));
  const layout = path.join(out, "oci");
  await bench.engine.save({ reference, path: layout, format: "oci-dir" }, new AbortController().signal);
  const [image] = bench.engine.inspect(reference).images;
  const [layer] = image?.layers ?? [];
  return path.join(layout, "blobs/sha256", digestHex(parseDigest(layer?.digest ?? "")));
}

function extract(layer: string, into: string): void {
  mkdirSync(into);
  execFileSync("tar", ["-xpf", layer, "-C", into, "--same-owner", "--numeric-owner"]);
}

const asBytes = (dir: string, name: string): Buffer =>
  Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(name, "latin1")]);

test("what is packed is what GNU tar unpacks: names, modes, links, holes, times", {
  skip: skip || skipUnless(process.geteuid?.() === 0, "keeping owners takes root"),
}, async () => {
  await using bench = new Bench();
  const at = (name: string): string => path.join(bench.contextDir, name);
  bench.write({
    plain: "plain",
    empty: "",
    [`${"long-directory-name-".repeat(5)}/${"long-file-name-".repeat(10)}`]: "long",
    "üñï/ç": "unicode",
    "just-a-slab": Buffer.alloc(1024 * 1024 - 512, 1),
    "a-slab": Buffer.alloc(1024 * 1024, 2),
    "more-than-a-slab": Buffer.alloc(3 * 1024 * 1024 + 17, 3),
    "a-b": "sorts before a/b",
    "a/b": "b",
    "a/b.c": "c",
  });
  writeFileSync(asBytes(bench.contextDir, "not-utf8-\xff\xfe"), "bytes");
  writeFileSync(at("sparse"), "start");
  truncateSync(at("sparse"), 2 * 1024 * 1024);
  chmodSync(at("plain"), 0o6751);
  mkdirSync(at("sticky"));
  chmodSync(at("sticky"), 0o1777);
  linkSync(at("a/b"), at("zz-hard"));
  symlinkSync("a/b", at("link"));
  symlinkSync("x".repeat(300), at("long-link"));
  symlinkSync("loop", at("loop"));
  execFileSync("mkfifo", [at("pipe")]);
  for (const name of ["plain", "a/b", "link"]) lutimesSync(at(name), 1_234_567_890.75, 1_234_567_890.75);
  const server = createServer().listen(at("socket"));
  await new Promise((resolve) => server.once("listening", resolve));

  await bench.build(copyAll);
  server.close();
  rmSync(at("socket"), { force: true });
  const out = path.join(bench.dir, "out");
  extract(await layerOf(bench, "test:1"), out);
  assert.deepEqual(treeLines(out), treeLines(bench.contextDir));
  assert.equal(lstatSync(path.join(out, "plain")).mtimeMs, 1_234_567_890_000);
  assert.equal(lstatSync(path.join(out, "link")).mtimeMs, 1_234_567_890_000);
  assert.deepEqual(readFileSync(asBytes(out, "not-utf8-\xff\xfe")), Buffer.from("bytes"));
});

test("extended attributes go into the layer and count as content", {
  skip: skip || skipWithoutProgram("setfattr", "attr") || skipWithoutProgram("getfattr", "attr"),
}, async () => {
  await using bench = new Bench();
  bench.write({ "d/noted": "x", plain: "y" });
  const setfattr = (name: string, value: string, file: string): void => {
    execFileSync("setfattr", ["-n", name, "-v", value, path.join(bench.contextDir, file)]);
  };
  setfattr("user.note", "first", "d/noted");
  setfattr("user.dir", "of a directory", "d");
  await bench.build(copyAll);
  assert.deepEqual(await bench.plan(copyAll), ["cached"]);
  const out = path.join(bench.dir, "out");
  mkdirSync(out);
  execFileSync("tar", ["--xattrs", "--xattrs-include=*", "-xpf", await layerOf(bench, "test:1"), "-C", out]);
  const shown = execFileSync("getfattr", ["-R", "-d", "."], { cwd: out }).toString();
  assert.match(shown, /# file: d\nuser\.dir="of a directory"/);
  assert.match(shown, /# file: d\/noted\nuser\.note="first"/);
  setfattr("user.note", "second", "d/noted");
  assert.deepEqual(await bench.plan(copyAll), ["build: file d/noted has another mode, owner, target or attribute"]);
});

const fileName = fc
  .stringMatching(/^[a-zA-Z0-9._-]{1,12}$/)
  .filter((name) => name !== "." && name !== ".." && !name.startsWith(".wh."));
const tree = fc.dictionary(
  fc.array(fileName, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
  fc.record({ content: fc.uint8Array({ maxLength: 3000 }), mode: fc.constantFrom(0o644, 0o600, 0o755, 0o4755) }),
  { maxKeys: 12 },
);

test("any tree comes out as it went in, whatever order its files were made in", { skip }, async () => {
  await fc.assert(
    fc.asyncProperty(tree, fc.integer(), async (files, seed) => {
      await using bench = new Bench();
      const names = makeTree(bench.contextDir, files, Object.keys(files));
      const first = await bench.build(copyAll);
      const out = path.join(bench.dir, "out");
      if (names.length > 0) {
        extract(await layerOf(bench, "test:1"), out);
        assert.deepEqual(treeLines(out).map(withoutOwner), treeLines(bench.contextDir).map(withoutOwner));
      }
      await using other = new Bench();
      const shuffled = [...names].sort((a, b) => hash(a, seed) - hash(b, seed));
      makeTree(other.contextDir, files, shuffled);
      assert.equal((await other.build(copyAll)).digest, first.digest);
    }),
    { numRuns: 25 },
  );
});

type Files = Readonly<Record<string, { readonly content: Uint8Array; readonly mode: number }>>;

/** Makes the files in the given order; those in whose way another file stands are left out, in any order the same ones. */
function makeTree(root: string, files: Files, order: readonly string[]): readonly string[] {
  const possible = order.filter((name) => !Object.keys(files).some((other) => name.startsWith(`${other}/`)));
  for (const name of possible) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, files[name]?.content ?? "");
    chmodSync(file, files[name]?.mode ?? 0o644);
  }
  const settle = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const at = path.join(directory, entry.name);
      if (entry.isDirectory()) settle(at);
      lutimesSync(at, 1000, 1000);
    }
  };
  settle(root);
  return possible;
}

function withoutOwner(line: string): string {
  return line.replace(/ \d+:\d+/, "");
}

function hash(text: string, seed: number): number {
  let value = seed;
  for (const character of text) value = (Math.imul(value, 31) + character.charCodeAt(0)) | 0;
  return value;
}

test("umask, time zone, locale and home do not matter", async () => {
  await using bench = new Bench();
  bench.write({ "a.yaml": "a", "ä/ö": "x", Z: "z", "b/c": "c" });
  const cli = path.resolve(import.meta.dirname, "../../../engine/cli.ts");
  const kubefile = path.join(bench.dir, "K");
  writeFileSync(kubefile, "FROM scratch\nCOPY . /\nWORKDIR /made/here\nCOPY <<EOF /inline\ntext\nEOF\n");
  const digests = [
    { umask: "022", TZ: "UTC", LC_ALL: "C" },
    { umask: "077", TZ: "Asia/Tokyo", LC_ALL: "de_DE.UTF-8" },
    { umask: "000", TZ: "America/Los_Angeles", LC_ALL: "tr_TR.UTF-8" },
  ].map(({ umask, ...env }, index) => {
    const store = path.join(bench.dir, `store-${index}`);
    const command = `umask ${umask}; exec "$0" "$@"`;
    const args = [
      "-c",
      command,
      process.execPath,
      cli,
      "build",
      "-q",
      "--store",
      store,
      "-t",
      "t:1",
      "-f",
      kubefile,
      bench.contextDir,
    ];
    const run = spawnSync("sh", args, { env: { PATH: process.env["PATH"], HOME: bench.dir, ...env } });
    assert.equal(run.status, 0, run.stderr.toString());
    return run.stdout.toString().trim();
  });
  assert.equal(new Set(digests).size, 1, digests.join(" "));
});

test("SOURCE_DATE_EPOCH clamps newer times and dates the image", { skip }, async () => {
  await using bench = new Bench();
  bench.write({ old: "o", new: "n" });
  lutimesSync(path.join(bench.contextDir, "old"), 500, 500);
  await bench.build(copyAll, { sourceDateEpoch: 1000 });
  const out = path.join(bench.dir, "out");
  extract(await layerOf(bench, "test:1"), out);
  assert.equal(lstatSync(path.join(out, "old")).mtimeMs, 500_000);
  assert.equal(lstatSync(path.join(out, "new")).mtimeMs, 1_000_000);
  assert.equal(bench.engine.inspect("test:1").images[0]?.created, "1970-01-01T00:16:40Z");
});

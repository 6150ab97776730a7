import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  createReadStream,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { after, describe, test } from "node:test";
import { type ByteString, bytesOfText } from "../../../engine/byteString.ts";
import { type TarEntry, tarEntry } from "../../../engine/tar/entry.ts";
import { encodeHeader, endOfArchive } from "../../../engine/tar/header.ts";
import { readTar } from "../../../engine/tar/read.ts";
import { packTar } from "../../../engine/tar/write.ts";
import { skipWithoutProgram } from "../../support/requirement.ts";

describe("GNU tar", { skip: skipWithoutProgram("tar") }, () => {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-tar-"));
  after(() => rmSync(dir, { recursive: true, force: true }));

  const long = bytesOfText(`${"a-directory-with-a-long-name/".repeat(12)}ünïcödé`);
  const notUtf8 = "latin-\xe9-\xff" as ByteString;
  const content = Buffer.from("hello\n");
  const entries: readonly TarEntry[] = [
    tarEntry("directory", "d" as ByteString, { mode: 0o1777, mtimeSeconds: 1_600_000_000 }),
    tarEntry("file", "d/set-uid" as ByteString, { mode: 0o4755, size: content.length, mtimeSeconds: 1_600_000_001 }),
    tarEntry("file", long, { size: content.length, mtimeSeconds: 1_500_000_000, mtimeNanoseconds: 250_000_000 }),
    tarEntry("file", notUtf8, { size: content.length, mtimeSeconds: -86_400 }),
    tarEntry("symlink", "link" as ByteString, { linkTarget: long }),
    tarEntry("hardLink", "hard" as ByteString, { linkTarget: "d/set-uid" as ByteString }),
    tarEntry("file", "owned" as ByteString, { uid: 3_000_000_000, gid: 12, size: content.length }),
    tarEntry("fifo", "pipe" as ByteString),
  ];

  async function archive(): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    const items = entries.map((entry) => (entry.size > 0 ? { entry, content: [content] } : { entry }));
    for await (const chunk of packTar(items)) parts.push(chunk);
    return Buffer.concat(parts);
  }

  test("lists our archive with the same names, modes, owners, sizes and links, and no complaint", async () => {
    const listed = spawnSync("tar", ["--numeric-owner", "--quoting-style=literal", "-tvf", "-"], {
      input: await archive(),
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    });
    assert.equal(listed.stderr.toString(), "");
    const lines = listed.stdout.toString("latin1").trim().split("\n");
    assert.equal(lines.length, entries.length);
    assert.match(lines[0] ?? "", /^drwxrwxrwt 0\/0 .*2020-09-13 12:26 d\/$/);
    assert.match(lines[1] ?? "", /^-rwsr-xr-x 0\/0 +6 .* d\/set-uid$/);
    assert.ok(lines[2]?.endsWith(` ${long}`));
    assert.ok(lines[3]?.endsWith(`1969-12-31 00:00 ${notUtf8}`));
    assert.ok(lines[4]?.startsWith("l") && lines[4].endsWith(` link -> ${long}`));
    assert.match(lines[5] ?? "", /^hrw.* hard link to d\/set-uid$/);
    assert.match(lines[6] ?? "", / 3000000000\/12 /);
    assert.match(lines[7] ?? "", /^prw/);
  });

  test("unpacks our archive to the same files", async () => {
    const target = path.join(dir, "unpacked");
    mkdirSync(target);
    execFileSync("tar", ["-xf", "-", "-C", target, "--no-same-owner"], { input: await archive() });
    const at = (name: ByteString): Buffer => Buffer.concat([Buffer.from(`${target}/`), Buffer.from(name, "latin1")]);
    assert.equal(lstatSync(at(long), { bigint: true }).mtimeNs, 1_500_000_000_250_000_000n);
    assert.deepEqual(readFileSync(at(notUtf8)), content);
    assert.equal(readlinkSync(path.join(target, "link"), "latin1"), long);
    assert.equal(lstatSync(path.join(target, "hard")).ino, lstatSync(path.join(target, "d/set-uid")).ino);
  });

  test("reads a file over 8 GiB by its header", () => {
    const size = 9 * 1024 ** 3;
    const headers = encodeHeader(tarEntry("file", "big" as ByteString, { size }));
    const file = path.join(dir, "big.tar");
    writeFileSync(file, headers);
    truncateSync(file, headers.length + size + endOfArchive().length);
    const listed = execFileSync("tar", ["-tvf", file], { env: { ...process.env, LC_ALL: "C" } }).toString();
    assert.match(listed, new RegExp(` ${size} .* big\n$`));
  });

  for (const format of ["gnu", "oldgnu", "pax", "posix", "ustar", "v7"]) {
    test(`its ${format} archives are read as written`, async () => {
      const source = path.join(dir, format);
      const deep =
        format === "v7" || format === "ustar" ? "sub" : `${"s".repeat(90)}/${"t".repeat(90)}/${"u".repeat(90)}`;
      mkdirSync(path.join(source, deep), { recursive: true });
      writeFileSync(path.join(source, deep, "file"), content);
      utimesSync(path.join(source, deep, "file"), 1_234_567_890, 1_234_567_890);
      linkSync(path.join(source, deep, "file"), path.join(source, "zz-hard"));
      symlinkSync("x".repeat(format === "v7" || format === "ustar" ? 80 : 150), path.join(source, "symlink"));
      const file = path.join(dir, `${format}.tar`);
      execFileSync("tar", [
        "--format",
        format,
        "--sort=name",
        "--numeric-owner",
        "--owner=7",
        "--group=8",
        "-C",
        source,
        "-cf",
        file,
        ".",
      ]);
      const found = new Map<string, TarEntry>();
      for await (const member of readTar(createReadStream(file, { highWaterMark: 700 }))) {
        found.set(member.entry.path, member.entry);
        const parts: Uint8Array[] = [];
        for await (const chunk of member.content()) parts.push(chunk);
        assert.deepEqual(Buffer.concat(parts), member.entry.kind === "file" ? content : Buffer.alloc(0));
      }
      const entry = found.get(`./${deep}/file`);
      assert.equal(entry?.kind, "file");
      assert.equal(entry?.mtimeSeconds, 1_234_567_890);
      assert.deepEqual([entry?.uid, entry?.gid], [7, 8]);
      assert.equal(found.get("./symlink")?.linkTarget.length, format === "v7" || format === "ustar" ? 80 : 150);
      assert.equal(found.get("./zz-hard")?.linkTarget, `./${deep}/file`);
      assert.equal(found.get(".")?.kind, "directory");
    });
  }

  test("base-256 numbers of GNU archives are read", async () => {
    const source = path.join(dir, "numbers");
    mkdirSync(source);
    writeFileSync(path.join(source, "f"), content);
    const file = path.join(dir, "numbers.tar");
    execFileSync("tar", [
      "--format=gnu",
      "--numeric-owner",
      "--mtime=@-1000",
      "--owner=3000000000",
      "--group=4000000",
      "-C",
      source,
      "-cf",
      file,
      "f",
    ]);
    for await (const { entry } of readTar(createReadStream(file))) {
      assert.deepEqual([entry.uid, entry.gid, entry.mtimeSeconds], [3_000_000_000, 4_000_000, -1000]);
    }
  });

  const sparseForms = [
    ["--format=gnu"],
    ["--format=posix", "--sparse-version=0.0"],
    ["--format=posix", "--sparse-version=0.1"],
    ["--format=posix", "--sparse-version=1.0"],
  ];
  for (const form of sparseForms) {
    test(`sparse files are read with their holes: ${form.join(" ")}`, async () => {
      const names = ["empty-hole", "many-holes", "starts-with-data", "dense"];
      for (const name of names) rmSync(path.join(dir, name), { force: true });
      writeFileSync(path.join(dir, "empty-hole"), "");
      truncateSync(path.join(dir, "empty-hole"), 1024 * 1024);
      const many = Buffer.alloc(64 * 65_536 + 17);
      for (let at = 65_536; at < many.length; at += 2 * 65_536) many.fill(`data at ${at} `, at, at + 5000);
      const holed = openSync(path.join(dir, "many-holes"), "w");
      for (let at = 65_536; at < many.length; at += 2 * 65_536) {
        writeSync(holed, many, at, 8192, at);
      }
      ftruncateSync(holed, many.length);
      closeSync(holed);
      writeFileSync(path.join(dir, "starts-with-data"), "x");
      truncateSync(path.join(dir, "starts-with-data"), 5_000_000);
      writeFileSync(path.join(dir, "dense"), "no holes\n");
      const file = path.join(dir, "sparse.tar");
      execFileSync("tar", ["--sparse", ...form, "-C", dir, "-cf", file, ...names]);
      let sparse = 0;
      const seen: string[] = [];
      for await (const member of readTar(createReadStream(file, { highWaterMark: 1000 }))) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of member.content()) chunks.push(Buffer.from(chunk));
        const expected = readFileSync(path.join(dir, member.entry.path));
        assert.equal(member.entry.size, expected.length, member.entry.path);
        assert.ok(Buffer.concat(chunks).equals(expected), member.entry.path);
        if (member.stretches !== undefined) sparse += 1;
        seen.push(member.entry.path);
      }
      assert.deepEqual(seen, names);
      assert.equal(sparse, 3);
    });
  }

  test("a sparse file whose map does not fit its data is damage", async () => {
    writeFileSync(path.join(dir, "holes"), "x".repeat(5000));
    truncateSync(path.join(dir, "holes"), 1024 * 1024);
    const file = path.join(dir, "sparse.tar");
    execFileSync("tar", ["--sparse", "--format=gnu", "-C", dir, "-cf", file, "holes"]);
    const archive = readFileSync(file);
    // Octal fields of the first stretch's size and of the file's size.
    for (const at of [386 + 12, 483]) {
      const broken = Buffer.from(archive);
      broken.write("00000000077\0", at, "latin1");
      broken.write("        ", 148, "latin1");
      const sum = broken.subarray(0, 512).reduce((a, b) => a + b, 0);
      broken.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
      await assert.rejects(async () => {
        for await (const member of readTar(Readable.from([broken]))) assert.fail(member.entry.path);
      }, /map is damaged/);
    }
  });
});

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import tarStream from "tar-stream";
import { bytesOfText, textOfBytes } from "../../engine/byteString.ts";
import { type TarEntry, tarEntry } from "../../engine/tar/entry.ts";
import { readTar } from "../../engine/tar/read.ts";
import { packTar } from "../../engine/tar/write.ts";

const long = `${"folder/".repeat(40)}file-with-a-long-name.txt`;
const files: readonly { readonly name: string; readonly text: string }[] = [
  { name: "a", text: "hello" },
  { name: "empty", text: "" },
  { name: long, text: "x".repeat(513) },
  { name: "名前.txt", text: "utf-8" },
];

test("tar-stream reads what we write", async () => {
  const items = files.map(({ name, text }) => ({ entry: fileEntry(name, text), content: [Buffer.from(text)] }));
  const link = { entry: tarEntry("symlink", bytesOfText("link"), { linkTarget: bytesOfText(long) }) };
  const extract = tarStream.extract();
  Readable.from(packTar([...items, link])).pipe(extract);
  const found: { name: string; text: string; linkname: string | null | undefined; mtime: number }[] = [];
  for await (const entry of extract) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    const { name, linkname, mtime } = entry.header;
    found.push({ name, text: Buffer.concat(chunks).toString(), linkname, mtime: mtime?.getTime() ?? 0 });
  }
  assert.deepEqual(
    found.map(({ name, text }) => ({ name, text })),
    [...files, { name: "link", text: "" }],
  );
  assert.equal(found.at(-1)?.linkname, long);
  assert.equal(found[0]?.mtime, 1_700_000_000_000);
});

test("we read what tar-stream writes", async () => {
  const pack = tarStream.pack();
  for (const { name, text } of files) pack.entry({ name, mtime: new Date(1_700_000_000_000), mode: 0o640 }, text);
  pack.entry({ name: "link", type: "symlink", linkname: long });
  pack.finalize();
  const found: { name: string; text: string; entry: TarEntry }[] = [];
  for await (const member of readTar(pack as AsyncIterable<Uint8Array>)) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of member.content()) chunks.push(Uint8Array.from(chunk));
    const { entry } = member;
    found.push({ name: textOfBytes(entry.path), text: Buffer.concat(chunks).toString(), entry });
  }
  assert.deepEqual(
    found.map(({ name, text }) => ({ name, text })),
    [...files, { name: "link", text: "" }],
  );
  assert.equal(found[0]?.entry.mode, 0o640);
  assert.equal(found[0]?.entry.mtimeSeconds, 1_700_000_000);
  assert.equal(textOfBytes(found.at(-1)?.entry.linkTarget ?? bytesOfText("")), long);
});

function fileEntry(name: string, text: string): TarEntry {
  return tarEntry("file", bytesOfText(name), { size: Buffer.byteLength(text), mtimeSeconds: 1_700_000_000 });
}

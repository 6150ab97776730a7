import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import { type ByteString, fsPath, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { decompress, detectCompression } from "../layer/decompress.ts";
import { findHostTool, hostToolEnv } from "../layer/hostTool.ts";
import { memberPath } from "../layer/safePath.ts";
import type { TopSource } from "../plan/copyLayout.ts";
import { decodeHeader } from "../tar/header.ts";
import { readTar, type TarMember } from "../tar/read.ts";
import type { MadeItem } from "./copyEntries.ts";
import type { Spool } from "./spool.ts";
import type { BuildWorkshop } from "./workshop.ts";

/** How a file that ADD unpacks is compressed. */
type ArchiveKind = "tar" | "gzip" | "zstd" | "bzip2" | "xz";

/**
 * Whether ADD unpacks a file: a tar archive, plain or compressed with gzip, bzip2, xz or zstd, told by its content and not its name.
 * A compressed file that holds no archive is copied as it is.
 */
export async function isArchive(file: ByteString): Promise<boolean> {
  const kind = archiveKind(file);
  if (kind === undefined) return false;
  if (kind === "tar") return true;
  try {
    for await (const chunk of decompressed(file, kind)) return startsLikeTar(Buffer.from(chunk));
  } catch {
    return false;
  }
  return false;
}

function archiveKind(file: ByteString): ArchiveKind | undefined {
  const head = readHead(file);
  const compression = detectCompression(head);
  if (compression !== "none") return compression;
  if (head.toString("latin1", 0, 3) === "BZh") return "bzip2";
  if (head.toString("latin1", 0, 6) === "\xfd7zXZ\0") return "xz";
  return startsLikeTar(head) ? "tar" : undefined;
}

function readHead(file: ByteString): Buffer {
  const head = Buffer.alloc(512);
  const descriptor = openSync(fsPath(file), "r");
  try {
    return head.subarray(0, readSync(descriptor, head, 0, head.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function startsLikeTar(head: Buffer): boolean {
  if (head.length < 512) return false;
  try {
    return decodeHeader(head.subarray(0, 512), 0) !== undefined;
  } catch {
    return false;
  }
}

function decompressed(file: ByteString, kind: ArchiveKind): AsyncIterable<Uint8Array> {
  const stream = createReadStream(fsPath(file), { highWaterMark: 256 * 1024 });
  if (kind === "bzip2" || kind === "xz") return throughTool(kind, stream, file);
  return decompress(stream);
}

/** bzip2 and xz are not Node's; their own programs read them, where they are installed. */
async function* throughTool(
  tool: "bzip2" | "xz",
  input: NodeJS.ReadableStream,
  file: ByteString,
): AsyncGenerator<Uint8Array> {
  const program = findHostTool(tool);
  if (program === undefined) throw new EngineError("ADD_TOOL_MISSING", { path: textOfBytes(file), tool });
  const child = spawn(program, ["-dc"], { stdio: ["pipe", "pipe", "ignore"], env: hostToolEnv });
  const ended = once(child, "close");
  child.stdin.on("error", () => undefined);
  input.pipe(child.stdin);
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    const [code] = await ended;
    if (code !== 0) throw new EngineError("TAR_INVALID", { offset: 0, reason: `damaged ${tool} data` });
  } finally {
    child.kill();
  }
}

/** The members of an archive as the contents of a directory; hard links become names of one file. Throws `TAR_INVALID`. */
export async function archiveSource(
  shop: BuildWorkshop,
  name: ByteString,
  file: ByteString,
  spool: Spool,
): Promise<TopSource<MadeItem>> {
  const kind = archiveKind(file) ?? "tar";
  const items = new Map<ByteString, MadeItem>();
  for await (const member of readTar(decompressed(file, kind))) {
    if (shop.signal.aborted) throw new EngineError("CANCELLED", { what: "Unpacking an archive" });
    const inside = memberPath(member.entry.path, textOfBytes(name));
    if (inside !== "") items.set(inside, await archiveItem(member, inside, items, spool));
  }
  return { name, isDirectory: true, items: [...items].map(([inside, item]) => ({ inside, item })) };
}

async function archiveItem(
  member: TarMember,
  inside: ByteString,
  before: ReadonlyMap<ByteString, MadeItem>,
  spool: Spool,
): Promise<MadeItem> {
  const { entry } = member;
  if (entry.kind === "hardLink") {
    const target = before.get(memberPath(entry.linkTarget, textOfBytes(inside)));
    if (target === undefined)
      throw new EngineError("TAR_INVALID", {
        offset: member.headerOffset,
        reason: "a hard link to a file that is not before it",
      });
    return target;
  }
  if (entry.kind !== "file") return { entry: { ...entry, content: { from: "nothing" } }, inode: undefined };
  const { content } = await spool.write(member.content());
  return { entry: { ...entry, content }, inode: `${inside}` };
}

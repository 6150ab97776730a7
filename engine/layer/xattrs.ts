import { spawn } from "node:child_process";
import { once } from "node:events";
import { type ByteString, byteString } from "../byteString.ts";
import { isEngineError } from "../errors.ts";
import { readTar } from "../tar/read.ts";
import { findHostTool, hostToolEnv, runHostTool } from "./hostTool.ts";

/** Attributes of one path; "" is the directory itself that was asked about. */
export type Xattrs = ReadonlyMap<ByteString, Uint8Array>;

/*
 * Node cannot read or set extended attributes, so a program of the host does it, one start for a whole tree: `getfattr`/`setfattr`
 * (Debian package attr), or for reading GNU tar, which is nearly always there.
 */

/** Names that belong to the host or to overlayfs and never to a layer. */
export function isLayerXattr(name: string): boolean {
  return !/^(?:trusted\.overlay|user\.overlay|security\.(?:selinux|ima|evm|SMACK64))(?:\.|$)/.test(name);
}

/**
 * All attributes below `dir`, by path, symlinks not followed, those of overlayfs included. Undefined when the host has no program to read them.
 * Attributes that the user may not read (`trusted.*` without root) are not among them.
 */
export async function readXattrs(
  dir: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<ByteString, Xattrs> | undefined> {
  const getfattr = findHostTool("getfattr");
  if (getfattr !== undefined) {
    const args = ["-R", "-P", "-h", "-d", "-m", "-", "-e", "hex", "--", "."];
    const result = await runHostTool(getfattr, args, { cwd: dir, input: new Uint8Array(0), signal });
    return parseDump(result.stdout.toString("latin1"));
  }
  const tar = findHostTool("tar");
  return tar === undefined ? undefined : readThroughTar(tar, dir, signal);
}

/**
 * Attributes of some paths below `dir` alone; of all below it when they are many, or when only GNU tar is there to read them. Undefined when
 * the host has no program to read them.
 */
export async function readXattrsOf(
  dir: string,
  paths: readonly ByteString[],
  signal: AbortSignal,
): Promise<ReadonlyMap<ByteString, Xattrs> | undefined> {
  const getfattr = findHostTool("getfattr");
  if (getfattr === undefined || paths.length > mostArguments) return readXattrs(dir, signal);
  const names = paths.map((path) => (path === "" ? "." : `./${path}`));
  // Arguments are text to Node: names that are not UTF-8 take the way over the whole tree.
  if (names.some((name) => /[^\0-\x7f]/.test(name))) return readXattrs(dir, signal);
  const args = ["-h", "-d", "-m", "-", "-e", "hex", "--", ...names];
  const result = await runHostTool(getfattr, args, { cwd: dir, input: new Uint8Array(0), signal });
  return parseDump(result.stdout.toString("latin1"));
}

const mostArguments = 500;

/** Reads the form that `getfattr -d -e hex` prints and `setfattr --restore` takes. */
function parseDump(dump: string): ReadonlyMap<ByteString, Xattrs> {
  const found = new Map<ByteString, Map<ByteString, Uint8Array>>();
  let current = new Map<ByteString, Uint8Array>();
  for (const line of dump.split("\n")) {
    if (line.startsWith("# file: ")) {
      const path = unescapeDump(line.slice("# file: ".length));
      current = new Map();
      found.set((path === "." ? "" : path.replace(/^\.\//, "")) as ByteString, current);
      continue;
    }
    const equals = line.indexOf("=");
    if (equals < 0) {
      if (line !== "") current.set(unescapeDump(line), new Uint8Array(0));
      continue;
    }
    const value = line.slice(equals + 1).replace(/^0x/, "");
    current.set(unescapeDump(line.slice(0, equals)), Buffer.from(value, "hex"));
  }
  return found;
}

async function readThroughTar(
  tar: string,
  dir: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<ByteString, Xattrs> | undefined> {
  const args = ["--create", "--format=pax", "--xattrs", "--xattrs-include=*", "--file=-", "."];
  const child = spawn(tar, args, { cwd: dir, env: hostToolEnv, stdio: ["ignore", "pipe", "ignore"], signal });
  const failed = once(child, "error").then(([error]) => {
    throw error;
  });
  const found = new Map<ByteString, Xattrs>();
  const read = async (): Promise<void> => {
    for await (const { entry } of readTar(child.stdout)) {
      if (entry.xattrs.size > 0) found.set(entry.path.replace(/^\.(?:\/|$)/, "") as ByteString, entry.xattrs);
    }
  };
  try {
    await Promise.race([read(), failed]);
  } catch (error) {
    // BusyBox's tar knows none of these options and writes no archive.
    if (isEngineError(error, "TAR_INVALID") && found.size === 0) return undefined;
    throw error;
  }
  return found;
}

/**
 * Sets attributes below `dir`. Every path must have been resolved: parents must be real directories. Returns what could not be done, for
 * a warning: a program that is missing or attributes the file system or the user's rights do not allow.
 */
export async function writeXattrs(
  dir: string,
  xattrs: ReadonlyMap<ByteString, Xattrs>,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (xattrs.size === 0) return undefined;
  const setfattr = findHostTool("setfattr");
  if (setfattr === undefined) return "the program setfattr is not installed (Debian package attr)";
  const parts: string[] = [];
  for (const [path, attributes] of xattrs) {
    parts.push(`# file: ./${escapeDump(path)}\n`);
    for (const [name, value] of attributes) {
      parts.push(`${escapeDump(name)}=0x${Buffer.from(value).toString("hex")}\n`);
    }
    parts.push("\n");
  }
  const input = Buffer.from(parts.join(""), "latin1");
  const result = await runHostTool(setfattr, ["-h", "--restore=-"], { cwd: dir, input, signal });
  return result.exitCode === 0 ? undefined : (result.stderr.split("\n")[0] ?? "setfattr failed");
}

function escapeDump(text: string): string {
  return text.replace(/[\n\r\\=]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

function unescapeDump(text: string): ByteString {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return byteString(Buffer.from(bytes, "latin1"));
}

import { spawnSync } from "node:child_process";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type ByteString, byteString, bytesOfText } from "../../../engine/byteString.ts";
import { type EntryKind, type TarEntry, tarEntry } from "../../../engine/tar/entry.ts";
import { packTar, type TarItem } from "../../../engine/tar/write.ts";

export const isRoot: boolean = process.geteuid?.() === 0;

/** A scratch directory that goes with the scope. */
export function scratch(): Disposable & { readonly dir: string } {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-layer-"));
  return {
    dir,
    [Symbol.dispose]: () => {
      spawnSync("chmod", ["-R", "u+rwx", dir]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type Member = TarItem;

type Rest = Partial<Omit<TarEntry, "kind" | "path" | "linkTarget">> & {
  readonly link?: string;
  readonly content?: string;
};

function member(kind: EntryKind, name: string, rest: Rest = {}): Member {
  const { link = "", content = "", ...fields } = rest;
  const bytes = Buffer.from(content, "utf8");
  const path_ = bytesOfText(name);
  const entry = tarEntry(kind, path_, { ...fields, size: fields.size ?? bytes.length, linkTarget: bytesOfText(link) });
  return bytes.length === 0 ? { entry } : { entry, content: [bytes] };
}

export const file = (name: string, content: string, rest: Rest = {}): Member =>
  member("file", name, { ...rest, content });
export const directory = (name: string, rest: Rest = {}): Member => member("directory", name, rest);
export const symlink = (name: string, link: string, rest: Rest = {}): Member =>
  member("symlink", name, { ...rest, link });
export const hardLink = (name: string, link: string, rest: Rest = {}): Member =>
  member("hardLink", name, { ...rest, link });
export const device = (name: string, deviceMajor: number, deviceMinor: number, rest: Rest = {}): Member =>
  member("characterDevice", name, { ...rest, deviceMajor, deviceMinor });
export const fifo = (name: string, rest: Rest = {}): Member => member("fifo", name, rest);
export const whiteout = (name: string): Member =>
  file(name.includes("/") ? name.replace(/\/([^/]*)$/, "/.wh.$1") : `.wh.${name}`, "");
export const opaque = (name: string): Member => file(`${name}/.wh..wh..opq`, "");

/** An archive of the members. */
export function tar(members: readonly Member[]): AsyncIterable<Uint8Array> {
  return packTar(members);
}

/**
 * A tree as text, one line for each path in bytewise order: kind, mode, owner, time, and content, target or what it is linked with.
 * Names that are not UTF-8 show as their bytes in hexadecimal.
 */
export function treeText(root: string, options: { readonly times?: boolean; readonly owners?: boolean } = {}): string {
  const lines: string[] = [];
  const firstNames = new Map<string, string>();
  const visit = (relative: ByteString): void => {
    const disk = Buffer.from(bytesOfText(root) + (relative === "" ? "" : `/${relative}`), "latin1");
    const names = readdirSync(disk, { encoding: "buffer" }).map(byteString).sort();
    for (const name of names) {
      const child = (relative === "" ? name : `${relative}/${name}`) as ByteString;
      const childDisk = Buffer.from(`${bytesOfText(root)}/${child}`, "latin1");
      const stat = lstatSync(childDisk);
      const first = firstNames.get(`${stat.dev}:${stat.ino}`);
      const owner = options.owners === false ? "" : ` ${stat.uid}:${stat.gid}`;
      const time = options.times === false ? "" : ` ${Math.floor(stat.mtimeMs / 1000)}`;
      const shown = Buffer.from(child, "latin1").toString("utf8").includes("\ufffd")
        ? Buffer.from(child, "latin1").toString("hex")
        : Buffer.from(child, "latin1").toString("utf8");
      let what = "";
      if (stat.isDirectory()) what = "dir";
      else if (first !== undefined) what = `link to ${first}`;
      else if (stat.isSymbolicLink()) what = `-> ${readlinkSync(childDisk)}`;
      else if (stat.isFile())
        what = stat.size > 200 ? `file of ${stat.size}` : JSON.stringify(readFileSync(childDisk, "utf8"));
      else if (stat.isFIFO()) what = "fifo";
      else if (stat.isCharacterDevice()) what = `char ${stat.rdev >> 8}:${stat.rdev & 255}`;
      else what = "other";
      const mode = stat.isSymbolicLink() ? "lnk" : (stat.mode & 0o7777).toString(8);
      lines.push(`${shown} ${mode}${owner}${time} ${what}`);
      if (stat.nlink > 1 && !stat.isDirectory() && first === undefined)
        firstNames.set(`${stat.dev}:${stat.ino}`, shown);
      if (stat.isDirectory()) visit(child);
    }
  };
  visit("" as ByteString);
  return lines.join("\n");
}

import { lchownSync, lutimesSync, type Stats } from "node:fs";
import type { TarEntry } from "../tar/entry.ts";

/** Who owns a path according to a layer. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What a path gets besides its content; `mtime` in seconds. */
export interface Attributes extends Owner {
  readonly mode: number;
  readonly mtime: number;
}

/** The owner may read, write and search while a directory is being filled; its own mode comes at the end. */
export const workingMode: number = 0o700;

/** Of a directory that no layer mentions. */
export const parentAttributes: Attributes = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };

export function attributesOf(entry: TarEntry): Attributes {
  return {
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtimeSeconds + entry.mtimeNanoseconds / 1e9,
  };
}

export function attributesOfStat(stat: Stats): Attributes {
  return { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtime: stat.mtimeMs / 1000 };
}

export function setLinkAttributes(file: string | Buffer, attributes: Attributes, setOwners: boolean): void {
  if (setOwners && (attributes.uid !== 0 || attributes.gid !== 0)) lchownSync(file, attributes.uid, attributes.gid);
  lutimesSync(file, attributes.mtime, attributes.mtime);
}

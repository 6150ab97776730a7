import type { ByteString } from "../byteString.ts";

export type EntryKind = "file" | "hardLink" | "symlink" | "directory" | "characterDevice" | "blockDevice" | "fifo";

/** One member of an archive, without its content. */
export interface TarEntry {
  readonly kind: EntryKind;
  /** As written in the archive, without the trailing slash of directories. */
  readonly path: ByteString;
  /** Permission bits with setuid, setgid and sticky: 0–0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow; 0 for everything but files. */
  readonly size: number;
  /** Modification time: whole seconds since the epoch, may be negative, and the nanoseconds after them. */
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** Target of a symlink as stored, or path of the member a hard link names; empty for others. */
  readonly linkTarget: ByteString;
  /** Device numbers; 0 for what is not a device. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes by name, e.g. `security.capability`. */
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array>;
}

const noXattrs: ReadonlyMap<ByteString, Uint8Array> = new Map();

/** An entry with everything that does not matter for it at zero: owner root, mode 0644 (0755 for a directory), time 0, no content. */
export function tarEntry(
  kind: EntryKind,
  path: ByteString,
  rest: Partial<Omit<TarEntry, "kind" | "path">> = {},
): TarEntry {
  return {
    kind,
    path,
    mode: kind === "directory" ? 0o755 : kind === "symlink" ? 0o777 : 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeSeconds: 0,
    mtimeNanoseconds: 0,
    linkTarget: "" as ByteString,
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: noXattrs,
    ...rest,
  };
}

export const blockSize = 512;

/** Bytes of zero that follow `size` bytes of content to fill a block. */
export function paddingAfter(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

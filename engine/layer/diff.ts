import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { type ByteString, byteString, bytesOfText, compareBytes, fsPath } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { type TarEntry, tarEntry } from "../tar/entry.ts";
import type { Owner } from "./attributes.ts";
import type { LayerEntry } from "./layerEntry.ts";
import { LowerStack } from "./lowerStack.ts";
import { joinPath, readTarget } from "./safePath.ts";
import { isWhiteoutName, whiteoutPath } from "./whiteout.ts";
import { isLayerXattr, readXattrs, type Xattrs } from "./xattrs.ts";

export interface DiffOptions {
  /** Layers below, topmost first. */
  readonly lowerDirs: readonly string[];
  /** Paths that are not part of the layer, such as mount points; with all below them. */
  readonly ignore: ReadonlySet<ByteString>;
  /** Who should own a path instead of who does on disk; undefined to take what the disk says. */
  readonly ownerOf: (path: ByteString, stat: Owner) => Owner;
  readonly signal: AbortSignal;
}

/**
 * What a run changed, from the upper directory of an overlayfs that is not mounted any more: entries of a layer in bytewise order of their
 * paths, deletions as OCI whiteouts. A directory that was replaced (opaque) becomes whiteouts of what it hides, one by one, which more
 * tools understand than the opaque mark. Times are those on disk; clamping them is the packer's.
 *
 * Throws `LAYER_INVALID` for a file whose name starts with `.wh.`: a layer cannot say it. `SANDBOX_TOOL_MISSING` when a replaced
 * directory could not be told from a merged one because no program to read extended attributes is there.
 * @see OCI image-spec v1.1 layer.md, "Representing Changes"; Linux Documentation/filesystems/overlayfs.rst
 */
export async function diffUpper(upperDir: string, options: DiffOptions): Promise<readonly LayerEntry[]> {
  const xattrs = await readXattrs(upperDir, options.signal);
  return new UpperDiff(upperDir, xattrs, options).collect();
}

class UpperDiff {
  readonly #upper: ByteString;
  readonly #lower: LowerStack;
  readonly #xattrs: ReadonlyMap<ByteString, Xattrs> | undefined;
  readonly #options: DiffOptions;
  readonly #entries: LayerEntry[] = [];
  readonly #links = new FirstNames();

  constructor(upperDir: string, xattrs: ReadonlyMap<ByteString, Xattrs> | undefined, options: DiffOptions) {
    this.#upper = bytesOfText(upperDir);
    this.#lower = new LowerStack(options.lowerDirs);
    this.#xattrs = xattrs;
    this.#options = options;
  }

  collect(): readonly LayerEntry[] {
    this.#directory("" as ByteString, false);
    return this.#entries.sort((a, b) => compareBytes(a.path, b.path));
  }

  /** @param replaced whether a directory above was replaced: then nothing of the layers below shows here either, and overlayfs marks only that one */
  #directory(path: ByteString, replaced: boolean): void {
    const disk = joinPath(this.#upper, path);
    const names = readdirSync(fsPath(disk), { encoding: "buffer" }).map(byteString).sort(compareBytes);
    const hides = replaced || (path !== "" && this.#isOpaque(path));
    for (const name of names) this.#visit(joinPath(path, name), hides);
    if (hides) this.#hideRest(path, new Set(names));
  }

  #visit(path: ByteString, replaced: boolean): void {
    if (this.#options.ignore.has(path)) return;
    const stat = lstatSync(fsPath(joinPath(this.#upper, path)), { bigint: true });
    if (stat.isCharacterDevice() && stat.rdev === 0n) {
      this.#whiteout(path);
      return;
    }
    const entry = entryOnDisk(this.#upper, path, stat, this.#options.ownerOf, this.#xattrs?.get(path), this.#links);
    if (entry !== undefined) this.#entries.push(entry);
    if (stat.isDirectory()) this.#directory(path, replaced);
  }

  #whiteout(path: ByteString): void {
    if (this.#options.ignore.has(path) || this.#lower.node(path) === undefined) return;
    this.#entries.push({ ...tarEntry("file", whiteoutPath(path), { mode: 0 }), content: { from: "nothing" } });
  }

  #isOpaque(path: ByteString): boolean {
    if (this.#lower.lookup(path)?.kind !== "directory") return false;
    if (this.#xattrs === undefined) {
      throw new EngineError("SANDBOX_TOOL_MISSING", { tool: "getfattr", debianPackage: "attr" });
    }
    const own = this.#xattrs.get(path);
    const mark = own?.get("trusted.overlay.opaque" as ByteString) ?? own?.get("user.overlay.opaque" as ByteString);
    return mark?.[0] === 0x79;
  }

  #hideRest(path: ByteString, names: ReadonlySet<ByteString>): void {
    for (const name of this.#lower.list(path)) if (!names.has(name)) this.#whiteout(joinPath(path, name));
  }
}

/** The first path that was met of each file with several names. */
export class FirstNames {
  readonly #names = new Map<string, ByteString>();

  /** The path met before for this file, or undefined when this is the first. */
  seen(path: ByteString, stat: BigIntStats): ByteString | undefined {
    if (stat.nlink < 2n || stat.isDirectory()) return undefined;
    const key = `${stat.dev}:${stat.ino}`;
    const first = this.#names.get(key);
    if (first === undefined) this.#names.set(key, path);
    return first;
  }
}

/** The layer entry for what lies at `path` below `root`; undefined for sockets, which no archive can hold. */
export function entryOnDisk(
  root: ByteString,
  path: ByteString,
  stat: BigIntStats,
  ownerOf: DiffOptions["ownerOf"],
  xattrs: Xattrs | undefined,
  links: FirstNames,
): LayerEntry | undefined {
  if (isWhiteoutName(path)) {
    throw new EngineError("LAYER_INVALID", { path, reason: "a file whose name a layer reserves for deletions" });
  }
  const kind = kindOf(stat);
  if (kind === undefined) return undefined;
  const disk = joinPath(root, path);
  const owner = ownerOf(path, { uid: Number(stat.uid), gid: Number(stat.gid) });
  const mtime = stat.mtimeNs;
  const seconds = mtime >= 0n ? mtime / 1_000_000_000n : (mtime - 999_999_999n) / 1_000_000_000n;
  const rest = {
    mode: Number(stat.mode & 0o7777n),
    ...owner,
    mtimeSeconds: Number(seconds),
    mtimeNanoseconds: Number(mtime - seconds * 1_000_000_000n),
  };
  const first = links.seen(path, stat);
  if (first !== undefined)
    return { ...tarEntry("hardLink", path, { ...rest, linkTarget: first }), content: { from: "nothing" } };
  const kept = new Map([...(xattrs ?? [])].filter(([name]) => isLayerXattr(name)));
  const base = { ...rest, xattrs: kept };
  switch (kind) {
    case "file":
      return withContent(tarEntry("file", path, { ...base, size: Number(stat.size) }), disk, stat);
    case "symlink":
      return { ...tarEntry("symlink", path, { ...base, linkTarget: readTarget(disk) }), content: { from: "nothing" } };
    case "characterDevice":
    case "blockDevice":
      return { ...tarEntry(kind, path, { ...base, ...deviceNumbers(stat.rdev) }), content: { from: "nothing" } };
    case "directory":
    case "fifo":
      return { ...tarEntry(kind, path, base), content: { from: "nothing" } };
    default:
      return kind satisfies never;
  }
}

function withContent(entry: TarEntry, path: ByteString, stat: BigIntStats): LayerEntry {
  if (entry.size === 0) return { ...entry, content: { from: "nothing" } };
  const identity = { dev: stat.dev, ino: stat.ino, size: entry.size, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs };
  return { ...entry, content: { from: "file", path, identity } };
}

function kindOf(
  stat: BigIntStats,
): "file" | "directory" | "symlink" | "characterDevice" | "blockDevice" | "fifo" | undefined {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isFIFO()) return "fifo";
  if (stat.isCharacterDevice()) return "characterDevice";
  return stat.isBlockDevice() ? "blockDevice" : undefined;
}

/** Linux packs both numbers into one: makedev(3). */
function deviceNumbers(rdev: bigint): { readonly deviceMajor: number; readonly deviceMinor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return { deviceMajor: Number(major), deviceMinor: Number(minor) };
}

import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { type ByteString, byteString, bytesOfText, compareBytes, fsPath, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import type { TarEntry } from "../tar/entry.ts";
import type { TarMember } from "../tar/read.ts";
import {
  type Attributes,
  attributesOf,
  attributesOfStat,
  type Owner,
  parentAttributes,
  setLinkAttributes,
  workingMode,
} from "./attributes.ts";
import { Deletions } from "./deletions.ts";
import { writeContent } from "./fileContent.ts";
import { LowerStack } from "./lowerStack.ts";
import {
  baseName,
  diskNode,
  joinPath,
  memberPath,
  parentPath,
  resolvePath,
  statOf,
  type TreeNode,
  type TreeView,
} from "./safePath.ts";
import { makeSpecialFiles, type SpecialFile, whiteoutDevice } from "./specialFiles.ts";
import { readWhiteout } from "./whiteout.ts";
import { isLayerXattr, writeXattrs, type Xattrs } from "./xattrs.ts";

export interface LayerWriterOptions {
  /** The directory written to. It belongs to the caller alone until `finish` is over. */
  readonly root: string;
  /** Unpacked layers below, topmost first, when deletions shall stand in `root` as overlayfs marks; undefined to delete in `root` itself. */
  readonly lowerDirs: readonly string[] | undefined;
  /** Whether files get the owner the layer states, which takes root. */
  readonly setOwners: boolean;
  /** With `setOwners: false`: who should own a path of the layers below and does not. */
  readonly ownerBelow?: (path: ByteString) => Owner | undefined;
}

/**
 * Writes the entries of one layer into a directory. Every way is walked component by component inside the root, symlinks are followed as
 * in a chroot, nothing that exists is opened for writing: so nothing outside is read or written whatever a layer says.
 *
 * Parents a layer does not mention look as they do in the layers below; attributes of directories are set last, deepest first, because
 * filling a directory changes its time and may need rights its mode does not give.
 * @see OCI image-spec v1.1 layer.md, "Applying Changesets"
 */
export class LayerWriter implements TreeView {
  /** Things that could not be made as the layer says, one sentence each. */
  readonly warnings: Set<string> = new Set();
  /** Owners that were not set, of entries that are not root's. */
  readonly unsetOwners: Map<ByteString, Owner> = new Map();
  readonly #root: ByteString;
  readonly #options: LayerWriterOptions;
  readonly #lower: LowerStack;
  /** Directory as a layer names it → the real directory inside the root. */
  readonly #known = new Map<ByteString, ByteString>();
  /** Symlinks those ways may have led through. */
  readonly #followed = new Set<ByteString>();
  readonly #directories = new Map<ByteString, Attributes>();
  readonly #specials = new Map<ByteString, { readonly file: SpecialFile; readonly attributes: Attributes }>();
  readonly #xattrs = new Map<ByteString, Xattrs>();
  /** What this layer made: its own deletions do not reach it. */
  readonly #written = new Set<ByteString>();
  readonly #deletions = new Deletions();

  constructor(options: LayerWriterOptions) {
    this.#options = options;
    this.#root = bytesOfText(options.root);
    this.#lower = new LowerStack(options.lowerDirs ?? []);
    this.#known.set("" as ByteString, "" as ByteString);
  }

  /** To be called once before the first entry: a root the layer does not mention stays as it is, or looks as it does below. */
  begin(): void {
    const root = "" as ByteString;
    const own = statOf(this.#root);
    const below = this.#options.lowerDirs === undefined ? own : this.#lower.node(root)?.stat;
    this.#directories.set(root, below === undefined ? parentAttributes : attributesOfStat(below));
  }

  /** What the tree shows under a path at this moment: this layer, then those below. */
  lookup(path: ByteString): TreeNode | undefined {
    const node = diskNode(this.#onDisk(path)) ?? (this.#deletions.hides(path) ? undefined : this.#lower.lookup(path));
    if (node?.kind === "symlink") this.#followed.add(path);
    return node;
  }

  /** Puts one entry in its place. Throws `LAYER_INVALID` and `PATH_ESCAPES_ROOT` for what no layer may say. */
  async put(member: TarMember, signal: AbortSignal): Promise<void> {
    const { entry } = member;
    const path = memberPath(entry.path, this.#options.root);
    const whiteout = readWhiteout(path);
    if (whiteout !== undefined) {
      this.#delete(whiteout.kind === "opaque" ? whiteout.directory : whiteout.path, whiteout.kind === "opaque");
      return;
    }
    if (path === "") {
      if (entry.kind !== "directory") throw invalid(entry.path, "the root itself and not a directory");
      this.#remember(path, entry);
      return;
    }
    const place = joinPath(this.#directory(parentPath(path)), baseName(path));
    // Ways that led through a symlink lead elsewhere once something else stands there.
    if (this.#followed.has(place)) this.#forgetWays();
    await this.#make(place, member, signal);
    if (this.#options.lowerDirs === undefined) this.#written.add(place);
    if (entry.kind !== "hardLink" && entry.xattrs.size > 0) this.#rememberXattrs(place, entry);
    if (entry.kind !== "hardLink") this.#rememberOwner(place, entry);
  }

  /** Makes what was put off: devices, deletions, extended attributes and the attributes of directories. */
  async finish(signal: AbortSignal): Promise<void> {
    await this.#makeSpecials(signal);
    for (const path of this.#deletions.whole) this.#hide(path);
    for (const directory of this.#deletions.content) this.#hideContent(directory);
    await this.#makeSpecials(signal);
    for (const path of this.#xattrs.keys()) if (this.#wayTo(parentPath(path)) !== "real") this.#xattrs.delete(path);
    const failure = await writeXattrs(this.#options.root, this.#xattrs, signal);
    if (failure !== undefined)
      this.warnings.add(`extended attributes of ${this.#xattrs.size} files were not set: ${failure}`);
    const deepestFirst = [...this.#directories.keys()].sort(compareBytes).reverse();
    for (const path of deepestFirst) this.#finishDirectory(path);
  }

  async #make(place: ByteString, member: TarMember, signal: AbortSignal): Promise<void> {
    const { entry } = member;
    switch (entry.kind) {
      case "file":
        return this.#makeFile(place, member);
      case "directory":
        return this.#makeDirectory(place, entry);
      case "symlink":
        return this.#makeSymlink(place, entry);
      case "hardLink":
        return this.#makeHardLink(place, entry, signal);
      case "characterDevice":
      case "blockDevice":
      case "fifo":
        return this.#putOff(place, entry, entry.kind);
      default:
        entry.kind satisfies never;
    }
  }

  async #makeFile(place: ByteString, member: TarMember): Promise<void> {
    const fd = this.#create(place);
    try {
      await writeContent(fd, member);
      const attributes = attributesOf(member.entry);
      if (this.#options.setOwners && (attributes.uid !== 0 || attributes.gid !== 0)) {
        fchownSync(fd, attributes.uid, attributes.gid);
      }
      // After the owner: changing that takes setuid away.
      fchmodSync(fd, attributes.mode);
      futimesSync(fd, attributes.mtime, attributes.mtime);
    } finally {
      closeSync(fd);
    }
  }

  /** A new file: whatever stands there is taken away, never written through. */
  #create(place: ByteString): number {
    const file = fsPath(this.#onDisk(place));
    this.#specials.delete(place);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    try {
      return openSync(file, flags, 0o600);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      this.#remove(place, () => true);
      return openSync(file, flags, 0o600);
    }
  }

  #makeDirectory(place: ByteString, entry: TarEntry): void {
    const existing = statOf(this.#onDisk(place));
    const replaces = this.#specials.delete(place) || existing?.isDirectory() === false;
    if (replaces) {
      this.#remove(place, () => true);
      // The thing it replaces had taken away the directory of a layer below already.
      this.#deletions.content.add(place);
    }
    if (existing?.isDirectory() !== true) mkdirSync(fsPath(this.#onDisk(place)), workingMode);
    this.#remember(place, entry);
  }

  #makeSymlink(place: ByteString, entry: TarEntry): void {
    if (entry.linkTarget === "" || entry.linkTarget.includes("\0")) throw invalid(entry.path, "a symlink to nothing");
    this.#remove(place, () => true);
    const file = fsPath(this.#onDisk(place));
    symlinkSync(fsPath(entry.linkTarget), file);
    setLinkAttributes(file, attributesOf(entry), this.#options.setOwners);
  }

  async #makeHardLink(place: ByteString, entry: TarEntry, signal: AbortSignal): Promise<void> {
    const named = memberPath(entry.linkTarget, this.#options.root);
    const target = resolvePath(this, named, { followLast: false });
    if (target === place) throw invalid(entry.path, "a hard link to itself");
    await this.#makeSpecials(signal, target);
    const source = statOf(this.#onDisk(target)) ?? this.#copyUp(target);
    if (source === undefined) throw invalid(entry.path, `a hard link to "${textOfBytes(named)}", which is not there`);
    if (source.isDirectory()) throw invalid(entry.path, "a hard link to a directory");
    this.#remove(place, () => true);
    linkSync(fsPath(this.#onDisk(target)), fsPath(this.#onDisk(place)));
  }

  /** Brings a file of a layer below into this one, so that a hard link to it can be made; overlayfs has no other way either. */
  #copyUp(path: ByteString): Stats | undefined {
    const lower = this.#deletions.hides(path) ? undefined : this.#lower.node(path);
    if (lower === undefined || !lower.stat.isFile()) return lower?.stat;
    const place = joinPath(this.#directory(parentPath(path)), baseName(path));
    const file = fsPath(this.#onDisk(place));
    copyFileSync(fsPath(lower.diskPath), file, constants.COPYFILE_EXCL);
    const { mode, uid, gid, mtimeMs } = lower.stat;
    if (this.#options.setOwners) lchownSync(file, uid, gid);
    this.#inheritOwner(place);
    chmodSync(file, mode & 0o7777);
    lutimesSync(file, mtimeMs / 1000, mtimeMs / 1000);
    return lower.stat;
  }

  #putOff(place: ByteString, entry: TarEntry, kind: SpecialFile["kind"]): void {
    const [major, minor] = [entry.deviceMajor, entry.deviceMinor];
    if (kind !== "fifo" && major === 0 && minor === 0)
      throw invalid(entry.path, "a device 0:0, which overlayfs takes for a deletion");
    this.#remove(place, () => true);
    if (kind !== "fifo" && !this.#options.setOwners) {
      this.warnings.add(`device "${textOfBytes(place)}" was left out: only root can make it`);
      return;
    }
    this.#specials.set(place, { file: { path: place, kind, major, minor }, attributes: attributesOf(entry) });
  }

  /** Makes devices that were put off: all, or only when `needed` is among them. */
  async #makeSpecials(signal: AbortSignal, needed?: ByteString): Promise<void> {
    if (this.#specials.size === 0 || (needed !== undefined && !this.#specials.has(needed))) return;
    const made = [...this.#specials.values()].filter(({ file }) => this.#wayTo(parentPath(file.path)) === "real");
    this.#specials.clear();
    await makeSpecialFiles(
      this.#options.root,
      made.map(({ file }) => file),
      signal,
    );
    for (const { file, attributes } of made) {
      if (file.kind === "characterDevice" && file.major === 0) continue;
      const place = fsPath(this.#onDisk(file.path));
      setLinkAttributes(place, attributes, this.#options.setOwners);
      chmodSync(place, attributes.mode);
    }
  }

  /** The real directory for a parent that a layer names; made when it is not there. */
  #directory(named: ByteString): ByteString {
    const known = this.#known.get(named);
    if (known !== undefined) return known;
    const here = joinPath(this.#directory(parentPath(named)), baseName(named));
    const place = this.#enter(here, named);
    this.#known.set(named, place);
    return place;
  }

  #enter(here: ByteString, named: ByteString): ByteString {
    const node = this.lookup(here);
    if (node === undefined) {
      this.#makeParent(here, undefined);
      return here;
    }
    if (node.kind === "symlink") return this.#directory(resolvePath(this, here, { followLast: true }));
    if (node.kind === "other") throw invalid(named, "the parent of an entry and not a directory");
    const own = statOf(this.#onDisk(here));
    if (own === undefined) this.#makeParent(here, this.#lower.node(here)?.stat);
    else this.#keepAttributes(here, own);
    return here;
  }

  /** A directory the layer itself does not mention: as below, or root's. */
  #makeParent(place: ByteString, below: Stats | undefined): void {
    if (this.#specials.delete(place)) throw invalid(place, "the parent of an entry and not a directory");
    mkdirSync(fsPath(this.#onDisk(place)), workingMode);
    this.#directories.set(place, below === undefined ? parentAttributes : attributesOfStat(below));
    this.#inheritOwner(place);
    if (this.#options.lowerDirs === undefined) this.#written.add(place);
  }

  /** A directory that was there before keeps its time and mode, though we write into it. */
  #keepAttributes(place: ByteString, own: Stats): void {
    if (this.#directories.has(place)) return;
    this.#directories.set(place, attributesOfStat(own));
    if ((own.mode & workingMode) !== workingMode) chmodSync(fsPath(this.#onDisk(place)), own.mode | workingMode);
  }

  #remember(place: ByteString, entry: TarEntry): void {
    this.#directories.set(place, attributesOf(entry));
    const file = fsPath(this.#onDisk(place));
    // A directory of a layer below may forbid what filling it needs.
    if (!this.#options.setOwners) chmodSync(file, workingMode);
  }

  #finishDirectory(path: ByteString): void {
    const attributes = this.#directories.get(path);
    const file = fsPath(this.#onDisk(path));
    if (attributes === undefined || this.#wayTo(path) !== "real") return;
    if (this.#options.setOwners) lchownSync(file, attributes.uid, attributes.gid);
    chmodSync(file, attributes.mode);
    lutimesSync(file, attributes.mtime, attributes.mtime);
  }

  #rememberXattrs(place: ByteString, entry: TarEntry): void {
    const kept = [...entry.xattrs].filter(([name]) => isLayerXattr(name));
    if (kept.length > 0) this.#xattrs.set(place, new Map(kept));
  }

  #rememberOwner(place: ByteString, { uid, gid }: TarEntry): void {
    if (this.#options.setOwners) return;
    if (uid !== 0 || gid !== 0) this.unsetOwners.set(place, { uid, gid });
    else this.unsetOwners.delete(place);
  }

  #inheritOwner(place: ByteString): void {
    const owner = this.#options.ownerBelow?.(place);
    if (owner !== undefined) this.unsetOwners.set(place, owner);
  }

  /** A deletion: at once in the root itself, or put off until all of the layer is there. */
  #delete(named: ByteString, contentOnly: boolean): void {
    const path = resolvePath(this, named, { followLast: false });
    if (this.#options.lowerDirs !== undefined) {
      (contentOnly ? this.#deletions.content : this.#deletions.whole).add(path);
      return;
    }
    const parent = contentOnly ? path : parentPath(path);
    if (diskNode(this.#onDisk(parent))?.kind !== "directory") return;
    this.#directory(parent);
    const isOld = (place: ByteString): boolean => !this.#written.has(place);
    if (!contentOnly) this.#remove(path, isOld);
    else for (const name of this.#list(path)) this.#remove(joinPath(path, name), isOld);
  }

  /** Takes away what stands in the root under a path, but of it only what `may` go. */
  #remove(place: ByteString, may: (place: ByteString) => boolean): void {
    this.#forgetPutOff(place, may);
    this.#xattrs.delete(place);
    const file = fsPath(this.#onDisk(place));
    const stat = statOf(this.#onDisk(place));
    if (stat === undefined) return;
    if (!stat.isDirectory()) {
      if (may(place)) unlinkSync(file);
      if (stat.isSymbolicLink()) this.#forgetWays();
      return;
    }
    if ((stat.mode & workingMode) !== workingMode) chmodSync(file, stat.mode | workingMode);
    for (const name of this.#list(place)) this.#remove(joinPath(place, name), may);
    if (may(place) && this.#list(place).length === 0) {
      rmdirSync(file);
      this.#directories.delete(place);
    }
    this.#forgetWays();
  }

  /** Devices that are not made yet go with the directory they would have been in. */
  #forgetPutOff(place: ByteString, may: (place: ByteString) => boolean): void {
    for (const path of this.#specials.keys()) {
      if ((path === place || path.startsWith(`${place}/`)) && may(path)) this.#specials.delete(path);
    }
  }

  #forgetWays(): void {
    this.#known.clear();
    this.#followed.clear();
    this.#known.set("" as ByteString, "" as ByteString);
  }

  #list(place: ByteString): readonly ByteString[] {
    return readdirSync(fsPath(this.#onDisk(place)), { encoding: "buffer" }).map(byteString);
  }

  /** Marks a path of the layers below as deleted, for overlayfs; what this layer put there stays. */
  #hide(path: ByteString): void {
    if (this.#lower.node(path) === undefined) return;
    const parent = parentPath(path);
    const way = this.#wayTo(parent);
    // Something that is no directory stands in the way, or the whole directory is hidden: the path is gone with it.
    if (way === "blocked" || (way === "missing" && this.#deletions.hides(parent))) return;
    const own = way === "missing" ? undefined : diskNode(this.#onDisk(path));
    if (own?.kind === "directory") this.#hideContent(path);
    if (own !== undefined) return;
    const place = joinPath(this.#directory(parent), baseName(path));
    const attributes: Attributes = { mode: 0, uid: 0, gid: 0, mtime: 0 };
    this.#specials.set(place, { file: whiteoutDevice(place), attributes });
  }

  #hideContent(directory: ByteString): void {
    for (const name of this.#lower.list(directory)) this.#hide(joinPath(directory, name));
  }

  /** Whether every part of a path is a real directory here. What is done late asks again: a layer may have put a symlink there since. */
  #wayTo(directory: ByteString): "real" | "missing" | "blocked" {
    for (let end = directory.indexOf("/"); directory !== ""; end = directory.indexOf("/", end + 1)) {
      const part = (end < 0 ? directory : directory.slice(0, end)) as ByteString;
      const node = diskNode(this.#onDisk(part));
      if (node === undefined) return "missing";
      if (node.kind !== "directory") return "blocked";
      if (end < 0) break;
    }
    return "real";
  }

  #onDisk(path: ByteString): ByteString {
    return joinPath(this.#root, path);
  }
}

function invalid(path: ByteString, reason: string): EngineError {
  return new EngineError("LAYER_INVALID", { path: textOfBytes(path), reason });
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

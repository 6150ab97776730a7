import { lstatSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type ByteString, bytesOfText, fsPath, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { LowerStack } from "../layer/lowerStack.ts";
import { joinPath, parentPath, resolvePath } from "../layer/safePath.ts";
import type { Rootfs, SandboxMount } from "./sandboxSpec.ts";

/** A mount whose place in the tree is known. */
export interface PlannedMount {
  readonly mount: SandboxMount;
  /** Where it goes: relative to the root, no symlink on the way. */
  readonly place: ByteString;
  readonly isDirectory: boolean;
  /** Host path of what a bind, cache or stage mount shows; for a stage made of several layers, relative to its merged tree. */
  readonly source: StageSource | ByteString | undefined;
}

export interface StageSource {
  readonly lowerDirs: readonly string[];
  readonly inside: ByteString;
}

/** Places every run gets, besides those it asks for. */
const systemDirectories = ["proc", "dev", "sys"];
const systemFiles = ["etc/hosts", "etc/resolv.conf"];

export interface MountPlan {
  readonly mounts: readonly PlannedMount[];
  /** The resolved places of `/etc/hosts` and `/etc/resolv.conf`. */
  readonly hosts: ByteString;
  readonly resolvConf: ByteString;
  /** Places that are mount points, for the diff to pass over. */
  readonly places: ReadonlySet<ByteString>;
}

/**
 * Finds where mounts go. Places that the tree does not have are made in `baseDir`, which is put below all layers: so they are there to
 * be mounted on without anything being written into the tree.
 * Throws `RUN_MOUNT_INVALID`.
 */
export function planMounts(mounts: readonly SandboxMount[], tree: LowerStack, baseDir: string): MountPlan {
  for (const directory of systemDirectories) {
    if (tree.lookup(directory as ByteString) === undefined) makePoint(baseDir, directory as ByteString, true);
  }
  const [hosts, resolvConf] = systemFiles.map((file) => {
    const place = resolvePath(tree, file, { followLast: true });
    if (tree.node(place) === undefined) makePoint(baseDir, place, false);
    return place;
  });
  const planned: PlannedMount[] = [];
  for (const mount of mounts) {
    const next = planMount(mount, tree, planned);
    planned.push(next);
    const needsPoint = enclosing(next.place, planned.slice(0, -1)) === undefined && !isBelow(next.place, "dev");
    if (needsPoint && tree.node(next.place) === undefined) makePoint(baseDir, next.place, next.isDirectory);
  }
  return {
    mounts: planned,
    hosts: hosts as ByteString,
    resolvConf: resolvConf as ByteString,
    places: new Set([...systemDirectories, ...planned.map(({ place }) => place)] as ByteString[]),
  };
}

function planMount(mount: SandboxMount, tree: LowerStack, before: readonly PlannedMount[]): PlannedMount {
  if (!mount.target.startsWith("/") || mount.target.includes("\0")) throw invalid(mount, "write an absolute path");
  const place = resolvePath(tree, bytesOfText(mount.target), { followLast: true });
  if (place === "") throw invalid(mount, "the root cannot be mounted over");
  if (isBelow(place, "proc") || isBelow(place, "sys")) throw invalid(mount, "/proc and /sys belong to the sandbox");
  if (systemFiles.includes(place)) throw invalid(mount, "this file is the sandbox's own");
  const outer = enclosing(place, before);
  if (outer !== undefined && outer.mount.kind !== "tmpfs") {
    throw invalid(mount, `it lies inside the mount ${outer.mount.target}; choose a place outside it`);
  }
  const source = sourceOf(mount);
  const isDirectory = isDirectorySource(mount, source);
  const there = outer === undefined && !isBelow(place, "dev") ? tree.node(place) : undefined;
  if (there !== undefined && there.stat.isDirectory() !== isDirectory) {
    throw invalid(
      mount,
      `in the image this is ${there.stat.isDirectory() ? "a directory" : "a file"}, and what is to be mounted is not`,
    );
  }
  return { mount, place, isDirectory, source };
}

function sourceOf(mount: SandboxMount): PlannedMount["source"] {
  if (mount.kind === "bind" || mount.kind === "cache") return bytesOfText(mount.source);
  return mount.kind === "stage" ? stageSource(mount, mount.rootfs) : undefined;
}

/** A path of another tree, found as its own processes would find it. */
function stageSource(mount: SandboxMount & { readonly kind: "stage" }, rootfs: Rootfs): StageSource {
  const tree = new LowerStack(rootfs.lowerDirs);
  const inside = resolvePath(tree, bytesOfText(mount.path), { followLast: true });
  if (inside !== "" && tree.node(inside) === undefined)
    throw invalid(mount, `${mount.path} is not in the image it is taken from`);
  return { lowerDirs: rootfs.lowerDirs, inside };
}

function isDirectorySource(mount: SandboxMount, source: PlannedMount["source"]): boolean {
  if (mount.kind === "secret" || mount.kind === "ssh") return false;
  if (mount.kind === "tmpfs" || source === undefined) return true;
  if (typeof source !== "string") {
    const node = new LowerStack(source.lowerDirs).node(source.inside);
    return node === undefined || node.stat.isDirectory();
  }
  const stat = statSync(fsPath(source), { throwIfNoEntry: false });
  if (stat === undefined) throw invalid(mount, `${textOfBytes(source)} is not there`);
  return stat.isDirectory();
}

/** The innermost mount a place lies in. */
function enclosing(place: ByteString, mounts: readonly PlannedMount[]): PlannedMount | undefined {
  return mounts.findLast((other) => isBelow(place, other.place));
}

function isBelow(place: string, directory: string): boolean {
  return place === directory || place.startsWith(`${directory}/`);
}

/** Makes an empty mount point below `baseDir`, which is ours alone. */
function makePoint(baseDir: string, place: ByteString, isDirectory: boolean): void {
  const file = fsPath(joinPath(bytesOfText(baseDir), place));
  mkdirSync(isDirectory ? file : fsPath(joinPath(bytesOfText(baseDir), parentPath(place))), {
    recursive: true,
    mode: 0o755,
  });
  if (!isDirectory && lstatSync(file, { throwIfNoEntry: false }) === undefined)
    writeFileSync(file, "", { flag: "wx", mode: 0o644 });
}

function invalid(mount: SandboxMount, reason: string): EngineError {
  return new EngineError("RUN_MOUNT_INVALID", { target: path.posix.normalize(mount.target), reason });
}

import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { type ByteString, byteString, bytesOfText, fsPath, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";

/** What stands under a path, as far as finding the way needs it. */
export type TreeNode =
  | { readonly kind: "directory" }
  | { readonly kind: "symlink"; readonly target: ByteString }
  | { readonly kind: "other" };

/** A file tree one can look into by path, without following the last component. Paths are relative, without `.` and `..`; "" is the root. */
export interface TreeView {
  lookup(path: ByteString): TreeNode | undefined;
}

/** Symlinks followed on one way before it counts as a circle, as in the kernel. */
const maximumSymlinks = 40;

/**
 * The path a name in an archive stands for: relative, without empty parts, `.` and `..`; "" is the root itself. A leading slash means
 * the root of the tree, as for every tool that unpacks layers.
 * Throws `PATH_ESCAPES_ROOT` when `..` leads above the root, `LAYER_INVALID` for a NUL.
 */
export function memberPath(name: ByteString, root: string): ByteString {
  if (name.includes("\0"))
    throw new EngineError("LAYER_INVALID", { path: shown(name), reason: "a name with a NUL byte" });
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) throw new EngineError("PATH_ESCAPES_ROOT", { path: shown(name), root });
  }
  return parts.join("/") as ByteString;
}

/**
 * Follows a path the way a process sees it whose root is the tree: absolute symlinks start at the tree's root and `..` stops there, so
 * no way leads out. What does not exist yet is taken as it stands. With `followLast: false` a symlink at the end is the answer.
 * Throws `PATH_ESCAPES_ROOT` for circles of symlinks: they lead nowhere inside.
 */
export function resolvePath(tree: TreeView, path: string, options: { readonly followLast: boolean }): ByteString {
  const ahead = path.split("/").reverse();
  let here = "" as ByteString;
  let followed = 0;
  for (let part = ahead.pop(); part !== undefined; part = ahead.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      here = parentPath(here);
      continue;
    }
    const next = joinPath(here, part);
    const node = tree.lookup(next);
    const isLast = ahead.every((rest) => rest === "" || rest === ".");
    if (node?.kind !== "symlink" || (isLast && !options.followLast)) {
      here = next;
      continue;
    }
    followed += 1;
    if (followed > maximumSymlinks) {
      throw new EngineError("PATH_ESCAPES_ROOT", { path: shown(path as ByteString), root: "its tree, in circles" });
    }
    if (node.target.startsWith("/")) here = "" as ByteString;
    ahead.push(...node.target.split("/").reverse());
  }
  return here;
}

/**
 * The path on disk that `name` stands for in the tree below `root`, with every symlink on the way, the last included, followed inside
 * the tree. Nobody else may change the tree meanwhile: between this look and the use of the path a symlink could be planted.
 */
export function safePath(root: string, name: ByteString): string | Buffer {
  const inside = resolvePath(diskTree(root), memberPath(name, root), { followLast: true });
  return fsPath(joinPath(bytesOfText(root), inside));
}

/** A directory on disk as a tree. Looks at one component at a time, so nothing outside is ever touched through `resolvePath`. */
export function diskTree(root: string): TreeView {
  const base = bytesOfText(root);
  return { lookup: (path) => diskNode(joinPath(base, path)) };
}

/** What stands at a path on disk, not following a symlink there; undefined when nothing does. */
export function diskNode(path: ByteString): TreeNode | undefined {
  const stat = statOf(path);
  if (stat === undefined) return undefined;
  if (stat.isDirectory()) return { kind: "directory" };
  return stat.isSymbolicLink() ? { kind: "symlink", target: readTarget(path) } : { kind: "other" };
}

/** What is known of a path on disk, not following a symlink there; undefined when nothing is there, or a parent is no directory. */
export function statOf(path: ByteString): Stats | undefined {
  try {
    return lstatSync(fsPath(path), { throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** The target of a symlink as its bytes. */
export function readTarget(path: ByteString): ByteString {
  return byteString(readlinkSync(fsPath(path), "buffer"));
}

export function joinPath(directory: ByteString, name: string): ByteString {
  if (directory === "") return name as ByteString;
  return (name === "" ? directory : `${directory}/${name}`) as ByteString;
}

/** The directory a path lies in; of the root, the root. */
export function parentPath(path: ByteString): ByteString {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0)) as ByteString;
}

export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1) as ByteString;
}

function shown(path: ByteString): string {
  return textOfBytes(path).slice(0, 300);
}

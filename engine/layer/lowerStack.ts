import { lstatSync, readdirSync, type Stats } from "node:fs";
import { type ByteString, byteString, bytesOfText, compareBytes, fsPath } from "../byteString.ts";
import { joinPath, parentPath, readTarget, statOf, type TreeNode, type TreeView } from "./safePath.ts";

/** Something in a stack of unpacked layers. */
export interface LowerNode {
  readonly stat: Stats;
  /** Where it lies on disk. */
  readonly diskPath: ByteString;
}

/**
 * Unpacked layers seen as overlayfs shows them, topmost first: a character device 0:0 hides what lies below it, and so does anything
 * that is not a directory. No symlink of a layer is ever followed on disk. The layers must not change while the stack is used.
 */
export class LowerStack implements TreeView {
  readonly #dirs: readonly ByteString[];
  /** Directories of the merged tree: those of each layer that make it up, topmost first. Empty when the path is no directory. */
  readonly #parts = new Map<ByteString, readonly ByteString[]>();

  constructor(lowerDirs: readonly string[]) {
    this.#dirs = lowerDirs.map(bytesOfText);
    this.#parts.set("" as ByteString, this.#dirs);
  }

  /** What the stack shows under a path. */
  node(path: ByteString): LowerNode | undefined {
    if (path === "") {
      const [top] = this.#dirs;
      const stat = top === undefined ? undefined : statOf(top);
      return top === undefined || stat === undefined ? undefined : { stat, diskPath: top };
    }
    return this.#find(path)[0];
  }

  lookup(path: ByteString): TreeNode | undefined {
    const node = this.node(path);
    if (node === undefined) return undefined;
    if (node.stat.isDirectory()) return { kind: "directory" };
    return node.stat.isSymbolicLink() ? { kind: "symlink", target: readTarget(node.diskPath) } : { kind: "other" };
  }

  /** Names in a directory, in bytewise order; none when the path is no directory. */
  list(path: ByteString): readonly ByteString[] {
    const names = new Set<ByteString>();
    const hidden = new Set<ByteString>();
    for (const part of this.#partsOf(path)) {
      for (const entry of readdirSync(fsPath(part), { withFileTypes: true, encoding: "buffer" })) {
        const name = byteString(entry.name);
        if (names.has(name) || hidden.has(name)) continue;
        const isHidden = entry.isCharacterDevice() && isWhiteoutDevice(lstatSync(fsPath(joinPath(part, name))));
        (isHidden ? hidden : names).add(name);
      }
    }
    return [...names].sort(compareBytes);
  }

  #partsOf(path: ByteString): readonly ByteString[] {
    const known = this.#parts.get(path);
    if (known !== undefined) return known;
    const parts = this.#find(path)
      .filter((node) => node.stat.isDirectory())
      .map((node) => node.diskPath);
    this.#parts.set(path, parts);
    return parts;
  }

  /** The topmost thing under a path and, when it is a directory, those below it that it is merged with. */
  #find(path: ByteString): LowerNode[] {
    const found: LowerNode[] = [];
    const name = path.slice(path.lastIndexOf("/") + 1);
    for (const part of this.#partsOf(parentPath(path))) {
      const diskPath = joinPath(part, name);
      const stat = statOf(diskPath);
      if (stat === undefined) continue;
      if (isWhiteoutDevice(stat)) break;
      if (found.length > 0 && !stat.isDirectory()) break;
      found.push({ stat, diskPath });
      if (!stat.isDirectory()) break;
    }
    return found;
  }
}

/** How overlayfs marks a deletion. */
export function isWhiteoutDevice(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

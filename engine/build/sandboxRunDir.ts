import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, cpSync, lutimesSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { applyLayer } from "../layer/apply.ts";
import { LowerStack } from "../layer/lowerStack.ts";
import { beat, heartbeatMs, isAlive, ownIdentity } from "../store/liveness.ts";
import { removeTree } from "./rootfsRemoval.ts";
import { killLeftover } from "./sandboxProcess.ts";
import type { Rootfs } from "./sandboxSpec.ts";

/**
 * The directory of one run: `upper` and `work` of overlayfs, `root` to mount on, `private` for what the sandbox alone sees, `base` with mount
 * points the image lacks, and the layers as `0`, `1` … from the top, short names because mount options have little room.
 * Its name says whose it is; what a dead process left is removed by the next run.
 */
export class RunDir implements AsyncDisposable {
  readonly dir: string;
  readonly #pulse: NodeJS.Timeout;

  private constructor(dir: string) {
    this.dir = dir;
    this.#pulse = setInterval(() => beat(dir), heartbeatMs);
    this.#pulse.unref();
  }

  static async open(rootfs: Rootfs): Promise<RunDir> {
    for (const name of readdirSync(rootfs.runsDir)) {
      const leftover = path.join(rootfs.runsDir, name);
      if (isAlive(leftover)) continue;
      killLeftover(leftover);
      await removeTree(leftover);
    }
    const dir = path.join(rootfs.runsDir, `${ownIdentity()}_${randomBytes(6).toString("hex")}`);
    for (const part of ["", "upper", "work", "root", "private", "base"])
      mkdirSync(path.join(dir, part), { mode: 0o700 });
    chmodSync(path.join(dir, "base"), 0o755);
    rootfs.lowerDirs.forEach((lower, index) => {
      symlinkSync(lower, path.join(dir, String(index)));
    });
    symlinkSync("base", path.join(dir, String(rootfs.lowerDirs.length)));
    copyRootAttributes(rootfs, path.join(dir, "upper"));
    return new RunDir(dir);
  }

  get baseDir(): string {
    return path.join(this.dir, "base");
  }

  get upperDir(): string {
    return path.join(this.dir, "upper");
  }

  get rootDir(): string {
    return path.join(this.dir, "root");
  }

  /** Puts a copy of the whole tree into `root`, for where overlayfs is refused. */
  async copyTree(rootfs: Rootfs, signal: AbortSignal): Promise<void> {
    for (const layer of rootfs.layers) {
      await applyLayer(layer.open(signal), { root: this.rootDir, setOwners: process.geteuid?.() === 0, signal });
    }
    // The mount points that overlayfs would show from below have to be in the copy itself.
    cpSync(this.baseDir, this.rootDir, { recursive: true, force: false, verbatimSymlinks: true });
    copyRootAttributes(rootfs, this.rootDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#pulse);
    await removeTree(this.dir);
  }
}

/** The root of the tree a command sees is this directory, so it has to look like the image's. */
function copyRootAttributes(rootfs: Rootfs, dir: string): void {
  const root = new LowerStack(rootfs.lowerDirs).node("" as never)?.stat;
  if (process.geteuid?.() === 0 && root !== undefined) chownSync(dir, root.uid, root.gid);
  chmodSync(dir, root === undefined ? 0o755 : root.mode & 0o7777);
  const mtime = root === undefined ? 0 : root.mtimeMs / 1000;
  lutimesSync(dir, mtime, mtime);
}

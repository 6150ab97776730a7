import { writeSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import path from "node:path";

/**
 * Brings files and the names of files to the disk. Many small flushes at once cost little more than one: the file system groups
 * them, and the flushes of one folder are shared here.
 */
export class Flusher {
  /** Per folder: the flush that has not begun yet, which everyone who comes now may share. */
  readonly #waiting = new Map<string, Promise<void>>();
  readonly #running = new Map<string, Promise<void>>();

  /** Flushes the content of a file, moves it to its place and flushes the name. Afterwards it survives power loss. */
  async publish(born: string, place: string, beforeVisible: () => Promise<void>): Promise<void> {
    await flushFile(born);
    await beforeVisible();
    await rename(born, place);
    await this.flushFolder(path.dirname(place));
  }

  /** Flushes the names in a folder. A flush that already began cannot count for a name made after it, so the next one is shared. */
  flushFolder(folder: string): Promise<void> {
    const waiting = this.#waiting.get(folder);
    if (waiting !== undefined) return waiting;
    const next = (this.#running.get(folder) ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        this.#waiting.delete(folder);
        const run = flushFile(folder).finally(() => {
          if (this.#running.get(folder) === run) this.#running.delete(folder);
        });
        this.#running.set(folder, run);
        return run;
      });
    this.#waiting.set(folder, next);
    return next;
  }
}

/** Flushes a file's content and size. A folder is a file of names; where it cannot be opened (Windows) the rename itself is durable enough. */
async function flushFile(file: string): Promise<void> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, process.platform === "win32" ? "r+" : "r");
  } catch (error) {
    if (process.platform === "win32") return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes all of it, however little the system takes at a time. */
export function writeAllSync(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; ) at += writeSync(fd, bytes, at, bytes.byteLength - at);
}

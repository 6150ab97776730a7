import { open, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { emptyLock, formatLock, type ImageLock, parseLock } from "../discover/lock.ts";
import { EngineError } from "../errors.ts";

/** Name of the image lock; it lies beside the Kubefile and is committed with it. */
export const lockFileName = "kubefile.lock";

/** Where the lock of a Kubefile lies. */
export function lockPath(kubefile: string): string {
  return path.join(path.dirname(kubefile), lockFileName);
}

/** Reads a lock; an absent one is empty. Throws `IMAGE_LOCK_INVALID` with every line that is wrong. */
export async function readLock(file: string): Promise<{ readonly lock: ImageLock; readonly exists: boolean }> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return { lock: emptyLock, exists: false };
    throw error;
  }
  const { lock, problems } = parseLock(text);
  if (problems.length > 0) throw new EngineError("IMAGE_LOCK_INVALID", { path: file, problems });
  return { lock, exists: true };
}

/** Writes a lock whole or not at all; a lock that would be the same is left alone. Answers whether it changed. */
export async function writeLock(file: string, lock: ImageLock): Promise<boolean> {
  const text = formatLock(lock);
  const before = await readFile(file, "utf8").catch(() => undefined);
  if (before === text) return false;
  const born = `${file}.new`;
  try {
    const handle = await open(born, "w");
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(born, file);
  } finally {
    await rm(born, { force: true });
  }
  return true;
}

import { readFileSync, statfsSync } from "node:fs";
import { freemem } from "node:os";
import path from "node:path";
import type { BuildWorkshop } from "../build/workshop.ts";
import { EngineError } from "../errors.ts";
import type { BuildSecret } from "../protocol.ts";

const memoryDir = "/dev/shm";
const mostMemoryBytes = 2 * 1024 ** 3;

/** Where a store keeps unpacked layers (on tmpfs as long as a quarter of the free memory holds them) and the caches of RUN. */
export function runDirsOf(storeDir: string): BuildWorkshop["runDirs"] {
  return {
    rootfs: path.join(storeDir, "rootfs"),
    memory: memoryOf(),
    cacheMounts: path.join(storeDir, "cache-mounts"),
  };
}

function memoryOf(): BuildWorkshop["runDirs"]["memory"] {
  try {
    const { bavail, bsize } = statfsSync(memoryDir);
    const budgetBytes = Math.min(mostMemoryBytes, Math.floor(freemem() / 4), Math.floor((bavail * bsize) / 2));
    const user = process.getuid?.() ?? 0;
    return { dir: path.join(memoryDir, `kubefile-${user}`), budgetBytes };
  } catch {
    return undefined;
  }
}

/** Reads a secret when a RUN mounts it. Throws `RUN_SECRET_UNREADABLE`. */
export function secretReader(secrets: readonly BuildSecret[]): (id: string) => Uint8Array | undefined {
  return (id) => {
    const secret = secrets.find((candidate) => candidate.id === id);
    if (secret === undefined) return undefined;
    if ("value" in secret) return Buffer.from(secret.value, "utf8");
    try {
      return readFileSync(secret.file);
    } catch (error) {
      const reason = error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
      throw new EngineError("RUN_SECRET_UNREADABLE", { id, path: secret.file, reason });
    }
  };
}

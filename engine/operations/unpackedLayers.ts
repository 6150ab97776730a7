import { existsSync } from "node:fs";
import { pruneRootfs } from "../build/rootfs.ts";
import { RootfsCache } from "../build/rootfsCache.ts";
import { runDirsOf } from "./runInputs.ts";

/** Unpacked layers that no RUN used for this long are not kept on disk by a prune without words. */
const keptForMs = 7 * 24 * 3600 * 1000;

/** What prune frees of the layers that were unpacked for RUN. They are caches: whatever needs one unpacks it again. */
export interface UnpackedPruning {
  readonly storeDir: string;
  readonly nowMs: number;
  readonly all: boolean;
  /** Keep what was used within this time. */
  readonly keepMs: number | undefined;
  readonly signal: AbortSignal;
}

/** Frees unpacked layers nobody uses, in memory and on disk; tells the bytes. With `dryRun` only tells. */
export async function pruneUnpacked(request: UnpackedPruning, dryRun: boolean): Promise<number> {
  const { rootfs, memory } = runDirsOf(request.storeDir);
  const unusedSinceMs = request.all ? request.nowMs + 1 : request.nowMs - (request.keepMs ?? keptForMs);
  let freed = 0;
  for (const dir of [rootfs, ...(memory === undefined ? [] : [memory.dir])]) {
    if (!existsSync(dir)) continue;
    if (dryRun) freed += unusedBytes(dir, unusedSinceMs);
    else freed += await pruneRootfs({ dir, signal: request.signal, unusedSinceMs, maxBytes: Number.MAX_SAFE_INTEGER });
  }
  return freed;
}

function unusedBytes(dir: string, unusedSinceMs: number): number {
  const unused = new RootfsCache(dir).list().filter(({ lastUsedAtMs }) => lastUsedAtMs < unusedSinceMs);
  return unused.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Gives back the memory that unpacked layers took, but for those a RUN of another build uses now. */
export async function freeMemory(storeDir: string, signal: AbortSignal): Promise<void> {
  const { memory } = runDirsOf(storeDir);
  if (memory === undefined || !existsSync(memory.dir)) return;
  await pruneRootfs({ dir: memory.dir, signal, unusedSinceMs: Number.MAX_SAFE_INTEGER, maxBytes: 0 });
}

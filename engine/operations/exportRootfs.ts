/** The root file system of an image as a folder. */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { applyLayer } from "../layer/apply.ts";
import { readLayerTar } from "../layer/decompress.ts";
import type { Platform } from "../oci/platform.ts";
import type { Store } from "../store/contract.ts";
import { imageFor } from "./platformImages.ts";

export interface ExportedRootfs {
  readonly dir: string;
  readonly layers: number;
  /** Sentences about what could not be made as the layers say. */
  readonly warnings: readonly string[];
}

/**
 * Unpacks an image into a folder that is new or empty. Every layer is checked against its diffId; a folder that could not be finished is
 * removed, so what is there under its name is whole.
 *
 * @param setOwners whether files get the owners the layers state, which takes root
 * @throws EngineError IMAGE_NOT_FOUND, IMAGE_PLATFORM_MISSING, FOLDER_NOT_EMPTY, and what `applyLayer` throws
 */
export async function exportRootfs(
  store: Store,
  reference: string,
  platform: Platform,
  dir: string,
  setOwners: boolean,
  signal: AbortSignal,
): Promise<ExportedRootfs> {
  if (existsSync(dir) && readdirSync(dir).length > 0) throw new EngineError("FOLDER_NOT_EMPTY", { path: dir });
  const { manifest, config, descriptor } = imageFor(store, reference, platform);
  await using lease = store.lease(`mount ${reference}`);
  await lease.pin(descriptor.digest, signal);
  await mkdir(path.dirname(dir), { recursive: true });
  const born = await mkdtemp(path.join(path.dirname(dir), ".unpacking-"));
  const warnings: string[] = [];
  try {
    for (const [i, layer] of manifest.layers.entries()) {
      const diffId = config.rootfs.diff_ids[i] ?? layer.digest;
      const tar = readLayerTar(store.read(layer.digest, {}, signal), { diffId });
      warnings.push(...(await applyLayer(tar, { root: born, setOwners, signal })).warnings);
    }
    await rm(dir, { recursive: true, force: true });
    await rename(born, dir);
  } finally {
    await rm(born, { recursive: true, force: true });
  }
  return { dir, layers: manifest.layers.length, warnings };
}

/** Images to files and back, with everything a person may choose. */
import { readFileSync, statSync } from "node:fs";
import { formatInventory, inventoryOf, parseInventory } from "../archive/inventory.ts";
import { type Loaded, type LoadProgress, type LoadRequest, loadImages } from "../archive/load.ts";
import type { Pack } from "../archive/output.ts";
import type { LayerCompressor } from "../archive/recompress.ts";
import { type Saved, type SaveFormat, type SaveProgress, type Since, saveImages } from "../archive/save.ts";
import { EngineError } from "../errors.ts";
import { decompress } from "../layer/decompress.ts";
import { parsePlatform } from "../oci/platform.ts";
import { compressedContent } from "../remote/compression.ts";
import { CompressionThreads } from "../remote/compressionThreads.ts";
import type { Store } from "../store/contract.ts";
import { requireVerified, type VerifyPolicy, verifyNothing } from "./verified.ts";

/** How uncompressed layers leave; what is compressed already stays as it is. */
export type ArchiveCompression = "gzip" | "zstd" | "none";

export interface SaveChoices {
  readonly references: readonly string[];
  /** File or folder. A file that ends in `.zst` is compressed as a whole. */
  readonly output: string;
  readonly format: SaveFormat;
  /** Of an index only this one. */
  readonly platform?: string;
  readonly compression?: ArchiveCompression;
  /** Bytes of a part; absent: one file. */
  readonly splitBytes?: number;
  /** Images the other side has, or files that hold its inventory. */
  readonly since?: readonly string[];
  /** Whose signature images must carry; absent: nobody's. */
  readonly verify?: VerifyPolicy;
}

export interface ArchiveControl<Progress> {
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** Levels as for a push. */
const levels = { gzip: 1, zstd: 3 } as const;

/**
 * Saves images of the store. Throws `USAGE` for choices that exclude each other, `PLATFORM_INVALID`, `INVENTORY_INVALID`,
 * `FILE_UNREADABLE` and what `saveImages` throws.
 */
export async function saveArchive(
  store: Store,
  choices: SaveChoices,
  { onProgress, signal }: ArchiveControl<SaveProgress>,
): Promise<Saved> {
  refuseContradictions(choices);
  const { references, output, format, platform, compression = "none", splitBytes, since = [] } = choices;
  const { verify = verifyNothing } = choices;
  await using threads = new CompressionThreads();
  const packs = format !== "oci-dir" && output.endsWith(".zst");
  return await saveImages(
    store,
    {
      references,
      output,
      format,
      admit: ({ name, target }) => requireVerified(store, target, `save ${name}`, verify),
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
      ...(compression === "none" ? {} : { compressor: layerCompressor(compression, threads) }),
      ...(packs ? { pack: packWith(threads) } : {}),
      ...(splitBytes === undefined ? {} : { splitBytes }),
      ...(since.length === 0 ? {} : { since: readSince(since) }),
    },
    onProgress,
    signal,
  );
}

/** Loads images into the store. Throws what `loadImages` throws. */
export async function loadArchive(
  store: Store,
  choices: { readonly input: string; readonly name?: string; readonly verify?: VerifyPolicy },
  { onProgress, signal }: ArchiveControl<LoadProgress>,
): Promise<Loaded> {
  const { verify = verifyNothing, ...request } = choices;
  const admit: LoadRequest["admit"] = (image, label) => requireVerified(store, image, label, verify);
  return await loadImages(store, { ...request, decompress, admit }, onProgress, signal);
}

/** The text of this store's inventory. */
export async function inventoryText(store: Store, signal: AbortSignal): Promise<string> {
  return formatInventory(await inventoryOf(store, signal));
}

function refuseContradictions({ format, splitBytes, since = [] }: SaveChoices): void {
  const refuse = (reason: string): never => {
    throw new EngineError("USAGE", { reason, command: "save" });
  };
  if (splitBytes !== undefined && format === "oci-dir") refuse("--split is for archives, not for a folder");
  if (splitBytes !== undefined && !(Number.isSafeInteger(splitBytes) && splitBytes > 0))
    refuse("--split takes a size such as 4GiB");
  if (since.length > 0 && format === "docker-archive")
    refuse("--since needs oci-archive or oci-dir: a docker-archive cannot say what it leaves out");
}

function layerCompressor(algorithm: "gzip" | "zstd", threads: CompressionThreads): LayerCompressor {
  const compression = { algorithm, level: levels[algorithm] };
  return {
    compression: algorithm,
    compress: (layer, signal) => compressedContent(() => layer, compression, threads).open(0, signal),
  };
}

function packWith(threads: CompressionThreads): Pack {
  const compression = { algorithm: "zstd", level: levels.zstd } as const;
  return (archive, signal) => compressedContent(() => archive, compression, threads).open(0, signal);
}

/** What is a file is an inventory; anything else is the name of an image. */
function readSince(written: readonly string[]): Since {
  const references: string[] = [];
  const digests = new Set<Parameters<Since["digests"]["has"]>[0]>();
  for (const each of written) {
    if (statSync(each, { throwIfNoEntry: false })?.isFile() !== true) references.push(each);
    else for (const digest of parseInventory(readText(each), each)) digests.add(digest);
  }
  return { references, digests };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "it cannot be read";
    throw new EngineError("FILE_UNREADABLE", { path: file, reason }, { cause });
  }
}

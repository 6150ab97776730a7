import { constants as zlib, zstdCompressSync } from "node:zlib";
import type { Compression } from "./compression.ts";
import { gzipMember } from "./gzipMember.ts";

/** One piece of a layer as a gzip member or a zstd frame, in a buffer of its own. */
export function compressPiece(bytes: Uint8Array, { algorithm, level }: Compression): Uint8Array<ArrayBuffer> {
  if (algorithm === "gzip") return gzipMember(bytes, level);
  // One-shot frames only: zstd streams of Node put empty frames between by the pattern of writes, and lose data with workers.
  const params = { [zlib.ZSTD_c_compressionLevel]: level };
  return new Uint8Array(zstdCompressSync(bytes, { params, chunkSize: 256 * 1024 }));
}

import { parentPort } from "node:worker_threads";
import type { CompressAnswer, CompressRequest } from "./compressionThreads.ts";
import { compressPiece } from "./compressPiece.ts";

/** The other side of `CompressionThreads`: compresses what it is given, and hands the buffer back. */
parentPort?.on("message", ({ id, buffer, length, compression }: CompressRequest) => {
  const bytes = compressPiece(buffer.subarray(0, length), compression);
  const answer: CompressAnswer = { id, buffer, bytes };
  parentPort?.postMessage(answer, [buffer.buffer, bytes.buffer]);
});

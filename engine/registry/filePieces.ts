import type { FileHandle } from "node:fs/promises";
import { EngineError } from "../errors.ts";

/** A stretch of an open file. */
export interface FilePiece {
  readonly handle: FileHandle;
  readonly offset: number;
  readonly length: number;
}

/** As measured: larger chunks cost memory and give nothing more. */
const chunkBytes = 256 * 1024;
/** Two for each of the clients that are usually served at once; what is above is given back to the system. */
const keptBuffers = 64;
const pool: Buffer[] = [];

/**
 * The bytes of pieces of files, one after the other, in chunks of 256 KiB. The next chunk is read while the last one is on its way, so a
 * chunk's memory is used again when the chunk after the next is asked for.
 *
 * Throws `CANCELLED`, and a plain error when a file is shorter than its piece.
 */
export async function* readPieces(
  pieces: Iterable<FilePiece> | AsyncIterable<FilePiece>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffers = [takeBuffer(), takeBuffer()] as const;
  let turn = 0;
  let reading: Promise<Uint8Array> | undefined;
  try {
    for await (const { handle, offset, length } of pieces) {
      for (let at = 0; at < length; at += chunkBytes) {
        if (signal.aborted) throw new EngineError("CANCELLED", { what: "sending a blob" });
        const buffer = buffers[turn] ?? buffers[0];
        turn = 1 - turn;
        const next = readExactly(handle, buffer.subarray(0, Math.min(chunkBytes, length - at)), offset + at);
        // Whoever stops reading leaves it behind; its failure is told only to those who go on.
        next.catch(() => undefined);
        const last = reading;
        reading = next;
        if (last !== undefined) yield await last;
      }
    }
    if (reading !== undefined) yield await reading;
  } finally {
    // A read that is still under way would write into memory that is somebody else's by then.
    await reading?.catch(() => undefined);
    giveBack(buffers);
  }
}

async function readExactly(handle: FileHandle, into: Buffer, position: number): Promise<Uint8Array> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw new Error("a file became shorter while it was read");
    done += bytesRead;
  }
  return into;
}

function takeBuffer(): Buffer {
  return pool.pop() ?? Buffer.allocUnsafeSlow(chunkBytes);
}

function giveBack(buffers: readonly Buffer[]): void {
  for (const buffer of buffers) if (pool.length < keptBuffers) pool.push(buffer);
}

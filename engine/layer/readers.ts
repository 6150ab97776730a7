import type { ByteString } from "../byteString.ts";
import type { FileIdentity } from "./layerEntry.ts";
import { FileStream, type FilesJob, type FilesResult, type RangesJob, readFiles, readRanges } from "./readFiles.ts";

/** Bytes of one slab: what is read, hashed and written at a time. */
export const slabSize: number = 1024 * 1024;

/** A slab that was filled: the same memory, and what was found. */
export interface Filled {
  readonly slab: Uint8Array<ArrayBuffer>;
  readonly result: FilesResult;
}

/** Reads files into slabs, on this thread or on others. A slab given away must not be touched until it comes back. */
export interface Readers {
  /** How many slabs may usefully be on their way at once. */
  readonly depth: number;
  files(job: FilesJob, slab: Uint8Array<ArrayBuffer>): Promise<Filled>;
  ranges(job: RangesJob, slab: Uint8Array<ArrayBuffer>): Promise<Filled>;
  /** Starts reading one big file; ask for its pieces in order, the last one marked, then dispose. */
  stream(path: ByteString, identity: FileIdentity): StreamReader;
}

export interface StreamReader extends Disposable {
  /** Fills `length` bytes from `at` of the slab. */
  next(slab: Uint8Array<ArrayBuffer>, at: number, length: number, last: boolean): Promise<Filled>;
}

/** Reads on the thread that asks. */
export const inlineReaders: Readers = {
  depth: 1,
  files: async (job, slab) => ({ slab, result: readFiles(job, slab) }),
  ranges: async (job, slab) => ({ slab, result: readRanges(job, slab) }),
  stream(path, identity) {
    const file = new FileStream(path, identity);
    return {
      next: async (slab, at, length, last) => ({ slab, result: file.read(slab.subarray(at, at + length), last) }),
      [Symbol.dispose]: () => file[Symbol.dispose](),
    };
  },
};

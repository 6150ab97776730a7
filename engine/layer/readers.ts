import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
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

/** What a worker is asked. `id` comes back with the answer. */
export type WorkerRequest =
  | { readonly id: number; readonly kind: "files"; readonly job: FilesJob; readonly slab: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly kind: "ranges"; readonly job: RangesJob; readonly slab: Uint8Array<ArrayBuffer> }
  | {
      readonly id: number;
      readonly kind: "open";
      readonly stream: number;
      readonly path: ByteString;
      readonly identity: FileIdentity;
    }
  | {
      readonly id: number;
      readonly kind: "next";
      readonly stream: number;
      readonly slab: Uint8Array<ArrayBuffer>;
      readonly at: number;
      readonly length: number;
      readonly last: boolean;
    }
  | { readonly id: number; readonly kind: "close"; readonly stream: number };

export interface WorkerAnswer extends Filled {
  readonly id: number;
}

interface Waiting {
  readonly resolve: (filled: Filled) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

/** From source the worker is TypeScript beside this file; in a bundle it is its own entry, beside or above the chunks. */
function workerUrl(): URL {
  const own = import.meta.url;
  if (own.endsWith(".ts")) return new URL("./readWorker.ts", own);
  return new URL(own.includes("/chunks/") ? "../readWorker.js" : "./readWorker.js", own);
}

/** Reads on worker threads, started on first use, which do not keep the process alive. Dispose to end them. */
export class WorkerReaders implements Readers, AsyncDisposable {
  readonly #lanes: Lane[] = [];
  readonly #count: number;
  #next = 0;

  constructor(count: number = Math.max(1, Math.min(3, availableParallelism() - 1))) {
    this.#count = count;
  }

  get depth(): number {
    return this.#count * 4;
  }

  files(job: FilesJob, slab: Uint8Array<ArrayBuffer>): Promise<Filled> {
    return this.#ask(this.#lane(), { id: this.#next++, kind: "files", job, slab });
  }

  ranges(job: RangesJob, slab: Uint8Array<ArrayBuffer>): Promise<Filled> {
    return this.#ask(this.#lane(), { id: this.#next++, kind: "ranges", job, slab });
  }

  stream(path: ByteString, identity: FileIdentity): StreamReader {
    const lane = this.#lane();
    const stream = this.#next++;
    lane.worker.postMessage({ id: -1, kind: "open", stream, path, identity } satisfies WorkerRequest);
    return {
      next: (slab, at, length, last) =>
        this.#ask(lane, { id: this.#next++, kind: "next", stream, slab, at, length, last }),
      [Symbol.dispose]: () => lane.worker.postMessage({ id: -1, kind: "close", stream } satisfies WorkerRequest),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#lanes.splice(0).map((lane) => lane.worker.terminate()));
  }

  /** The lane with the fewest answers outstanding. */
  #lane(): Lane {
    const idle = this.#lanes.find((lane) => lane.waiting.size === 0);
    if (idle !== undefined) return idle;
    if (this.#lanes.length < this.#count) return this.#start();
    return this.#lanes.reduce((best, lane) => (lane.waiting.size < best.waiting.size ? lane : best));
  }

  #start(): Lane {
    const worker = new Worker(workerUrl());
    const lane: Lane = { worker, waiting: new Map() };
    worker.unref();
    worker.on("message", (answer: WorkerAnswer) => {
      lane.waiting.get(answer.id)?.resolve(answer);
      lane.waiting.delete(answer.id);
      if (lane.waiting.size === 0) worker.unref();
    });
    const fail = (error: unknown): void => {
      const index = this.#lanes.indexOf(lane);
      if (index >= 0) this.#lanes.splice(index, 1);
      for (const { reject } of lane.waiting.values()) reject(error);
      lane.waiting.clear();
    };
    worker.on("error", fail);
    worker.on("exit", (code) => fail(new Error(`a reading thread ended with exit code ${code}`)));
    this.#lanes.push(lane);
    return lane;
  }

  #ask(lane: Lane, request: Extract<WorkerRequest, { slab: unknown }>): Promise<Filled> {
    return new Promise((resolve, reject) => {
      lane.waiting.set(request.id, { resolve, reject });
      lane.worker.ref();
      lane.worker.postMessage(request, [request.slab.buffer]);
    });
  }
}

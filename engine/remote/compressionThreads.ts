/** Threads that compress pieces of layers, so that the network and the disk are served meanwhile. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Compression } from "./compression.ts";
import type { Piece } from "./pieces.ts";

export interface CompressRequest {
  readonly id: number;
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly length: number;
  readonly compression: Compression;
}

export interface CompressAnswer {
  readonly id: number;
  /** The buffer of the request, to be used again. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Waiting {
  readonly resolve: (answer: CompressAnswer) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

/** Pieces given to each thread ahead, so that none waits for the next. */
const ahead = 2;
/** More threads than these compress faster than anything reads or sends. */
const mostThreads = 8;

/** V8 lets buffers pile up to half the heap's limit before it looks for garbage: with its own default, a hundred MiB a thread. */
const heapMebibytes = 16;

/** From source the worker is TypeScript beside this file; in a bundle it is its own entry, beside or above the chunks. */
function workerUrl(): URL {
  const own = import.meta.url;
  if (own.endsWith(".ts")) return new URL("./compressWorker.ts", own);
  return new URL(own.includes("/chunks/") ? "../compressWorker.js" : "./compressWorker.js", own);
}

/** Starts threads as they are needed, one for each processor at most; they do not keep the process alive. Dispose to end them. */
export class CompressionThreads implements AsyncDisposable {
  readonly #threads: Thread[] = [];
  readonly #count: number;
  #nextId = 0;

  constructor(count: number = Math.min(mostThreads, availableParallelism())) {
    this.#count = count;
  }

  /** How many pieces may usefully be on their way at once. */
  get depth(): number {
    return this.#count * ahead;
  }

  /** Compresses a piece. Its buffer must not be touched until it comes back with the answer. */
  compress(piece: Piece, compression: Compression): Promise<CompressAnswer> {
    const thread = this.#pick();
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise((resolve, reject) => {
      thread.waiting.set(id, { resolve, reject });
      thread.worker.ref();
      const request: CompressRequest = { id, buffer: piece.buffer, length: piece.length, compression };
      thread.worker.postMessage(request, [piece.buffer.buffer]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.worker.terminate()));
  }

  /** The thread with the least to do. */
  #pick(): Thread {
    const idle = this.#threads.find((thread) => thread.waiting.size === 0);
    if (idle !== undefined) return idle;
    if (this.#threads.length < this.#count) return this.#start();
    return this.#threads.reduce((best, thread) => (thread.waiting.size < best.waiting.size ? thread : best));
  }

  #start(): Thread {
    const worker = new Worker(workerUrl(), { resourceLimits: { maxOldGenerationSizeMb: heapMebibytes } });
    const thread: Thread = { worker, waiting: new Map() };
    worker.unref();
    worker.on("message", (answer: CompressAnswer) => {
      thread.waiting.get(answer.id)?.resolve(answer);
      thread.waiting.delete(answer.id);
      if (thread.waiting.size === 0) worker.unref();
    });
    const fail = (error: unknown): void => {
      const index = this.#threads.indexOf(thread);
      if (index >= 0) this.#threads.splice(index, 1);
      for (const { reject } of thread.waiting.values()) reject(error);
      thread.waiting.clear();
    };
    worker.on("error", fail);
    worker.on("exit", (code) => fail(new Error(`a compressing thread ended with exit code ${code}`)));
    this.#threads.push(thread);
    return thread;
  }
}

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { ByteString } from "../byteString.ts";
import type { FileIdentity } from "./layerEntry.ts";
import type { Filled, Readers, StreamReader } from "./readers.ts";
import type { FilesJob, RangesJob } from "./readFiles.ts";

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

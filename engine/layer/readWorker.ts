import { parentPort } from "node:worker_threads";
import { FileStream, readFiles, readRanges } from "./readFiles.ts";
import type { WorkerAnswer, WorkerRequest } from "./workerReaders.ts";

/** The other side of `WorkerReaders`: reads what it is asked for, and hands the slab back. */
const streams = new Map<number, FileStream>();

parentPort?.on("message", (request: WorkerRequest) => {
  switch (request.kind) {
    case "files":
      return answer({ id: request.id, slab: request.slab, result: readFiles(request.job, request.slab) });
    case "ranges":
      return answer({ id: request.id, slab: request.slab, result: readRanges(request.job, request.slab) });
    case "open":
      streams.set(request.stream, new FileStream(request.path, request.identity));
      return;
    case "next": {
      const target = request.slab.subarray(request.at, request.at + request.length);
      const result = streams.get(request.stream)?.read(target, request.last);
      if (result === undefined) throw new Error("a piece was asked of a file that is not open");
      return answer({ id: request.id, slab: request.slab, result });
    }
    case "close":
      streams.get(request.stream)?.[Symbol.dispose]();
      streams.delete(request.stream);
      return;
    default:
      return request satisfies never;
  }
});

function answer(message: WorkerAnswer): void {
  parentPort?.postMessage(message, [message.slab.buffer]);
}

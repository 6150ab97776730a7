import { randomUUID } from "node:crypto";
import type { CancellationToken, RequestType } from "vscode-jsonrpc";
import { type TransferParams, type TransferProgress, transferProgress } from "../engine/protocol.ts";
import type { EngineProcess } from "./engineProcess.ts";

/** How far a transfer is, for people. */
export interface TransferState {
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Bytes over the network up to now. */
  readonly movedBytes: number;
  /** Bytes a second over the last seconds; absent until there is enough to tell. */
  readonly bytesPerSecond?: number;
  /** Absent until there is enough to tell. */
  readonly remainingMs?: number;
}

/** Speeds are taken over this time: long enough not to jump, short enough to follow. */
const windowMs = 5000;
/** Below this no speed is worth telling. */
const leastMs = 500;

interface Sample {
  readonly atMs: number;
  readonly doneBytes: number;
  readonly movedBytes: number;
}

/** Works out speed and time left from what the engine reports. */
export class TransferMeter {
  readonly #samples: Sample[] = [];

  /** Takes what was reported at a time and answers what to show. */
  add({ doneBytes, totalBytes, movedBytes }: Omit<TransferProgress, "transferId">, nowMs: number): TransferState {
    this.#samples.push({ atMs: nowMs, doneBytes, movedBytes });
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? nowMs) <= nowMs - windowMs) this.#samples.shift();
    const first = this.#samples[0];
    const elapsedMs = nowMs - (first?.atMs ?? nowMs);
    const state = { doneBytes, totalBytes, movedBytes };
    if (first === undefined || elapsedMs < leastMs) return state;
    const bytesPerSecond = Math.max(0, ((movedBytes - first.movedBytes) * 1000) / elapsedMs);
    // What is there already is done without moving, so the time left goes by what is done.
    const doneEachMs = (doneBytes - first.doneBytes) / elapsedMs;
    const left = Math.max(0, totalBytes - doneBytes);
    return { ...state, bytesPerSecond, ...(doneEachMs > 0 ? { remainingMs: left / doneEachMs } : {}) };
  }
}

/** The transfers this window started. */
export class Transfers implements Disposable {
  readonly #engine: EngineProcess;
  readonly #now: () => number;
  readonly #watchers = new Map<string, (progress: TransferProgress) => void>();
  readonly #subscription: Disposable;

  constructor(engine: EngineProcess, now: () => number) {
    this.#engine = engine;
    this.#now = now;
    this.#subscription = engine.onNotification(transferProgress, (progress) =>
      this.#watchers.get(progress.transferId)?.(progress),
    );
  }

  /** Runs a transfer to its end. Rejects as `EngineProcess.request` does. */
  async run<Params extends TransferParams, Result, Failure>(
    type: RequestType<Params, Result, Failure>,
    paramsOf: (transferId: string) => Params,
    watch: (state: TransferState) => void,
    token: CancellationToken,
  ): Promise<Result> {
    const transferId = randomUUID();
    const meter = new TransferMeter();
    this.#watchers.set(transferId, (progress) => watch(meter.add(progress, this.#now())));
    try {
      return await this.#engine.request(type, paramsOf(transferId), token);
    } finally {
      this.#watchers.delete(transferId);
    }
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }
}

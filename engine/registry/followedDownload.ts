import { type FileHandle, open } from "node:fs/promises";
import { EngineError } from "../errors.ts";
import { type Digest, Digester, digestAlgorithm } from "../oci/digest.ts";
import type { Store } from "../store/contract.ts";
import type { BlobBody } from "./content.ts";
import { writeBehind } from "./writeBehind.ts";

/** A blob on its way from an upstream into the store, with any number of readers behind it. */
export interface FollowedDownload {
  readonly sizeBytes: number;
  /** Resolves when the blob is whole, right and in the store; rejects when it will never be. */
  readonly done: Promise<void>;
  /**
   * A body that follows the download; `undefined` when it has ended: then the blob is in the store, or `done` says why not. The last
   * byte comes only after the digest of all was checked, so nobody ever gets a whole blob that is not what it should be.
   */
  body(): BlobBody | undefined;
}

export interface DownloadEvents {
  /** The blob is in the store and pinned for this moment: what shall keep it is written now. */
  readonly complete: () => void;
  /** Nobody may join any more; called before any reader learns how it ended. */
  readonly ended: () => void;
}

const chunkBytes = 256 * 1024;
/** Held back until the digest is known. */
const heldBackBytes = 1;

/**
 * Starts a download that goes on whoever reads or stops reading it.
 *
 * @param bytes the blob's bytes from the upstream, resumed by whoever makes them
 * @param signal ends the download itself, with the server
 */
export function followDownload(
  store: Store,
  digest: Digest,
  sizeBytes: number,
  bytes: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
  events: DownloadEvents,
  signal: AbortSignal,
): FollowedDownload {
  const progress: Progress = {
    arrived: 0,
    verified: false,
    failure: undefined,
    changed: Promise.withResolvers<void>(),
  };
  const lease = store.lease(`mirror ${digest}`);
  const segment = lease.createSegment();
  const advance = (change: Partial<Progress>): void => {
    const before = progress.changed;
    Object.assign(progress, change, { changed: Promise.withResolvers<void>() });
    before.resolve();
  };

  // One descriptor for writing and for every reader: it outlives the file's move to its place in the store.
  const file = new SharedFile(segment.path);
  const held = file.hold();

  const run = async (): Promise<void> => {
    const digester = new Digester(digestAlgorithm(digest));
    const write = async (piece: Uint8Array): Promise<void> => {
      const appended = file.append(piece, digester.sizeBytes);
      digester.update(piece);
      await appended;
      advance({ arrived: digester.sizeBytes });
    };
    const fits = await writeBehind(bytes(signal), write, (taken) => taken <= sizeBytes, chunkBytes);
    const received = digester.sizeBytes;
    const actual = digester.finish();
    if (!fits || actual !== digest || received !== sizeBytes)
      throw new EngineError("BLOB_MISMATCH", { what: `mirroring ${digest}`, expected: digest, found: actual });
    // Readers need not wait until the disk has it.
    advance({ verified: true });
    await segment.commit();
    await lease.putRecipe(digest, sizeBytes === 0 ? [] : [{ segment: segment.id, offset: 0, length: sizeBytes }]);
    events.complete();
    events.ended();
  };

  const finish = async (): Promise<void> => {
    try {
      await using _file = held;
      await run();
    } catch (error) {
      events.ended();
      advance({ failure: error instanceof Error ? error : new Error(String(error)) });
      throw error;
    } finally {
      await segment[Symbol.asyncDispose]();
      await lease[Symbol.asyncDispose]();
    }
  };
  const done = finish();
  // Readers are told through their own streams; `done` is for those who wait for the whole.
  done.catch(() => undefined);

  return {
    sizeBytes,
    done,
    body() {
      const held = file.hold();
      if (held === undefined) return undefined;
      return {
        digest,
        sizeBytes,
        read: (start, end, readerSignal) => follow({ file, progress, sizeBytes }, start, end, readerSignal),
        close: async () => held[Symbol.asyncDispose](),
      };
    },
  };
}

interface Progress {
  arrived: number;
  /** All has come and has the right digest. */
  verified: boolean;
  failure: Error | undefined;
  changed: PromiseWithResolvers<void>;
}

interface Following {
  readonly file: SharedFile;
  readonly progress: Progress;
  readonly sizeBytes: number;
}

async function* follow(at: Following, start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const { progress, sizeBytes } = at;
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, end - start)));
  let position = start;
  while (position < end) {
    const ready = progress.verified ? sizeBytes : Math.min(progress.arrived, sizeBytes - heldBackBytes);
    if (position < ready) {
      const length = Math.min(buffer.length, Math.min(end, ready) - position);
      const count = await at.file.read(buffer.subarray(0, length), position);
      if (count === 0) throw new Error("the file of a download became shorter while it was read");
      position += count;
      yield buffer.subarray(0, count);
    } else await nextChange(progress, signal);
  }
}

async function nextChange(progress: Progress, signal: AbortSignal): Promise<void> {
  if (progress.failure !== undefined) throw progress.failure;
  if (progress.verified) return;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(new EngineError("CANCELLED", { what: "following a download" }));
  signal.addEventListener("abort", stop, { once: true });
  try {
    await Promise.race([progress.changed.promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** A file that one writer fills and many read; closed for good when the last of them lets go. */
class SharedFile {
  readonly #handle: Promise<FileHandle>;
  #holders = 0;
  #closed = false;

  constructor(path: string) {
    this.#handle = open(path, "w+");
  }

  /** Keeps the file open until disposal; `undefined` when it is closed already. */
  hold(): AsyncDisposable | undefined {
    if (this.#closed) return undefined;
    this.#holders += 1;
    return { [Symbol.asyncDispose]: () => this.#letGo() };
  }

  async append(chunk: Uint8Array, position: number): Promise<void> {
    const handle = await this.#handle;
    for (let done = 0; done < chunk.length; )
      done += (await handle.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return (await (await this.#handle).read(into, 0, into.length, position)).bytesRead;
  }

  async #letGo(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.#closed = true;
    await (await this.#handle).close();
  }
}

/** How far a transfer is. Bytes count what the image has, moved or not; `movedBytes` is what went over the network. */
export interface TransferProgress {
  readonly totalBytes: number;
  readonly doneBytes: number;
  readonly movedBytes: number;
  readonly totalBlobs: number;
  readonly doneBlobs: number;
}

/** Adds up what the parts of a transfer report and passes it on. */
export class TransferMeter {
  readonly #onProgress: (progress: TransferProgress) => void;
  #totalBytes = 0;
  #doneBytes = 0;
  #movedBytes = 0;
  #totalBlobs = 0;
  #doneBlobs = 0;

  constructor(onProgress: (progress: TransferProgress) => void) {
    this.#onProgress = onProgress;
  }

  get movedBytes(): number {
    return this.#movedBytes;
  }

  /** Announces a blob that is part of the transfer. */
  expect(sizeBytes: number): void {
    this.#totalBytes += sizeBytes;
    this.#totalBlobs += 1;
    this.#report();
  }

  /** Bytes that are done, of those announced; negative when a broken transfer gives some back. */
  done(bytes: number): void {
    this.#doneBytes += bytes;
    this.#report();
  }

  /** Bytes that went over the network; negative when they have to go again. */
  moved(bytes: number): void {
    this.#movedBytes += bytes;
    this.#report();
  }

  /** A blob is where it should be. */
  finished(): void {
    this.#doneBlobs += 1;
    this.#report();
  }

  #report(): void {
    this.#onProgress({
      totalBytes: this.#totalBytes,
      doneBytes: this.#doneBytes,
      movedBytes: this.#movedBytes,
      totalBlobs: this.#totalBlobs,
      doneBlobs: this.#doneBlobs,
    });
  }
}

import { type FileHandle, open, rm } from "node:fs/promises";
import { EngineError } from "../errors.ts";
import { type Digest, Digester, digestAlgorithm } from "../oci/digest.ts";
import type { BlobStat, BlobWriter, ExpectedBlob } from "./contract.ts";
import { writing } from "./storeErrors.ts";

/** What a writer needs: an empty file of its own, and the way to make it visible. */
interface Parts {
  readonly dir: string;
  readonly born: string;
  readonly expected: ExpectedBlob | undefined;
  readonly publish: (born: string, digest: Digest) => Promise<void>;
}

/** A writer that hashes while the disk is busy with the same chunk. */
export function createBlobWriter(parts: Parts): BlobWriter {
  return new DiskBlobWriter(parts);
}

class DiskBlobWriter implements BlobWriter {
  readonly #parts: Parts;
  readonly #digester: Digester;
  #file: FileHandle | undefined;
  #commit: Promise<BlobStat> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#digester = new Digester(parts.expected === undefined ? "sha256" : digestAlgorithm(parts.expected.digest));
  }

  get sizeBytes(): number {
    return this.#digester.sizeBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { expected, dir, born } = this.#parts;
    const size = this.sizeBytes + chunk.byteLength;
    if (expected?.sizeBytes !== undefined && size > expected.sizeBytes)
      throw mismatch(expected, `more than ${size} bytes`);
    await writing(dir, async () => {
      this.#file ??= await open(born, "w");
      const written = writeAll(this.#file, chunk);
      this.#digester.update(chunk);
      await written;
    });
  }

  commit(): Promise<BlobStat> {
    this.#commit ??= this.#finish();
    return this.#commit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Leaving a scope with `return writer.commit()` disposes while the commit is still under way.
    await this.#commit?.catch(() => undefined);
    await this.#close();
    await rm(this.#parts.born, { force: true });
  }

  async #finish(): Promise<BlobStat> {
    const { expected, dir, born, publish } = this.#parts;
    const { sizeBytes } = this;
    if (expected?.sizeBytes !== undefined && sizeBytes !== expected.sizeBytes) {
      throw mismatch(expected, `${sizeBytes} bytes`);
    }
    const digest = this.#digester.finish();
    if (expected !== undefined && digest !== expected.digest) throw mismatch(expected, digest);
    await writing(dir, async () => {
      await this.#close();
      await publish(born, digest);
    });
    return { digest, sizeBytes, heldAs: "whole" };
  }

  async #close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) {
    const { bytesWritten } = await file.write(chunk, at, chunk.byteLength - at);
    at += bytesWritten;
  }
}

function mismatch(expected: ExpectedBlob, found: string): EngineError<"BLOB_MISMATCH"> {
  const wanted =
    expected.sizeBytes === undefined ? expected.digest : `${expected.digest} of ${expected.sizeBytes} bytes`;
  return new EngineError("BLOB_MISMATCH", { what: "Storing a blob", expected: wanted, found });
}

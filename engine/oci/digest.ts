import { createHash, type Hash, hash } from "node:crypto";
import { EngineError } from "../errors.ts";

/** The name of some bytes: `sha256:` or `sha512:` and lower-case hexadecimal digits. Made only by this file. */
export type Digest = string & { readonly __brand: "Digest" };

/** The algorithms of the specification's registry of algorithms that we compute and accept. */
export type DigestAlgorithm = "sha256" | "sha512";

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether the text is a digest as `parseDigest` takes it. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/**
 * Reads a digest; throws `DIGEST_INVALID`.
 * @see OCI image-spec v1.1 descriptor.md, "Digests"
 */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new EngineError("DIGEST_INVALID", { text: text.slice(0, 200) });
  return text;
}

/** The algorithm in front of the colon. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** The hexadecimal digits after the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice(7);
}

/** The first twelve hexadecimal digits, as every tool shows an image or a layer to people. */
export function shortDigest(digest: Digest): string {
  return digest.slice(7, 19);
}

/** The digest of bytes held in memory. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = "sha256"): Digest {
  return `${algorithm}:${hash(algorithm, bytes, "hex")}` as Digest;
}

/** Counts and hashes bytes in passing; `finish` may be called once. */
export class Digester {
  readonly #hash: Hash;
  readonly #algorithm: DigestAlgorithm;
  #sizeBytes = 0;

  constructor(algorithm: DigestAlgorithm = "sha256") {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  /** Bytes seen so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.byteLength;
  }

  finish(): Digest {
    return `${this.#algorithm}:${this.#hash.digest("hex")}` as Digest;
  }
}

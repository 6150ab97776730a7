/**
 * bcrypt, for `htpasswd` and `bcrypt`.
 * @see https://www.usenix.org/legacy/events/usenix99/provos/provos.pdf
 */
import type { Meter } from "../template/meter.ts";

const rounds = 16;
const cost = 10;

/** Blowfish's initial state is the fraction of pi: 18 + 4 × 256 words of 32 bits. */
function piWords(count: number): Uint32Array {
  const bits = BigInt(count * 32 + 64);
  const one = 1n << bits;
  const arctan = (inverse: bigint): bigint => {
    let term = one / inverse;
    let sum = term;
    const square = inverse * inverse;
    for (let n = 3n, sign = -1n; term !== 0n; n += 2n, sign = -sign) {
      term /= square;
      sum += (sign * term) / n;
    }
    return sum;
  };
  const pi = 4n * (4n * arctan(5n) - arctan(239n));
  const hex = (pi - 3n * one).toString(16).padStart(Number(bits) / 4, "0");
  return Uint32Array.from({ length: count }, (_, i) => Number.parseInt(hex.slice(i * 8, i * 8 + 8), 16));
}

let initial: Uint32Array | undefined;

/** The cipher's tables: 18 subkeys and four boxes, one after the other. */
class Blowfish {
  readonly #words: Uint32Array;

  constructor() {
    initial ??= piWords(rounds + 2 + 1024);
    this.#words = initial.slice();
  }

  #box(index: number, byte: number): number {
    return this.#words[rounds + 2 + index * 256 + byte] ?? 0;
  }

  encrypt(block: Uint32Array, at: number): void {
    let left = block[at] ?? 0;
    let right = block[at + 1] ?? 0;
    left ^= this.#words[0] ?? 0;
    for (let i = 1; i <= rounds; i++) {
      const mixed =
        (((this.#box(0, left >>> 24) + this.#box(1, (left >>> 16) & 255)) ^ this.#box(2, (left >>> 8) & 255)) +
          this.#box(3, left & 255)) |
        0;
      right ^= mixed ^ (this.#words[i] ?? 0);
      [left, right] = [right, left];
    }
    block[at] = right ^ (this.#words[rounds + 1] ?? 0);
    block[at + 1] = left;
  }

  /** Mixes a key in, and re-encrypts the tables with the salt. */
  expand(key: Uint8Array, salt: Uint32Array | undefined): void {
    let position = 0;
    for (let i = 0; i < rounds + 2; i++) {
      let word = 0;
      for (let k = 0; k < 4; k++) {
        word = (word << 8) | (key[position] ?? 0);
        position = (position + 1) % key.length;
      }
      this.#words[i] = (this.#words[i] ?? 0) ^ word;
    }
    const block = new Uint32Array(2);
    for (let i = 0; i < this.#words.length; i += 2) {
      if (salt !== undefined) {
        block[0] = (block[0] ?? 0) ^ (salt[i % 4] ?? 0);
        block[1] = (block[1] ?? 0) ^ (salt[(i + 1) % 4] ?? 0);
      }
      this.encrypt(block, 0);
      this.#words[i] = block[0] ?? 0;
      this.#words[i + 1] = block[1] ?? 0;
    }
  }
}

const alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** bcrypt's own base64, without padding. */
function encode(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const group = (a << 16) | (b << 8) | c;
    const chars = Math.min(bytes.length - i, 3) + 1;
    for (let k = 0; k < chars; k++) out += alphabet[(group >> (18 - 6 * k)) & 63];
  }
  return out;
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4));
}

/** A bcrypt hash of cost 10: `$2a$10$…`. At most 72 bytes of password count. @param salt 16 bytes */
export function bcryptHash(password: Uint8Array, salt: Uint8Array, meter: Meter): string {
  const key = new Uint8Array(password.length + 1);
  key.set(password);
  const cipher = new Blowfish();
  cipher.expand(key, wordsOf(salt));
  for (let i = 0; i < 1 << cost; i++) {
    cipher.expand(key, undefined);
    cipher.expand(salt, undefined);
    meter.spend(512);
  }
  const text = wordsOf(new TextEncoder().encode("OrpheanBeholderScryDoubt"));
  for (let i = 0; i < 64; i++) for (let at = 0; at < text.length; at += 2) cipher.encrypt(text, at);
  const digest = new Uint8Array(24);
  const view = new DataView(digest.buffer);
  text.forEach((word, i) => {
    view.setUint32(i * 4, word);
  });
  return `$2a$${cost}$${encode(salt)}${encode(digest.subarray(0, 23))}`;
}

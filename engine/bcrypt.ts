/**
 * bcrypt, for charts' `htpasswd` and for the users of a registry.
 * @see https://www.usenix.org/legacy/events/usenix99/provos/provos.pdf
 */
import { timingSafeEqual } from "node:crypto";

const rounds = 16;

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

/** bcrypt's own base64 back to bytes; characters outside its alphabet count as zero. */
function decode(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, at = 0; at < length; i += 4) {
    let group = 0;
    for (let k = 0; k < 4; k++) group = (group << 6) | Math.max(0, alphabet.indexOf(text[i + k] ?? "."));
    for (let k = 0; k < 3 && at < length; k++) bytes[at++] = (group >> (16 - 8 * k)) & 255;
  }
  return bytes;
}

/**
 * Works out a bcrypt hash `$2a$NN$…`, step by step: each step is a thousandth of a second or so, for the caller to count or to let others
 * go first. At most 72 bytes of password count.
 *
 * @param salt 16 bytes
 * @param cost logarithm of the number of rounds, 4 to 31
 */
export function* bcryptSteps(password: Uint8Array, salt: Uint8Array, cost: number): Generator<void, string, undefined> {
  const key = new Uint8Array(password.length + 1);
  key.set(password);
  const cipher = new Blowfish();
  cipher.expand(key, wordsOf(salt));
  for (let i = 0; i < 2 ** cost; i++) {
    cipher.expand(key, undefined);
    cipher.expand(salt, undefined);
    yield;
  }
  const text = wordsOf(new TextEncoder().encode("OrpheanBeholderScryDoubt"));
  for (let i = 0; i < 64; i++) for (let at = 0; at < text.length; at += 2) cipher.encrypt(text, at);
  const digest = new Uint8Array(24);
  const view = new DataView(digest.buffer);
  text.forEach((word, i) => {
    view.setUint32(i * 4, word);
  });
  return `$2a$${String(cost).padStart(2, "0")}$${encode(salt)}${encode(digest.subarray(0, 23))}`;
}

/** The longest hash anybody waits for: half a minute or so. */
const highestCost = 16;
const hashPattern = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;

/** Whether a text is a bcrypt hash that `bcryptMatches` takes: of cost 4 to 16. */
export function isBcryptHash(text: string): boolean {
  const cost = Number(hashPattern.exec(text)?.[1]);
  return cost >= 4 && cost <= highestCost;
}

/** Whether a password has a hash, as `htpasswd -B` writes it; step by step, and in the same time whatever differs. */
export function* bcryptMatches(password: Uint8Array, hash: string): Generator<void, boolean, undefined> {
  const parsed = hashPattern.exec(hash);
  if (parsed === null || !isBcryptHash(hash)) return false;
  const [, cost = "", salt = "", digest = ""] = parsed;
  const made = yield* bcryptSteps(password, decode(salt, 16), Number(cost));
  return timingSafeEqual(Buffer.from(made.slice(-digest.length)), Buffer.from(digest));
}

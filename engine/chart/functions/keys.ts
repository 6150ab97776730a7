/**
 * Private keys made from given random bytes, so that the same seed gives the same key, in the PEM forms Go writes.
 */
import { checkPrimeSync, createECDH, createPrivateKey, type KeyObject } from "node:crypto";
import { GoError } from "../template/failure.ts";
import type { Meter } from "../template/meter.ts";
import { bits, integer, octets, oid, pem, readPem, sequence, tagged } from "./der.ts";

type RandomBytes = (count: number) => Uint8Array;

/** A key and the PEM text sprig gives for it. */
export interface PrivateKey {
  readonly key: KeyObject;
  readonly pem: string;
}

/** Odd primes to sieve with before the costly test. */
const smallPrimes: readonly number[] = (() => {
  const isComposite = new Uint8Array(20_000);
  const primes: number[] = [];
  for (let n = 3; n < isComposite.length; n += 2) {
    if (isComposite[n] === 1) continue;
    primes.push(n);
    for (let multiple = n * n; multiple < isComposite.length; multiple += 2 * n) isComposite[multiple] = 1;
  }
  return primes;
})();

/** Offsets from an odd number, in steps of 2, at which no small prime divides. */
function sieve(start: bigint, length: number): number[] {
  const struck = new Uint8Array(length);
  for (const prime of smallPrimes) {
    const residue = Number(start % BigInt(prime));
    // start + 2i is divisible where 2i = -residue, and the inverse of 2 is (prime + 1) / 2.
    let at = (((prime - residue) % prime) * ((prime + 1) / 2)) % prime;
    for (; at < length; at += prime) struck[at] = 1;
  }
  return Array.from(struck.keys()).filter((i) => struck[i] === 0);
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/**
 * Primes found before, by the number the search began at. A render with the same seed searches from the same numbers, and
 * finding a prime takes most of its time.
 */
const found = new Map<string, bigint>();
const mostFound = 64;

/** The first fitting prime at or above a random odd number whose two highest bits are set. */
function prime(bitLength: number, random: RandomBytes, meter: Meter, fits: (candidate: bigint) => boolean): bigint {
  for (;;) {
    const start = toBigInt(random(bitLength / 8)) | (3n << BigInt(bitLength - 2)) | 1n;
    const key = start.toString(36);
    const known = found.get(key);
    if (known !== undefined && fits(known)) return known;
    const candidate = firstPrime(start, meter, fits);
    if (candidate === undefined) continue;
    if (found.size >= mostFound) found.clear();
    found.set(key, candidate);
    return candidate;
  }
}

function firstPrime(start: bigint, meter: Meter, fits: (candidate: bigint) => boolean): bigint | undefined {
  for (const offset of sieve(start, 4096)) {
    meter.check();
    const candidate = start + 2n * BigInt(offset);
    if (fits(candidate) && checkPrimeSync(candidate)) return candidate;
  }
  return undefined;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b] = [value % modulus, modulus];
  let [x, y] = [1n, 0n];
  while (a > 1n) {
    const quotient = a / b;
    [a, b] = [b, a % b];
    [x, y] = [y, x - quotient * y];
  }
  return x < 0n ? x + modulus : x;
}

/** An RSA key of so many bits. */
export function rsaKey(bitLength: number, random: RandomBytes, meter: Meter): PrivateKey {
  const e = 65537n;
  const fits = (candidate: bigint): boolean => (candidate - 1n) % e !== 0n;
  const p = prime(bitLength / 2, random, meter, fits);
  const q = prime(bitLength / 2, random, meter, (candidate) => candidate !== p && fits(candidate));
  const d = inverse(e, (p - 1n) * (q - 1n));
  const numbers = [0n, p * q, e, d, p, q, d % (p - 1n), d % (q - 1n), inverse(q, p)];
  const encoded = sequence(...numbers.map(integer));
  return keyOf("RSA PRIVATE KEY", encoded);
}

/** A key on the curve P-256. */
export function ecKey(random: RandomBytes): PrivateKey {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const scalar = (toBigInt(random(40)) % (order - 1n)) + 1n;
  const secret = Buffer.from(scalar.toString(16).padStart(64, "0"), "hex");
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(secret);
  const encoded = sequence(
    integer(1n),
    octets(secret),
    tagged(0, oid("1.2.840.10045.3.1.7")),
    tagged(1, bits(curve.getPublicKey())),
  );
  return keyOf("EC PRIVATE KEY", encoded);
}

/** An Ed25519 key. */
export function ed25519Key(random: RandomBytes): PrivateKey {
  return keyOf("PRIVATE KEY", sequence(integer(0n), sequence(oid("1.3.101.112")), octets(octets(random(32)))));
}

/** A DSA key of 2048 and 256 bits; only its PEM is of use. */
export function dsaKeyPem(random: RandomBytes, meter: Meter): string {
  const q = prime(256, random, meter, () => true);
  const step = 2n * q;
  for (;;) {
    const start = toBigInt(random(256)) | (1n << 2047n);
    const first = start - (start % step) + 1n;
    for (let i = 0n; i < 4096n; i++) {
      meter.check();
      const p = first + i * step;
      if (smallPrimes.some((small) => p % BigInt(small) === 0n) || !checkPrimeSync(p)) continue;
      const g = power(2n, (p - 1n) / q, p);
      const x = (toBigInt(random(40)) % (q - 1n)) + 1n;
      return pem("DSA PRIVATE KEY", sequence(...[0n, p, q, g, power(g, x, p), x].map(integer)));
    }
  }
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let factor = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * factor) % modulus;
    factor = (factor * factor) % modulus;
  }
  return result;
}

function keyOf(type: string, encoded: Uint8Array): PrivateKey {
  const text = pem(type, encoded);
  return { key: createPrivateKey(text), pem: text };
}

/** Reads a private key a chart gave as PEM. @throws GoError with sprig's words */
export function readPrivateKey(text: string): PrivateKey {
  const block = readPem(text);
  if (block === undefined) throw new GoError("no PEM data in input");
  if (block.type !== "PRIVATE KEY" && !block.type.endsWith(" PRIVATE KEY")) {
    throw new GoError(`no private key data in PEM block of type ${block.type}`);
  }
  if (!/^(?:(?:RSA|EC|DSA) )?PRIVATE KEY$/.test(block.type)) {
    throw new GoError(`invalid private key type ${block.type.slice(0, -" PRIVATE KEY".length)}`);
  }
  try {
    return { key: createPrivateKey(pem(block.type, block.bytes)), pem: pem(block.type, block.bytes) };
  } catch (error) {
    const kind =
      block.type === "PRIVATE KEY"
        ? "decoding PEM as PKCS#8"
        : `parsing ${block.type.split(" ")[0]} private key from PEM`;
    throw new GoError(`${kind}: ${error instanceof Error ? error.message : "malformed"}`);
  }
}

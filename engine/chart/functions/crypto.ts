/** Sprig's hashes, passwords, encryption and random text. Random bytes come from the render, so a seed repeats them. */
import { createCipheriv, createDecipheriv, createHash, createHmac, scryptSync } from "node:crypto";
import { byteLength, bytesOf, textOf } from "../go/bytes.ts";
import { GoError } from "../template/failure.ts";
import { bcryptHash } from "./bcrypt.ts";
import { type FunctionHost, type FunctionTable, fn } from "./define.ts";
import { decodeBase64 } from "./encodings.ts";

const hash = (algorithm: string): ReturnType<typeof fn> => {
  return fn(["string"], ([text]) => createHash(algorithm).update(bytesOf(text)).digest("hex"));
};

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

/** Text of so many characters of an alphabet, without bias. */
function randomText(count: number, alphabet: string, host: FunctionHost): string {
  if (count < 0) return "";
  host.meter.room(count);
  const limit = 256 - (256 % alphabet.length);
  const chars: string[] = [];
  while (chars.length < count) {
    host.meter.spend(1);
    for (const byte of host.randomBytes(Math.min(count - chars.length, 4096))) {
      if (byte < limit) chars.push(alphabet[byte % alphabet.length] ?? "");
    }
  }
  return chars.join("");
}

const digits = "0123456789";
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
const random = (alphabet: string): ReturnType<typeof fn> => {
  return fn(["int"], ([count], host) => randomText(count, alphabet, host));
};

const alphaNumeric = letters + digits;

function uuid(host: FunctionHost): string {
  const bytes = Uint8Array.from(host.randomBytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function bcrypt(password: string, host: FunctionHost): string {
  if (byteLength(password) > 72) {
    return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes";
  }
  return bcryptHash(bytesOf(password), host.randomBytes(16), host.meter);
}

/** @see https://masterpassword.app/masterpassword-algorithm.pdf */
const passwordTemplates: Readonly<Record<string, readonly string[]>> = {
  maximum: ["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
  long: (
    "CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv " +
    "CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv " +
    "CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno"
  ).split(" "),
  medium: ["CvcnoCvc", "CvcCvcno"],
  short: ["Cvcn"],
  basic: ["aaanaaan", "aannaaan", "aaannaaa"],
  pin: ["nnnn"],
};

const passwordCharacters: Readonly<Record<string, string>> = {
  V: "AEIOU",
  C: "BCDFGHJKLMNPQRSTVWXYZ",
  v: "aeiou",
  c: "bcdfghjklmnpqrstvwxyz",
  A: "AEIOUBCDFGHJKLMNPQRSTVWXYZ",
  a: "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
  n: digits,
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
};

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function derivePassword(counter: number, type: string, password: string, user: string, site: string): string {
  const templates = Object.hasOwn(passwordTemplates, type) ? passwordTemplates[type] : undefined;
  if (templates === undefined) return `cannot find password template ${type}`;
  const scope = bytesOf("com.lyndir.masterpassword");
  const salt = Buffer.concat([scope, uint32(byteLength(user)), bytesOf(user)]);
  const key = scryptSync(bytesOf(password), salt, 64, { N: 32768, r: 8, p: 2, maxmem: 128 * 1024 * 1024 });
  const message = Buffer.concat([scope, uint32(byteLength(site)), bytesOf(site), uint32(counter)]);
  const seed = createHmac("sha256", key).update(message).digest();
  const template = templates[(seed[0] ?? 0) % templates.length] ?? "";
  return Array.from(template, (char, i) => {
    const characters = passwordCharacters[char] ?? "";
    return characters[(seed[i + 1] ?? 0) % characters.length];
  }).join("");
}

function aesKey(password: string): Uint8Array {
  const key = new Uint8Array(32);
  key.set(bytesOf(password).subarray(0, 32));
  return key;
}

function encrypt(password: string, plain: string, host: FunctionHost): string {
  if (plain === "") return "";
  const iv = host.randomBytes(16);
  const cipher = createCipheriv("aes-256-cbc", aesKey(password), iv);
  return Buffer.concat([iv, cipher.update(bytesOf(plain)), cipher.final()]).toString("base64");
}

function decrypt(password: string, encrypted: string): string {
  if (encrypted === "") return "";
  const bytes = decodeBase64(encrypted);
  if (typeof bytes === "number") throw new GoError(`illegal base64 data at input byte ${bytes}`);
  if (bytes.length < 16)
    throw new GoError(`runtime error: slice bounds out of range [:16] with capacity ${bytes.length}`);
  if (bytes.length % 16 !== 0) throw new GoError("crypto/cipher: input not full blocks");
  const decipher = createDecipheriv("aes-256-cbc", aesKey(password), bytes.subarray(0, 16));
  decipher.setAutoPadding(false);
  const plain = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]);
  const end = plain.length - (plain.at(-1) ?? 0);
  if (plain.length === 0) throw new GoError("runtime error: index out of range [-1]");
  if (end < 0) throw new GoError(`runtime error: slice bounds out of range [:${end}]`);
  return textOf(plain.subarray(0, end));
}

export const cryptoFunctions: FunctionTable = {
  sha1sum: hash("sha1"),
  sha256sum: hash("sha256"),
  sha512sum: hash("sha512"),
  adler32sum: fn(["string"], ([text]) => String(adler32(bytesOf(text)))),
  bcrypt: fn(["string"], ([password], host) => bcrypt(password, host)),
  htpasswd: fn(["string", "string"], ([user, password], host) => {
    return user.includes(":") ? `invalid username: ${user}` : `${user}:${bcrypt(password, host)}`;
  }),
  derivePassword: fn(["uint32", "string", "string", "string", "string"], ([counter, type, password, user, site]) => {
    return derivePassword(counter, type, password, user, site);
  }),
  encryptAES: fn(["string", "string"], ([password, plain], host) => encrypt(password, plain, host)),
  decryptAES: fn(["string", "string"], ([password, encrypted]) => decrypt(password, encrypted)),
  randBytes: fn(["int"], ([count], host) => {
    if (count < 0) throw new GoError("runtime error: makeslice: len out of range");
    host.meter.room(count);
    return Buffer.from(host.randomBytes(count)).toString("base64");
  }),
  randAlphaNum: random(alphaNumeric),
  randAlpha: random(letters),
  randNumeric: random(digits),
  randAscii: random(ascii),
  uuidv4: fn([], (_, host) => uuid(host)),
};

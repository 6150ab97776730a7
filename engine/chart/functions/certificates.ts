/** Sprig's certificate functions: X.509 made here, valid for the time and names asked for. */
import { createHash, createPublicKey, type KeyObject, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { textOf } from "../go/bytes.ts";
import { sprint } from "../go/format.ts";
import { Named, type Value } from "../go/value.ts";
import { GoError } from "../template/failure.ts";
import { type FunctionHost, type FunctionTable, fn } from "./define.ts";
import {
  bits,
  der,
  integer,
  nothing,
  octets,
  oid,
  pem,
  readDer,
  readPem,
  sequence,
  tagged,
  text,
  time,
} from "./der.ts";
import { decodeBase64 } from "./encodings.ts";
import { dsaKeyPem, ecKey, ed25519Key, type PrivateKey, readPrivateKey, rsaKey } from "./keys.ts";

interface Request {
  readonly commonName: string;
  readonly ips: readonly string[];
  readonly dnsNames: readonly string[];
  readonly days: number;
  readonly isAuthority: boolean;
}

/** Whose name and key sign a certificate. */
interface Issuer {
  readonly name: Uint8Array;
  readonly key: KeyObject;
  readonly keyId: Uint8Array | undefined;
}

function certificateValue(cert: string, key: string): Named {
  return new Named({
    goType: "sprig.certificate",
    kind: "struct",
    fields: new Map([
      ["Cert", cert],
      ["Key", key],
    ]),
  });
}

function nameOf(commonName: string): Uint8Array {
  return commonName === "" ? sequence() : sequence(der(0x31, sequence(oid("2.5.4.3"), text(commonName))));
}

function ipBytes(ip: string): Uint8Array {
  if (isIP(ip) === 4) return Uint8Array.from(ip.split("."), Number);
  const mapped = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(ip);
  const plain = mapped === null ? ip : `${mapped[1] + hexPair(mapped[2], mapped[3])}:${hexPair(mapped[4], mapped[5])}`;
  const [left = "", right] = plain.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const groups = [...head, ...new Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return Uint8Array.from(
    groups.flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 255];
    }),
  );
}

function hexPair(high: string | undefined, low: string | undefined): string {
  return ((Number(high) << 8) | Number(low)).toString(16);
}

/** Identifier and signing of the algorithm a key uses. */
function algorithmOf(key: KeyObject): { readonly id: Uint8Array; readonly hash: string | null } {
  switch (key.asymmetricKeyType) {
    case "ec":
      return { id: sequence(oid("1.2.840.10045.4.3.2")), hash: "sha256" };
    case "ed25519":
      return { id: sequence(oid("1.3.101.112")), hash: null };
    case "rsa":
      return { id: sequence(oid("1.2.840.113549.1.1.11"), nothing), hash: "sha256" };
    default:
      throw new GoError("error creating certificate: x509: only RSA, ECDSA and Ed25519 keys supported");
  }
}

function extension(id: string, isCritical: boolean, value: Uint8Array): Uint8Array {
  return sequence(oid(id), ...(isCritical ? [der(0x01, Uint8Array.of(255))] : []), octets(value));
}

function extensionsOf(request: Request, subjectKeyId: Uint8Array, issuerKeyId: Uint8Array | undefined): Uint8Array[] {
  const usage = request.isAuthority ? Uint8Array.of(2, 0b10100100) : Uint8Array.of(5, 0b10100000);
  const out = [
    extension("2.5.29.15", true, der(0x03, usage)),
    extension("2.5.29.37", false, sequence(oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2"))),
    extension("2.5.29.19", true, request.isAuthority ? sequence(der(0x01, Uint8Array.of(255))) : sequence()),
  ];
  if (request.isAuthority) out.push(extension("2.5.29.14", false, octets(subjectKeyId)));
  if (issuerKeyId !== undefined) out.push(extension("2.5.29.35", false, sequence(der(0x80, issuerKeyId))));
  const names = [
    ...request.dnsNames.map((name) => der(0x82, new TextEncoder().encode(name))),
    ...request.ips.map((ip) => der(0x87, ipBytes(ip))),
  ];
  if (names.length > 0) out.push(extension("2.5.29.17", request.commonName === "", sequence(...names)));
  return out;
}

function keyIdOf(publicKey: Uint8Array): Uint8Array {
  const parts = readDer(readDer(publicKey)?.[0]?.content ?? new Uint8Array()) ?? [];
  return createHash("sha256")
    .update((parts[1]?.content ?? new Uint8Array()).subarray(1))
    .digest()
    .subarray(0, 20);
}

function makeCertificate(request: Request, subject: PrivateKey, issuer: Issuer | undefined, host: FunctionHost): Named {
  const publicKey = createPublicKey(subject.key).export({ type: "spki", format: "der" });
  const subjectName = nameOf(request.commonName);
  const subjectKeyId = keyIdOf(publicKey);
  const signer = issuer ?? { name: subjectName, key: subject.key, keyId: undefined };
  const { id, hash } = algorithmOf(signer.key);
  const from = Number(host.now.nanoseconds / 1_000_000_000n) * 1000;
  const serial = BigInt(`0x${Buffer.from(host.randomBytes(16)).toString("hex")}`);
  const body = sequence(
    tagged(0, integer(2n)),
    integer(serial),
    id,
    signer.name,
    sequence(time(from), time(Math.min(from + request.days * 86_400_000, 253402300799000))),
    subjectName,
    publicKey,
    tagged(3, sequence(...extensionsOf(request, subjectKeyId, signer.keyId))),
  );
  const signature = sign(hash, body, signer.key);
  return certificateValue(pem("CERTIFICATE", sequence(body, id, bits(signature))), subject.pem);
}

/** The signing side of a certificate value. @throws GoError with sprig's words */
function issuerOf(authority: Named): Issuer {
  const certificate = String(authority.fields.get("Cert"));
  const block = readPem(certificate);
  if (block === undefined) throw new GoError("unable to decode certificate");
  const parsed = parseCertificate(block.bytes, "decodedSignerCert");
  const key = wrapError("error parsing private key", () => readPrivateKey(String(authority.fields.get("Key"))));
  const fields =
    readDer(readDer(readDer(block.bytes)?.[0]?.content ?? new Uint8Array())?.[0]?.content ?? new Uint8Array()) ?? [];
  // Subject is the sixth field of a version 3 certificate.
  const name = fields[5]?.bytes ?? nameOf("");
  const publicKey = parsed.publicKey.export({ type: "spki", format: "der" });
  return { name, key: key.key, keyId: keyIdOf(publicKey) };
}

function parseCertificate(bytes: Uint8Array, what: string): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(bytes));
  } catch {
    throw new GoError(`error parsing certificate: ${what}.Bytes: x509: malformed certificate`);
  }
}

function wrapError<T>(prefix: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof GoError ? new GoError(`${prefix}: ${error.message}`) : error;
  }
}

function texts(values: readonly Value[], problem: (value: Value) => string): string[] {
  return values.map((value) => {
    if (typeof value !== "string") throw new GoError(problem(value));
    return value;
  });
}

function request(commonName: string, ips: readonly Value[], names: readonly Value[], days: number): Request {
  const addresses = texts(ips, (ip) => `error parsing ip: ${sprint(ip)} is not a string`);
  const bad = addresses.find((ip) => isIP(ip) === 0 || ip.includes("%"));
  if (bad !== undefined) throw new GoError(`error parsing ip: ${bad}`);
  const dnsNames = texts(names, (name) => `error processing alternate dns name: ${sprint(name)} is not a string`);
  return { commonName, ips: addresses, dnsNames, days, isAuthority: false };
}

const newKey = (host: FunctionHost): PrivateKey => rsaKey(2048, host.randomBytes, host.meter);
const givenKey = (text_: string): PrivateKey => wrapError("parsing private key", () => readPrivateKey(text_));
const authority = (commonName: string, days: number): Request => {
  return { commonName, ips: [], dnsNames: [], days, isAuthority: true };
};

function privateKeyText(type: string, host: FunctionHost): string {
  switch (type) {
    case "":
    case "rsa":
      return rsaKey(4096, host.randomBytes, host.meter).pem;
    case "dsa":
      return dsaKeyPem(host.randomBytes, host.meter);
    case "ecdsa":
      return ecKey(host.randomBytes).pem;
    case "ed25519":
      return ed25519Key(host.randomBytes).pem;
    default:
      return `Unknown type ${type}`;
  }
}

function customCertificate(cert64: string, key64: string): Named {
  const cert = decodeBase64(cert64);
  if (typeof cert === "number") throw new GoError("unable to decode base64 certificate");
  const key = decodeBase64(key64);
  if (typeof key === "number") throw new GoError("unable to decode base64 private key");
  const block = readPem(textOf(cert));
  if (block === undefined) throw new GoError("unable to decode certificate");
  parseCertificate(block.bytes, "decodedCert");
  wrapError("error parsing private key", () => readPrivateKey(textOf(key)));
  return certificateValue(textOf(cert), textOf(key));
}

export const certificateFunctions: FunctionTable = {
  genPrivateKey: fn(["string"], ([type], host) => privateKeyText(type, host)),
  genCA: fn(["string", "int"], ([name, days], host) =>
    makeCertificate(authority(name, days), newKey(host), undefined, host),
  ),
  genCAWithKey: fn(["string", "int", "string"], ([name, days, key], host) => {
    return makeCertificate(authority(name, days), givenKey(key), undefined, host);
  }),
  genSelfSignedCert: fn(["string", "list", "list", "int"], ([name, ips, names, days], host) => {
    return makeCertificate(request(name, ips, names, days), newKey(host), undefined, host);
  }),
  genSelfSignedCertWithKey: fn(["string", "list", "list", "int", "string"], ([name, ips, names, days, key], host) => {
    return makeCertificate(request(name, ips, names, days), givenKey(key), undefined, host);
  }),
  genSignedCert: fn(["string", "list", "list", "int", "certificate"], ([name, ips, names, days, ca], host) => {
    return makeCertificate(request(name, ips, names, days), newKey(host), issuerOf(ca), host);
  }),
  genSignedCertWithKey: fn(
    ["string", "list", "list", "int", "certificate", "string"],
    ([name, ips, names, days, ca, key], host) => {
      return makeCertificate(request(name, ips, names, days), givenKey(key), issuerOf(ca), host);
    },
  ),
  buildCustomCert: fn(["string", "string"], ([cert, key]) => customCertificate(cert, key)),
};

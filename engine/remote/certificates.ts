/**
 * What a registry's TLS connection trusts and shows: the roots of Node and of the system, and the files under
 * `certs.d/<host[:port]>/`, laid out as docker and containers do: `*.crt` are CAs, `NAME.cert` with `NAME.key` is a client
 * certificate.
 *
 * @see https://docs.docker.com/engine/security/certificates/ and containers-certs.d(5)
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import * as tls from "node:tls";
import { EngineError } from "../errors.ts";

/** PEM texts for one registry. */
export interface Certificates {
  readonly authorities: readonly string[];
  readonly client?: { readonly certificate: string; readonly key: string };
}

/**
 * Reads the certificates of a registry from every `certs.d` given; a folder that does not exist adds nothing.
 *
 * @param directories `certs.d` folders in order of precedence: the first client certificate found is used, CAs add up
 * @param registry `host[:port]` as written in references
 * @throws EngineError CERTIFICATE_UNREADABLE when a file cannot be read, or a `.cert` has no `.key` beside it
 */
export async function readCertificates(directories: readonly string[], registry: string): Promise<Certificates> {
  const authorities: string[] = [];
  let client: Certificates["client"];
  for (const directory of directories) {
    for (const name of folderNames(registry)) {
      const found = await readFolder(path.join(directory, name));
      authorities.push(...found.authorities);
      client ??= found.client;
    }
  }
  return client === undefined ? { authorities } : { authorities, client };
}

/** A TLS context made once per registry, for parsing two hundred roots takes longer than a handshake. */
export function secureContext(certificates: Certificates): tls.SecureContext {
  const identity = certificates.client;
  return tls.createSecureContext({
    ca: [...trustedRoots(), ...certificates.authorities],
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
  });
}

let roots: readonly string[] | undefined;

/** Node's own roots and those installed on this system: what curl or a browser here would trust. */
function trustedRoots(): readonly string[] {
  roots ??= [...new Set([...tls.getCACertificates("default"), ...tls.getCACertificates("system")])];
  return roots;
}

/** The folder may carry the port, as references do; Windows cannot write a colon, so docker leaves it out there. */
function folderNames(registry: string): readonly string[] {
  const names = [registry];
  if (registry.endsWith(":443")) names.push(registry.slice(0, -4));
  if (process.platform === "win32" && registry.includes(":")) names.push(registry.replaceAll(":", ""));
  return names;
}

async function readFolder(folder: string): Promise<Certificates> {
  const names = await listFolder(folder);
  const authorities: string[] = [];
  for (const name of names.filter((each) => each.endsWith(".crt"))) {
    authorities.push(await readText(path.join(folder, name)));
  }
  const certificate = names.find((each) => each.endsWith(".cert"));
  if (certificate === undefined) return { authorities };
  const key = `${certificate.slice(0, -".cert".length)}.key`;
  if (!names.includes(key)) {
    throw new EngineError("CERTIFICATE_UNREADABLE", {
      path: path.join(folder, certificate),
      reason: `there is no ${key} beside it`,
    });
  }
  const client = {
    certificate: await readText(path.join(folder, certificate)),
    key: await readText(path.join(folder, key)),
  };
  return { authorities, client };
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw unreadable(folder, error);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

function isAbsent(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function unreadable(file: string, cause: unknown): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError("CERTIFICATE_UNREADABLE", { path: file, reason }, { cause });
}

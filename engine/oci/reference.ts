import { EngineError } from "../errors.ts";
import { type Digest, isDigest } from "./digest.ts";

/** An image reference, normalised: `nginx` has become host `docker.io`, repository `library/nginx`. */
export interface Reference {
  /** Host and optional port as written (`registry.example.com:5000`, `[::1]:5000`); `docker.io` for Docker Hub. */
  readonly host: string;
  /** The path below the host, lower case. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const hubHost = "docker.io";
const hostPattern =
  /^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?$/;
const ipv6HostPattern = /^\[(?:[a-fA-F0-9:]+)\](?::[0-9]+)?$/;
const componentPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const bareIdPattern = /^[a-f0-9]{64}$/;
const longestRepository = 255;

/**
 * Reads a reference as Docker and containerd do and normalises it; the tag is kept as given, none is added.
 * Throws `REFERENCE_INVALID` with the reason.
 * @see github.com/distribution/reference v0.6, grammar in reference.go and ParseNormalizedNamed in normalize.go
 */
export function parseReference(text: string): Reference {
  const fail = (reason: string): never => {
    throw new EngineError("REFERENCE_INVALID", { text: text.slice(0, 300), reason });
  };
  if (text === "") fail("it is empty");
  if (bareIdPattern.test(text)) fail("64 hexadecimal digits alone are an image id, not a name");
  const { name, tag, digest } = splitSuffixes(text, fail);
  const { host, repository } = splitHost(name);
  if (host !== hubHost && !hostPattern.test(host) && !ipv6HostPattern.test(host)) fail(`"${host}" is not a host name`);
  checkRepository(repository, fail);
  return {
    host,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The whole normalised form, `docker.io/library/nginx:1.25@sha256:…`: one text per reference, the key of names in the store. */
export function formatReference(reference: Reference): string {
  return `${reference.host}/${reference.repository}${suffixOf(reference)}`;
}

/** The short form people write, `nginx:1.25`, which `parseReference` reads back to the same reference. */
export function familiarReference(reference: Reference): string {
  const { host, repository } = reference;
  if (host !== hubHost) return formatReference(reference);
  const short = repository.startsWith("library/") ? repository.slice("library/".length) : repository;
  // Shortening must not produce something that reads as another reference (`docker.io/library/a/b`, `docker.io/localhost/x`).
  const sameAgain = splitHost(short);
  const unambiguous =
    sameAgain.host === hubHost &&
    sameAgain.repository === repository &&
    !bareIdPattern.test(short + suffixOf(reference));
  return `${unambiguous ? short : `${host}/${repository}`}${suffixOf(reference)}`;
}

/** Adds `:latest` where there is neither tag nor digest, as pulling and running do. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

function suffixOf(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return tag + digest;
}

function splitSuffixes(text: string, fail: (reason: string) => never): { name: string; tag?: string; digest?: Digest } {
  let name = text;
  let digest: Digest | undefined;
  const at = name.indexOf("@");
  if (at !== -1) {
    const written = name.slice(at + 1);
    if (!isDigest(written)) return fail(`"${written}" after @ is not a digest`);
    digest = written;
    name = name.slice(0, at);
  }
  let tag: string | undefined;
  const colon = name.lastIndexOf(":");
  if (colon > name.lastIndexOf("/") && !(name.endsWith("]") && name.startsWith("["))) {
    tag = name.slice(colon + 1);
    if (!tagPattern.test(tag)) fail(`"${tag}" is not a tag: at most 128 letters, digits, "_", "." and "-"`);
    name = name.slice(0, colon);
  }
  return { name, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The first part is a host only when it looks like one: a dot, a colon, an upper-case letter, or `localhost`. */
function splitHost(name: string): { host: string; repository: string } {
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const isHost = slash !== -1 && (/[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first);
  const host = isHost ? first : hubHost;
  const rest = isHost ? name.slice(slash + 1) : name;
  if (host !== hubHost && host !== "index.docker.io") return { host, repository: rest };
  return { host: hubHost, repository: rest.includes("/") ? rest : `library/${rest}` };
}

function checkRepository(repository: string, fail: (reason: string) => never): void {
  if (repository.toLowerCase() !== repository) fail("the repository must be lower case");
  if (repository.length > longestRepository) fail(`the repository is longer than ${longestRepository} characters`);
  const wrong = repository.split("/").find((component) => !componentPattern.test(component));
  if (wrong === undefined) return;
  if (wrong === "") fail("a part of the path is empty");
  fail(`"${wrong}" is not a valid part of a path: letters and digits, separated by ".", "_", "__" or "-"`);
}

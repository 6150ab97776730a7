/**
 * Writing blobs to a repository: mounted from a neighbour when it is there, else streamed in one go, in chunks where a registry
 * takes no large requests, and continued after a break from what the registry kept.
 *
 * @see distribution-spec v1.1, "Pushing Blobs"
 */
import { EngineError, isEngineError } from "../errors.ts";
import { type Digest, Digester } from "../oci/digest.ts";
import { headBlob } from "./blobs.ts";
import type { RegistryClient, RegistryRequest } from "./client.ts";
import type { BlobContent } from "./content.ts";
import { type Answer, headerText, resolveLocation } from "./exchange.ts";
import { Perseverance } from "./perseverance.ts";
import type { RemoteRepository } from "./repository.ts";
import { toPull, toPush } from "./scope.ts";

/** How a blob came to be in the repository. */
export interface Uploaded {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly how: "mounted" | "uploaded";
}

/** What may shape an upload. */
export interface UploadOptions {
  /** Repositories of the same registry that may have this blob; tried in order. */
  readonly mount?: { readonly digest: Digest; readonly sizeBytes: number; readonly from: readonly string[] };
  /** Told of bytes as they are taken; negative when a broken upload has to give some back. */
  readonly onSent: (bytes: number) => void;
}

/** Registries hash and move a finished blob before they answer. */
const finishTimeoutMs = 15 * 60_000;
/** Up to here a blob travels with the request that ends its upload. */
const smallBytes = 1024 * 1024;
/** Size of chunks where a registry or a proxy before it refuses one large request. */
const chunkBytes = 8 * 1024 * 1024;
const largestChunkBytes = 64 * 1024 * 1024;

/**
 * Uploads a blob. Whether the repository has it already is for the caller to ask first.
 *
 * @throws EngineError REMOTE_INTERRUPTED when the connection keeps breaking without progress, and other REMOTE_ codes
 */
export async function uploadBlob(
  client: RegistryClient,
  where: RemoteRepository,
  content: BlobContent,
  options: UploadOptions,
  signal: AbortSignal,
): Promise<Uploaded> {
  const session = await openSession(client, where, options.mount, signal);
  const known = content.known;
  if (session.kind === "mounted") return { ...session.blob, how: "mounted" };
  if (known !== undefined && known.sizeBytes <= smallBytes) {
    const bytes = await collect(content.open(0, signal));
    await finish(client, where, session.location, known.digest, bytes, signal);
    options.onSent(bytes.byteLength);
    return { ...known, how: "uploaded" };
  }
  const sent = await new Upload(client, where, content, options.onSent).run(session, signal);
  return { ...sent, how: "uploaded" };
}

/** An upload a registry has opened. */
interface Session {
  readonly kind: "open";
  readonly location: URL;
  /** The least a chunk must have, where the registry says. */
  readonly leastChunkBytes: number;
}

interface Mounted {
  readonly kind: "mounted";
  readonly blob: { readonly digest: Digest; readonly sizeBytes: number };
}

/** Mounts the blob, or opens an upload. */
async function openSession(
  client: RegistryClient,
  where: RemoteRepository,
  mount: UploadOptions["mount"],
  signal: AbortSignal,
): Promise<Session | Mounted> {
  for (const from of mount?.from ?? []) {
    const answer = mount === undefined ? undefined : await askMount(client, where, mount.digest, from, signal);
    if (answer?.status === 201 && mount !== undefined) {
      return { kind: "mounted", blob: { digest: mount.digest, sizeBytes: mount.sizeBytes } };
    }
    if (answer !== undefined) return sessionOf(client, where, answer);
  }
  return sessionOf(client, where, await start(client, where, "", [toPush(where.repository)], signal));
}

/** Some registries answer a mount they cannot do with an error instead of an ordinary upload: then we simply upload. */
async function askMount(
  client: RegistryClient,
  where: RemoteRepository,
  digest: string,
  from: string,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const query = `?${new URLSearchParams({ mount: digest, from })}`;
  try {
    return await start(client, where, query, [toPush(where.repository), toPull(from)], signal);
  } catch (error) {
    const codes = ["REMOTE_UNAUTHORIZED", "REMOTE_DENIED", "REMOTE_NOT_FOUND", "REMOTE_REFUSED"] as const;
    if (codes.some((code) => isEngineError(error, code))) return undefined;
    throw error;
  }
}

async function start(
  client: RegistryClient,
  where: RemoteRepository,
  query: string,
  scopes: RegistryRequest["scopes"],
  signal: AbortSignal,
): Promise<Answer> {
  const request = uploadRequest(where, "POST", `${where.repository}/blobs/uploads/${query}`);
  const answer = await client.request(
    { ...request, scopes, headers: { "content-length": "0" }, accept: query === "" ? [202] : [201, 202] },
    signal,
  );
  await answer.discard();
  return answer;
}

function sessionOf(client: RegistryClient, where: RemoteRepository, answer: Answer): Session {
  const least = Number(headerText(answer, "oci-chunk-min-length") ?? 0);
  return {
    kind: "open",
    location: locationOf(client, where, answer, answer.url),
    leastChunkBytes: Number.isSafeInteger(least) ? Math.min(least, largestChunkBytes) : 0,
  };
}

/** Ends an upload: the registry checks the digest. With `bytes` they travel along. */
async function finish(
  client: RegistryClient,
  where: RemoteRepository,
  location: URL,
  digest: Digest,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const target = new URL(location);
  // Added to the text, not through `searchParams`: a location's query is signed by some registries and must stay as it is.
  target.search = `${target.search === "" ? "?" : `${target.search}&`}digest=${encodeURIComponent(digest)}`;
  const request: RegistryRequest = {
    ...uploadRequest(where, "PUT", target),
    headers: { "content-type": "application/octet-stream" },
    body: { kind: "bytes", bytes },
    accept: [201, 204],
    answerTimeoutMs: finishTimeoutMs,
  };
  try {
    await (await client.request(request, signal)).discard();
  } catch (error) {
    // When only the answer to an earlier try was lost, the session is gone because the blob is there.
    if (!isEngineError(error, "REMOTE_NOT_FOUND") && !isEngineError(error, "REMOTE_REFUSED")) throw error;
    if ((await headBlob(client, where, digest, signal)) === undefined) throw error;
  }
}

/** One blob on its way through as many requests as it takes. */
class Upload {
  readonly #client: RegistryClient;
  readonly #where: RemoteRepository;
  readonly #content: BlobContent;
  readonly #onSent: (bytes: number) => void;
  readonly #perseverance: Perseverance;
  /** Hashes each byte the first time it is read; what is read again after a break is not counted twice. */
  readonly #digester = new Digester();
  /** Bytes the registry has told us it keeps. */
  #kept = 0;
  #reported = 0;
  #whole: { digest: Digest; sizeBytes: number } | undefined;
  #chunked = false;

  constructor(client: RegistryClient, where: RemoteRepository, content: BlobContent, onSent: (bytes: number) => void) {
    this.#client = client;
    this.#where = where;
    this.#content = content;
    this.#onSent = onSent;
    this.#perseverance = new Perseverance(client.options.retryDelaysMs);
  }

  async run(opened: Session, signal: AbortSignal): Promise<{ digest: Digest; sizeBytes: number }> {
    let session: Session | undefined = opened;
    for (;;) {
      signal.throwIfAborted();
      session ??= await this.#open(signal);
      try {
        const location = await this.#send(session, signal);
        const sent = this.#sent();
        await finish(this.#client, this.#where, location, sent.digest, new Uint8Array(), signal);
        return sent;
      } catch (error) {
        signal.throwIfAborted();
        session = await this.#recover(session, error, signal);
      }
    }
  }

  #send(session: Session, signal: AbortSignal): Promise<URL> {
    const all = this.#whole?.sizeBytes ?? this.#content.known?.sizeBytes;
    if (all !== undefined && this.#kept === all) return Promise.resolve(session.location);
    return this.#chunked ? this.#sendChunks(session, signal) : this.#sendRest(session, signal);
  }

  /** What was sent, known at the latest when all has been read once. */
  #sent(): { digest: Digest; sizeBytes: number } {
    this.#whole ??= this.#content.known ?? {
      digest: this.#digester.finish(),
      sizeBytes: this.#digester.sizeBytes,
    };
    return this.#whole;
  }

  async #open(signal: AbortSignal): Promise<Session> {
    const answer = await start(this.#client, this.#where, "", [toPush(this.#where.repository)], signal);
    return sessionOf(this.#client, this.#where, answer);
  }

  /** All that is missing in one request, as it is read. */
  async #sendRest(session: Session, signal: AbortSignal): Promise<URL> {
    const { known } = this.#content;
    const answer = await this.#client.request(
      {
        ...uploadRequest(this.#where, "PATCH", session.location),
        headers: { "content-type": "application/octet-stream" },
        body: {
          kind: "stream",
          content: this.#read(this.#kept, signal),
          ...(known === undefined ? {} : { sizeBytes: known.sizeBytes - this.#kept }),
        },
        accept: [201, 202, 204],
        answerTimeoutMs: finishTimeoutMs,
      },
      signal,
    );
    await answer.discard();
    return locationOf(this.#client, this.#where, answer, session.location);
  }

  async #sendChunks(session: Session, signal: AbortSignal): Promise<URL> {
    let { location } = session;
    const least = Math.max(chunkBytes, session.leastChunkBytes);
    for await (const chunk of inChunks(this.#read(this.#kept, signal), least)) {
      const range = `${this.#kept}-${this.#kept + chunk.byteLength - 1}`;
      const answer = await this.#client.request(
        {
          ...uploadRequest(this.#where, "PATCH", location),
          headers: { "content-type": "application/octet-stream", "content-range": range },
          body: { kind: "bytes", bytes: chunk },
          accept: [201, 202, 204],
        },
        signal,
      );
      await answer.discard();
      location = locationOf(this.#client, this.#where, answer, location);
      this.#kept += chunk.byteLength;
      this.#perseverance.advanced(chunk.byteLength);
    }
    return location;
  }

  async *#read(offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let position = offset;
    for await (const chunk of this.#content.open(offset, signal)) {
      const fresh = position + chunk.byteLength - this.#digester.sizeBytes;
      if (this.#content.known === undefined && this.#whole === undefined && fresh > 0)
        this.#digester.update(chunk.subarray(-fresh));
      position += chunk.byteLength;
      yield chunk;
      this.#report(position);
    }
  }

  #report(position: number): void {
    this.#onSent(position - this.#reported);
    this.#reported = position;
  }

  /** Finds out what the registry kept and returns the session to go on with, or undefined to begin a new one. Throws what is final. */
  async #recover(session: Session, error: unknown, signal: AbortSignal): Promise<Session | undefined> {
    if (isTooLargeRequest(error) && !this.#chunked) {
      this.#chunked = true;
      return this.#restart();
    }
    const lost =
      isEngineError(error, "REMOTE_NOT_FOUND") || isEngineError(error, "REMOTE_UNAUTHORIZED") || isRange(error);
    await this.#perseverance.afterFailure(lost ? this.#interrupted(error) : error, signal);
    const status = await this.#askStatus(session, signal);
    if (status === undefined || status.kept === 0) return this.#restart();
    this.#perseverance.advanced(Math.max(0, status.kept - this.#kept));
    this.#kept = status.kept;
    this.#report(status.kept);
    return { ...session, location: status.location };
  }

  #restart(): undefined {
    this.#kept = 0;
    this.#report(0);
    return undefined;
  }

  /** A session that is gone, or a token that ran out in the middle, is as good as a broken connection: the schedule bounds it. */
  #interrupted(cause: unknown): EngineError {
    const reason = cause instanceof EngineError ? `the upload was not accepted (${cause.code})` : "it broke";
    return new EngineError(
      "REMOTE_INTERRUPTED",
      { what: this.#where.what, registry: this.#where.host, reason },
      { cause },
    );
  }

  async #askStatus(session: Session, signal: AbortSignal): Promise<{ kept: number; location: URL } | undefined> {
    try {
      const answer = await this.#client.request(
        { ...uploadRequest(this.#where, "GET", session.location), accept: [204, 202, 200] },
        signal,
      );
      await answer.discard();
      // "0-0" is both one byte and none in the field: it is taken for none, which starts over.
      const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(headerText(answer, "range") ?? "")?.[1] ?? 0);
      const size = this.#content.known?.sizeBytes ?? this.#digester.sizeBytes;
      const kept = last === 0 || last + 1 > size ? 0 : last + 1;
      return { kept, location: locationOf(this.#client, this.#where, answer, session.location) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof EngineError) return undefined;
      throw error;
    }
  }
}

/** 413: the registry, or a proxy before it, takes no request this large. */
function isTooLargeRequest(error: unknown): boolean {
  return isEngineError(error, "REMOTE_REFUSED") && error.facts.status === 413;
}

/** 416, and what docker-registry says instead: the registry and we count differently. */
function isRange(error: unknown): boolean {
  if (!isEngineError(error, "REMOTE_REFUSED")) return false;
  return error.facts.status === 416 || error.facts.code.startsWith("BLOB_UPLOAD_");
}

function uploadRequest(
  where: RemoteRepository,
  method: "POST" | "PATCH" | "PUT" | "GET",
  target: string | URL,
): Pick<RegistryRequest, "what" | "registry" | "method" | "target" | "scopes"> {
  const { what, host: registry, repository } = where;
  return { what, registry, method, target, scopes: [toPush(repository)] };
}

function locationOf(client: RegistryClient, where: RemoteRepository, answer: Answer, otherwise: URL): URL {
  const location = headerText(answer, "location");
  if (location === undefined) {
    if (otherwise !== answer.url) return otherwise;
    const reason = "it opened an upload without saying where";
    throw new EngineError("REMOTE_PROTOCOL", { what: where.what, registry: where.host, reason });
  }
  const asked = { what: where.what, registry: where.host };
  return resolveLocation(location, answer.url, asked, client.options.insecureRegistries);
}

async function collect(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** Joins pieces into chunks of at least this size; only the last is shorter. */
async function* inChunks(content: AsyncIterable<Uint8Array>, leastBytes: number): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of content) {
    parts.push(Buffer.from(part));
    length += part.byteLength;
    if (length < leastBytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(parts);
}

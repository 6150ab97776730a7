/**
 * One blob from a registry into the store: fetched once however many ask, continued where an earlier try stopped, also one
 * of another process, and visible only when it is whole and right.
 */
import { EngineError, isEngineError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestOf, isDigest } from "../oci/digest.ts";
import type { BlobWriter, Lease, Store } from "../store/contract.ts";
import { checkDigest, downloadBlob } from "./blobs.ts";
import type { RegistryClient } from "./client.ts";
import type { RemoteRepository } from "./repository.ts";

const recordKind = "partial-download";
/** Less than this is not worth keeping: fetching it again takes as long as finding it. */
const worthKeepingBytes = 1024 * 1024;
/** What arrives is gathered into writes of this size. */
const writeBytes = 512 * 1024;

/** What a fetch takes part in. */
export interface FetchContext {
  readonly client: RegistryClient;
  readonly store: Store;
  /** Holds the blob from before it is visible. */
  readonly lease: Lease;
  /** Told of bytes as they arrive. */
  readonly onMoved: (bytes: number) => void;
}

/**
 * Brings a blob into the store and pins it.
 *
 * @returns whether it was there already
 * @throws EngineError REMOTE_ codes; REMOTE_DIGEST_MISMATCH when the registry sent something else; what the store throws
 */
export async function fetchBlob(
  context: FetchContext,
  where: RemoteRepository,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<"present" | "fetched"> {
  const { store, lease } = context;
  const { digest } = descriptor;
  if ((await lease.pin(digest, signal)) !== undefined) return "present";
  const embedded = embeddedBytes(descriptor);
  if (embedded !== undefined) {
    await lease.putBytes(embedded, digestAlgorithm(digest));
    return "fetched";
  }
  await using _lock = await store.lock(`download ${digest}`, signal);
  if ((await lease.pin(digest, signal)) !== undefined) return "present";
  if (descriptor.size <= worthKeepingBytes || digestAlgorithm(digest) !== "sha256") {
    await fetchWhole(context, where, descriptor, signal);
  } else {
    await fetchResumed(context, where, descriptor, signal);
  }
  return "fetched";
}

/** A descriptor may carry its content; it counts only when it is what the digest says. */
function embeddedBytes(descriptor: Descriptor): Uint8Array | undefined {
  if (descriptor.data === undefined) return undefined;
  const bytes = Buffer.from(descriptor.data, "base64");
  const right =
    bytes.byteLength === descriptor.size && digestOf(bytes, digestAlgorithm(descriptor.digest)) === descriptor.digest;
  return right ? bytes : undefined;
}

async function fetchWhole(
  context: FetchContext,
  where: RemoteRepository,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  const { digest, size } = descriptor;
  await using writer = context.lease.createBlob({ digest, sizeBytes: size });
  await receive(context, where, descriptor, writer, signal);
  try {
    await writer.commit();
  } catch (error) {
    if (!isEngineError(error, "BLOB_MISMATCH")) throw error;
    const facts = { what: where.what, registry: where.host, expected: digest, actual: error.facts.found };
    throw new EngineError("REMOTE_DIGEST_MISMATCH", facts, { cause: error });
  }
}

async function fetchResumed(
  context: FetchContext,
  where: RemoteRepository,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  const { store, lease } = context;
  const { digest } = descriptor;
  // Not tied to the digest: what has come when the line breaks is kept under its own name, for the next try.
  await using writer = lease.createBlob();
  await takeKept(context, descriptor, writer, signal);
  try {
    await receive(context, where, descriptor, writer, signal);
  } catch (error) {
    if (isWorthGoingOn(error, signal)) await keep(context, digest, writer);
    throw error;
  }
  const stat = await writer.commit();
  store.removeRecord(recordKind, digest);
  checkDigest(where, digest, stat.digest);
}

/** A break or a cancel leaves good bytes; any other error says that this source cannot be trusted or has nothing. */
function isWorthGoingOn(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (error instanceof EngineError && error.retryable);
}

async function keep(context: FetchContext, digest: Digest, writer: BlobWriter): Promise<void> {
  if (writer.sizeBytes < worthKeepingBytes) return;
  const part = await writer.commit();
  const payload = Buffer.from(part.digest, "utf8");
  context.store.writeRecord({ kind: recordKind, key: digest, refs: [part.digest], payload });
}

/** Copies what an earlier try left into the writer, which hashes it on the way. */
async function takeKept(
  context: FetchContext,
  descriptor: Descriptor,
  writer: BlobWriter,
  signal: AbortSignal,
): Promise<void> {
  const { store, lease } = context;
  const payload = store.readRecord(recordKind, descriptor.digest)?.payload;
  const part = payload === undefined ? "" : Buffer.from(payload).toString("utf8");
  if (!isDigest(part)) return;
  const stat = await lease.pin(part, signal);
  if (stat === undefined || stat.sizeBytes > descriptor.size) return;
  for await (const chunk of store.read(part, {}, signal)) await writer.write(chunk);
}

/** Writes what is missing. A write and the next bytes of the network overlap. */
async function receive(
  context: FetchContext,
  where: RemoteRepository,
  descriptor: Descriptor,
  writer: BlobWriter,
  signal: AbortSignal,
): Promise<void> {
  let gathered: Uint8Array[] = [];
  let length = 0;
  let writing: Promise<void> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await writing;
    const bytes = gathered.length === 1 && gathered[0] !== undefined ? gathered[0] : Buffer.concat(gathered);
    gathered = [];
    length = 0;
    writing = writer.write(bytes);
    // Met at the next flush; until then it must not count as unhandled.
    writing.catch(() => undefined);
  };
  const download = downloadBlob(context.client, where, descriptor, writer.sizeBytes, signal);
  try {
    for await (const chunk of download) {
      gathered.push(chunk);
      length += chunk.byteLength;
      context.onMoved(chunk.byteLength);
      if (length >= writeBytes) await flush();
    }
  } finally {
    if (length > 0) await flush();
    await writing;
  }
}

/**
 * Reading blobs of a repository. A download that breaks goes on where it stopped, on a new connection.
 *
 * @see distribution-spec v1.1, "Pulling blobs"
 */
import { EngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, Digester, digestAlgorithm } from "../oci/digest.ts";
import type { RegistryClient } from "./client.ts";
import { type Answer, headerText } from "./exchange.ts";
import { Perseverance } from "./perseverance.ts";
import type { RemoteRepository } from "./repository.ts";
import { toPull } from "./scope.ts";

/** The size of a blob in bytes, or undefined when the repository does not have it; NaN when the registry does not say. */
export async function headBlob(
  client: RegistryClient,
  where: RemoteRepository,
  digest: Digest,
  signal: AbortSignal,
): Promise<number | undefined> {
  const answer = await client.request({ ...blobRequest(where, "HEAD", digest), accept: [200, 404] }, signal);
  await answer.discard();
  if (answer.status === 404) return undefined;
  return Number(headerText(answer, "content-length") ?? Number.NaN);
}

/**
 * The bytes of a blob from an offset to its end, across as many connections as it takes. Size and digest are for the caller
 * to check, who has seen what came before; see `readBlob`.
 *
 * @throws EngineError REMOTE_INTERRUPTED when the connection keeps breaking without progress, REMOTE_NOT_FOUND,
 *   REMOTE_TOO_LARGE when more comes than the descriptor says, and other REMOTE_ codes
 */
export async function* downloadBlob(
  client: RegistryClient,
  where: RemoteRepository,
  descriptor: Descriptor,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const perseverance = new Perseverance(client.options.retryDelaysMs);
  let position = offset;
  while (position < descriptor.size) {
    signal.throwIfAborted();
    try {
      for await (const chunk of await openBlob(client, where, descriptor, position, signal)) {
        position += chunk.byteLength;
        if (position > descriptor.size) throw tooLarge(where, descriptor);
        perseverance.advanced(chunk.byteLength);
        yield chunk;
      }
      if (position < descriptor.size) throw endedEarly(where, position, descriptor.size);
    } catch (error) {
      signal.throwIfAborted();
      await perseverance.afterFailure(error, signal);
    }
  }
}

/**
 * The whole content of a blob, digest and size checked: the last step of the loop throws when it was not what was asked for.
 *
 * @throws EngineError REMOTE_DIGEST_MISMATCH, and what `downloadBlob` throws
 */
export async function* readBlob(
  client: RegistryClient,
  where: RemoteRepository,
  descriptor: Descriptor,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const digester = new Digester(digestAlgorithm(descriptor.digest));
  for await (const chunk of downloadBlob(client, where, descriptor, 0, signal)) {
    digester.update(chunk);
    yield chunk;
  }
  checkDigest(where, descriptor.digest, digester.finish());
}

/** A small blob whole, such as a configuration; REMOTE_TOO_LARGE above 4 MiB. */
export async function readSmallBlob(
  client: RegistryClient,
  where: RemoteRepository,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (descriptor.size > maxManifestBytes) throw tooLarge(where, { size: maxManifestBytes });
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBlob(client, where, descriptor, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Throws REMOTE_DIGEST_MISMATCH unless the bytes are those that were asked for. */
export function checkDigest(where: RemoteRepository, expected: Digest, actual: Digest): void {
  if (actual === expected) return;
  throw new EngineError("REMOTE_DIGEST_MISMATCH", { what: where.what, registry: where.host, expected, actual });
}

/** The body from `position` on, also from a registry that knows no ranges and sends everything again. */
async function openBlob(
  client: RegistryClient,
  where: RemoteRepository,
  descriptor: Descriptor,
  position: number,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const headers: Record<string, string> = position === 0 ? {} : { range: `bytes=${position}-${descriptor.size - 1}` };
  const request = {
    ...blobRequest(where, "GET", descriptor.digest),
    headers,
    accept: position === 0 ? [200] : [200, 206],
  };
  const answer = await client.request(request, signal);
  if (answer.status === 206) return await fromRange(answer, where, position);
  return position === 0 ? answer.body : skip(answer.body, position);
}

async function fromRange(
  answer: Answer,
  where: RemoteRepository,
  position: number,
): Promise<AsyncIterable<Uint8Array>> {
  const range = headerText(answer, "content-range") ?? "";
  if (Number(/^bytes (\d+)-/.exec(range)?.[1] ?? Number.NaN) === position) return answer.body;
  await answer.discard();
  const reason = `asked for bytes from ${position} it answers with the range "${range.slice(0, 60)}"`;
  throw new EngineError("REMOTE_PROTOCOL", { what: where.what, registry: where.host, reason });
}

async function* skip(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of body) {
    if (left < chunk.byteLength) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.byteLength);
  }
}

function blobRequest<Method extends "GET" | "HEAD">(where: RemoteRepository, method: Method, digest: Digest) {
  const { what, host: registry, repository } = where;
  return { what, registry, method, target: `${repository}/blobs/${digest}`, scopes: [toPull(repository)] };
}

function tooLarge(where: RemoteRepository, descriptor: { readonly size: number }): EngineError {
  const facts = { what: where.what, registry: where.host, limitBytes: descriptor.size };
  return new EngineError("REMOTE_TOO_LARGE", facts);
}

function endedEarly(where: RemoteRepository, position: number, size: number): EngineError {
  const reason = `the data ended after ${position} of ${size} bytes`;
  return new EngineError("REMOTE_INTERRUPTED", { what: where.what, registry: where.host, reason });
}

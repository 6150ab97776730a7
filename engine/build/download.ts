import { EngineError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { isDigest } from "../oci/digest.ts";
import type { BuildWorkshop, Workshop } from "./workshop.ts";

/** Kind of the records of downloaded files. */
const downloadKind = "download";
/** Larger files are not fetched into an image by mistake. */
const largestDownload = 8 * 1024 ** 3;
const downloadTimeoutMs = 30 * 60_000;

interface Download {
  readonly digest: Digest;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** What a URL gave the last time, if the store still has it. */
export function knownDownload(shop: Workshop, url: string): Download | undefined {
  const record = shop.store.readRecord(downloadKind, url);
  if (record === undefined) return undefined;
  const { digest, etag, lastModified } = JSON.parse(Buffer.from(record.payload).toString("utf8")) as Record<
    string,
    unknown
  >;
  if (typeof digest !== "string" || !isDigest(digest) || shop.store.stat(digest) === undefined) return undefined;
  return {
    digest,
    etag: typeof etag === "string" ? etag : undefined,
    lastModified: typeof lastModified === "string" ? lastModified : undefined,
  };
}

/**
 * Fetches a file of ADD or APP into the store, pinned by the build. With `checksum` nothing is asked of the network when the store has it;
 * otherwise the server is asked whether its file is still the same. When the server cannot be reached, the file of last time is used, with
 * a warning. Throws `DOWNLOAD_FAILED`, `DOWNLOAD_TOO_LARGE`, `BLOB_MISMATCH`.
 */
export async function download(shop: BuildWorkshop, url: string, checksum: string | undefined): Promise<Digest> {
  const expected = checksumOf(url, checksum);
  if (expected !== undefined && (await shop.lease.pin(expected, shop.signal)) !== undefined) return expected;
  const known = knownDownload(shop, url);
  const usable =
    known !== undefined && (await shop.lease.pin(known.digest, shop.signal)) !== undefined ? known : undefined;
  const response = await request(shop, url, expected === undefined ? usable : undefined);
  if (response === undefined) return usable?.digest ?? failed(url, "it cannot be reached");
  if (response.status === 304 && usable !== undefined) return usable.digest;
  if (!response.ok || response.body === null) return failed(url, `the server answered ${response.status}`);
  const digest = await receive(shop, url, response.body, expected);
  const memory = {
    digest,
    etag: response.headers.get("etag") ?? undefined,
    lastModified: response.headers.get("last-modified") ?? undefined,
  };
  shop.store.writeRecord({
    kind: downloadKind,
    key: url,
    refs: [digest],
    payload: Buffer.from(JSON.stringify(memory), "utf8"),
  });
  return digest;
}

function checksumOf(url: string, checksum: string | undefined): Digest | undefined {
  if (checksum === undefined) return undefined;
  return isDigest(checksum) ? checksum : failed(url, `--checksum=${checksum} is not a digest such as sha256:…`);
}

function failed(url: string, reason: string): never {
  throw new EngineError("DOWNLOAD_FAILED", { url: shownUrl(url), reason });
}

/** A URL without what could be secret in it: user, password, query. */
function shownUrl(url: string): string {
  try {
    const { origin, pathname } = new URL(url);
    return `${origin}${pathname}`;
  } catch {
    return "the URL";
  }
}

/** The answer, or undefined when the server cannot be reached and the file of last time will do. */
async function request(shop: BuildWorkshop, url: string, known: Download | undefined): Promise<Response | undefined> {
  const headers = new Headers();
  if (known?.etag !== undefined) headers.set("if-none-match", known.etag);
  else if (known?.lastModified !== undefined) headers.set("if-modified-since", known.lastModified);
  try {
    const signal = AbortSignal.any([shop.signal, AbortSignal.timeout(downloadTimeoutMs)]);
    return await shop.fetch(url, { headers, redirect: "follow", signal });
  } catch (cause) {
    if (shop.signal.aborted) throw new EngineError("CANCELLED", { what: `Fetching ${shownUrl(url)}` });
    if (known === undefined)
      throw new EngineError("DOWNLOAD_FAILED", { url: shownUrl(url), reason: reasonOf(cause) }, { cause });
    shop.reporter.warning(
      undefined,
      `${shownUrl(url)} cannot be reached (${reasonOf(cause)}): the file of last time is used.`,
    );
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && "code" in cause) return String(cause.code);
  return error instanceof Error ? error.message : String(error);
}

async function receive(
  shop: BuildWorkshop,
  url: string,
  body: ReadableStream<Uint8Array>,
  expected: Digest | undefined,
): Promise<Digest> {
  await using writer = shop.lease.createBlob(expected === undefined ? undefined : { digest: expected });
  try {
    for await (const chunk of body) {
      await writer.write(chunk);
      if (writer.sizeBytes > largestDownload)
        throw new EngineError("DOWNLOAD_TOO_LARGE", { url: shownUrl(url), limitBytes: largestDownload });
    }
  } catch (cause) {
    if (shop.signal.aborted) throw new EngineError("CANCELLED", { what: `Fetching ${shownUrl(url)}` });
    if (cause instanceof EngineError) throw cause;
    throw new EngineError("DOWNLOAD_FAILED", { url: shownUrl(url), reason: reasonOf(cause) }, { cause });
  }
  return (await writer.commit()).digest;
}

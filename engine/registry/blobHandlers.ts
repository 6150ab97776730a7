import { isDigest } from "../oci/digest.ts";
import { type Answer, empty, refuse } from "./answer.ts";
import { parseRange } from "./byteRange.ts";
import type { RepositoryName, WritableContent } from "./content.ts";
import type { RegistryRequest } from "./request.ts";

/** `GET` and `HEAD` of a blob, whole or in part. */
export async function getBlob(
  content: WritableContent,
  name: RepositoryName,
  digest: string,
  request: RegistryRequest,
): Promise<Answer> {
  if (!isDigest(digest)) return refuse("DIGEST_INVALID", `${digest} is not a digest.`, { status: 404 });
  const blob = await content.blob(name, digest, request.signal);
  if (blob === undefined) return refuse("BLOB_UNKNOWN", `${name.path} has no blob ${digest}.`);
  const shared = {
    "Docker-Content-Digest": digest,
    ETag: `"${digest}"`,
    "Accept-Ranges": "bytes",
    "Content-Type": "application/octet-stream",
    "Cache-Control": "max-age=31536000, immutable",
  };
  if (request.headers["if-none-match"] === `"${digest}"`) {
    await blob.close();
    return { status: 304, headers: shared };
  }
  const range = parseRange(request.headers.range, blob.sizeBytes);
  if (range.kind === "unsatisfiable") {
    await blob.close();
    return refuse("SIZE_INVALID", `The blob has ${blob.sizeBytes} bytes; the range asked for lies outside.`, {
      status: 416,
      headers: { "Content-Range": `bytes */${blob.sizeBytes}` },
    });
  }
  const [start, end] = range.kind === "part" ? [range.start, range.end] : [0, blob.sizeBytes];
  const headers = {
    ...shared,
    "Content-Length": String(end - start),
    ...(range.kind === "part" ? { "Content-Range": `bytes ${start}-${end - 1}/${blob.sizeBytes}` } : {}),
  };
  return { status: range.kind === "part" ? 206 : 200, headers, body: { blob, start, end } };
}

/** `DELETE` of a blob: the repository no longer has it; other repositories keep theirs. */
export async function deleteBlob(
  content: WritableContent,
  name: RepositoryName,
  digest: string,
  request: RegistryRequest,
): Promise<Answer> {
  if (!isDigest(digest)) return refuse("DIGEST_INVALID", `${digest} is not a digest.`);
  const found = await content.deleteBlob(name, digest, request.signal);
  return found ? empty(202) : refuse("BLOB_UNKNOWN", `${name.path} has no blob ${digest}.`);
}

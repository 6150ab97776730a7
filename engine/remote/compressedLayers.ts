/** What layers of this store become when they are compressed, remembered so that a second push asks instead of compressing. */
import { type Digest, isDigest } from "../oci/digest.ts";
import type { Store } from "../store/contract.ts";
import { type Compression, compressionKey } from "./compression.ts";

const kind = "compressed-layer";

/** The blob a layer was compressed to. */
export interface CompressedLayer {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** What is remembered of a layer, or undefined. */
export function readCompressed(store: Store, diffId: Digest, compression: Compression): CompressedLayer | undefined {
  const payload = store.readRecord(kind, keyOf(diffId, compression))?.payload;
  const [digest = "", size = ""] = payload === undefined ? [] : Buffer.from(payload).toString("utf8").split(" ");
  if (!isDigest(digest) || !/^\d{1,15}$/.test(size)) return undefined;
  return { digest, sizeBytes: Number(size) };
}

/** Remembers it for as long as the store has the layer. */
export function rememberCompressed(
  store: Store,
  diffId: Digest,
  compression: Compression,
  { digest, sizeBytes }: CompressedLayer,
): void {
  const payload = Buffer.from(`${digest} ${sizeBytes}`, "utf8");
  store.writeRecord({ kind, key: keyOf(diffId, compression), refs: [], keptWith: diffId, payload });
}

function keyOf(diffId: Digest, compression: Compression): string {
  return `${diffId} ${compressionKey(compression)}`;
}

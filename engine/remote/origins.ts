/** Where blobs of this store were seen, so that a push can have them mounted from there instead of sending them. */
import type { Digest } from "../oci/digest.ts";
import type { Store } from "../store/contract.ts";

const kind = "blob-origin";
/** More neighbours than these are not worth a question each. */
const mostRepositories = 4;

/** Repositories of a registry in which a blob was seen, the latest first. */
export function originsOf(store: Store, host: string, digest: Digest): readonly string[] {
  const payload = store.readRecord(kind, keyOf(host, digest))?.payload;
  if (payload === undefined) return [];
  return Buffer.from(payload)
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "");
}

/** Remembers that a repository has a blob. `keptWith` is the blob of this store the memory lives as long as. */
export function rememberOrigin(store: Store, host: string, repository: string, digest: Digest, keptWith: Digest): void {
  const known = originsOf(store, host, digest);
  if (known[0] === repository) return;
  const repositories = [repository, ...known.filter((each) => each !== repository)].slice(0, mostRepositories);
  const payload = Buffer.from(`${repositories.join("\n")}\n`, "utf8");
  store.writeRecord({ kind, key: keyOf(host, digest), refs: [], keptWith, payload });
}

function keyOf(host: string, digest: Digest): string {
  return `${host} ${digest}`;
}

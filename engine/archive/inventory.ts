/** What a store has, to carry to another place: digests and nothing else. A delta made for it leaves these out. */
import { EngineError, isEngineError } from "../errors.ts";
import { compareBytewise } from "../oci/canonicalJson.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import type { Store } from "../store/contract.ts";
import { collectParts } from "./imageParts.ts";

const heading = "# kubefile inventory 1";

/**
 * Every blob the named images of a store need and have, sorted. What no name needs is left out: a prune may take it before the delta
 * arrives. Throws `CANCELLED`, `DOCUMENT_INVALID` and what reading the store throws.
 */
export async function inventoryOf(store: Store, signal: AbortSignal): Promise<readonly Digest[]> {
  const found = new Set<Digest>();
  for (const { target } of store.list()) {
    if (signal.aborted) throw new EngineError("CANCELLED", { what: "taking inventory" }, { cause: signal.reason });
    try {
      const { parts } = await collectParts(store, target, signal);
      for (const { digest } of parts) if (store.stat(digest) !== undefined) found.add(digest);
    } catch (error) {
      // An image that is damaged is not there for anybody.
      if (!isEngineError(error, "BLOB_MISSING") && !isEngineError(error, "BLOB_CORRUPT")) throw error;
    }
  }
  return [...found].sort(compareBytewise);
}

/** A line for each digest. */
export function formatInventory(digests: readonly Digest[]): string {
  return `${[heading, ...digests].join("\n")}\n`;
}

/** Reads an inventory; throws `INVENTORY_INVALID` with the line. Blank lines and lines that start with `#` are passed over. */
export function parseInventory(text: string, file: string): ReadonlySet<Digest> {
  const lines = text.split("\n").map((line) => line.trim());
  if (lines[0] !== heading) {
    throw new EngineError("INVENTORY_INVALID", { path: file, line: 1, problem: `it does not start with "${heading}"` });
  }
  const digests = new Set<Digest>();
  for (const [i, line] of lines.entries()) {
    if (line === "" || line.startsWith("#")) continue;
    if (!isDigest(line)) {
      throw new EngineError("INVENTORY_INVALID", { path: file, line: i + 1, problem: "this is not a digest" });
    }
    digests.add(line);
  }
  return digests;
}

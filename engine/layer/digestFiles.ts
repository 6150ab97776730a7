import { EngineError } from "../errors.ts";
import { faultError } from "./assemble.ts";
import type { LayerContent } from "./layerEntry.ts";
import { type Filled, type Readers, slabSize } from "./readers.ts";
import { digestSize, identityColumns } from "./readFiles.ts";

type LayerFile = Extract<LayerContent, { from: "file" }>;

/**
 * Reads files to know what is in them: their SHA-256 digests, 32 bytes each, in order.
 * Throws `CONTEXT_CHANGED`, `CONTEXT_UNREADABLE`, `CANCELLED`.
 */
export async function digestFiles(
  files: readonly LayerFile[],
  readers: Readers,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const digests = new Uint8Array(files.length * digestSize);
  const free: Uint8Array<ArrayBuffer>[] = [];
  const underway = new Set<Promise<void>>();
  for (const rows of batches(files)) {
    if (signal.aborted) break;
    const slab = free.pop() ?? new Uint8Array(slabSize);
    const task = digestRows(files, rows, slab, readers, signal)
      .then((done) => {
        for (const [index, row] of rows.entries()) {
          digests.set(done.digests.subarray(index * digestSize, (index + 1) * digestSize), row * digestSize);
        }
        free.push(done.slab);
      })
      .finally(() => underway.delete(task));
    underway.add(task);
    if (underway.size >= readers.depth) await Promise.race(underway);
  }
  await Promise.all(underway);
  if (signal.aborted) throw new EngineError("CANCELLED", { what: "Reading the build context" });
  return digests;
}

/** Rows that fit one slab together; a bigger file alone. */
function* batches(files: readonly LayerFile[]): Generator<readonly number[], void, undefined> {
  let rows: number[] = [];
  let used = 0;
  for (const [row, file] of files.entries()) {
    if (rows.length > 0 && used + file.identity.size > slabSize) {
      yield rows;
      rows = [];
      used = 0;
    }
    rows.push(row);
    used += file.identity.size;
  }
  if (rows.length > 0) yield rows;
}

async function digestRows(
  files: readonly LayerFile[],
  rows: readonly number[],
  slab: Uint8Array<ArrayBuffer>,
  readers: Readers,
  signal: AbortSignal,
): Promise<{ readonly digests: Uint8Array; readonly slab: Uint8Array<ArrayBuffer> }> {
  const chosen = rows.flatMap((row) => files[row] ?? []);
  const [first] = chosen;
  if (first !== undefined && first.identity.size > slabSize) return digestBig(first, slab, readers, signal);
  const sizes = Float64Array.from(chosen, (file) => file.identity.size);
  const at = new Float64Array(sizes.length);
  for (let index = 1; index < sizes.length; index++) at[index] = (at[index - 1] ?? 0) + (sizes[index - 1] ?? 0);
  const identities = identityColumns(chosen.map((file) => file.identity));
  return digestsOf(await readers.files({ paths: chosen.map((file) => file.path), at, sizes, identities }, slab));
}

async function digestBig(
  file: LayerFile,
  slab: Uint8Array<ArrayBuffer>,
  readers: Readers,
  signal: AbortSignal,
): Promise<{ readonly digests: Uint8Array; readonly slab: Uint8Array<ArrayBuffer> }> {
  using stream = readers.stream(file.path, file.identity);
  let current = { digests: new Uint8Array(0) as Uint8Array, slab };
  for (let at = 0; at < file.identity.size && !signal.aborted; at += slabSize) {
    const length = Math.min(slabSize, file.identity.size - at);
    current = digestsOf(await stream.next(current.slab, 0, length, at + length === file.identity.size));
  }
  return current;
}

function digestsOf({ slab, result }: Filled): { digests: Uint8Array; slab: Uint8Array<ArrayBuffer> } {
  if ("fault" in result) throw faultError(result.fault);
  return { digests: result.digests, slab };
}

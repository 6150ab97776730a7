import { mkdirSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type ByteString, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { readTar, type TarMember } from "../tar/read.ts";
import type { Owner } from "./attributes.ts";
import { LayerWriter, type LayerWriterOptions } from "./layerWriter.ts";

export interface ApplyOptions {
  /** The directory written to, made when missing. Nobody else may change it meanwhile. */
  readonly root: string;
  /** Whether files get the owner the layer states, and devices are made: both take root. */
  readonly setOwners: boolean;
  readonly signal: AbortSignal;
}

export interface AppliedLayer {
  /** Entries of the layer, deletions included. */
  readonly entries: number;
  /** Bytes of content written. */
  readonly contentBytes: number;
  /** Sentences about what could not be made as the layer says. */
  readonly warnings: readonly string[];
  /** With `setOwners: false`: entries that are not root's, by path, and who should own them. */
  readonly unsetOwners: ReadonlyMap<ByteString, Owner>;
}

/**
 * Applies a layer to a tree: its files come in, its whiteouts take files of layers below away. All of `tar` is read, to its last byte,
 * so whoever counts or hashes it in passing has seen all of it.
 *
 * Nothing outside the root is read or written. Throws `LAYER_INVALID`, `PATH_ESCAPES_ROOT` and `TAR_INVALID` for what no layer may
 * say, `LAYER_UNPACK_FAILED` when the disk refuses, `CANCELLED`; the tree is then half done and to be thrown away.
 * @see OCI image-spec v1.1 layer.md, "Applying Changesets"
 */
export function applyLayer(tar: AsyncIterable<Uint8Array>, options: ApplyOptions): Promise<AppliedLayer> {
  return write(tar, { ...options, lowerDirs: undefined }, options.signal);
}

/**
 * Unpacks a layer into a directory of its own, to be put over `lowerDirs` (topmost first) with overlayfs: seen through that the tree is
 * what `applyLayer` would have made. Deletions stand there as character devices 0:0. Errors as for `applyLayer`.
 * @see Linux Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories"
 */
export function unpackLayer(
  tar: AsyncIterable<Uint8Array>,
  options: ApplyOptions & {
    readonly lowerDirs: readonly string[];
    /** With `setOwners: false`: who should own a path of the layers below. */
    readonly ownerBelow?: (path: ByteString) => Owner | undefined;
  },
): Promise<AppliedLayer> {
  return write(tar, options, options.signal);
}

/** After so many bytes or entries others get a turn: file calls here do not wait. */
const turnBytes = 4 * 1024 * 1024;
const entryCost = 16 * 1024;

async function write(
  tar: AsyncIterable<Uint8Array>,
  options: LayerWriterOptions,
  signal: AbortSignal,
): Promise<AppliedLayer> {
  const whole = tar[Symbol.asyncIterator]();
  let entries = 0;
  let contentBytes = 0;
  let sinceTurn = 0;
  const writer = new LayerWriter(options);
  try {
    mkdirSync(options.root, { recursive: true });
    writer.begin();
    for await (const member of readTar(withoutEnd(whole))) {
      throwIfCancelled(signal);
      await putMember(writer, member, signal);
      entries += 1;
      contentBytes += member.entry.size;
      sinceTurn += member.entry.size + entryCost;
      if (sinceTurn > turnBytes) {
        sinceTurn = 0;
        await nextTurn();
      }
    }
    for (let next = await whole.next(); next.done !== true; next = await whole.next()) throwIfCancelled(signal);
    await writer.finish(signal);
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  } finally {
    await whole.return?.();
  }
  return { entries, contentBytes, warnings: [...writer.warnings], unsetOwners: writer.unsetOwners };
}

async function putMember(writer: LayerWriter, member: TarMember, signal: AbortSignal): Promise<void> {
  try {
    await writer.put(member, signal);
  } catch (cause) {
    if (!(cause instanceof Error && "errno" in cause && "code" in cause)) throw cause;
    const path = textOfBytes(member.entry.path).slice(0, 300);
    const reason = `${String(cause.code)} (${"syscall" in cause ? String(cause.syscall) : "?"})`;
    throw new EngineError("LAYER_UNPACK_FAILED", { path, reason }, { cause });
  }
}

/** The reader stops at the end mark of the archive; what follows it still has to be counted. */
function withoutEnd(source: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => source.next() }) };
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new EngineError("CANCELLED", { what: "unpacking a layer" }, { cause: signal.reason });
}

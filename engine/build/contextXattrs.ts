import { type ByteString, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import type { Xattrs } from "../layer/xattrs.ts";
import { type ContextEntry, hostPath } from "../plan/context.ts";
import type { ContextSource } from "../plan/copyLayout.ts";
import type { Workshop } from "./workshop.ts";

const none: Xattrs = new Map();

/**
 * Learns the extended attributes (capabilities, ACLs, `user.*`) of everything that is copied and not known from its fingerprint. Setting
 * one changes a file's change time, so what is unchanged need not be asked. Linux only: elsewhere they mean other things.
 */
export async function knowXattrs(shop: Workshop, sources: readonly ContextSource[]): Promise<void> {
  if (process.platform !== "linux") return;
  const unknown = sources.flatMap(({ items }) =>
    items.flatMap(({ item }) => (hasXattrs(item) && shop.contextMemory.xattrs(item) === undefined ? [item] : [])),
  );
  if (unknown.length === 0) return;
  // Most builds change nothing: what starts programs is loaded when one is needed.
  const { isLayerXattr, readXattrsOf } = await import("../layer/xattrs.ts");
  const root = textOfBytes(hostPath(shop.context, "" as ByteString)) || "/";
  const paths = unknown.map(({ path }) => path);
  const found = await readXattrsOf(root, paths, shop.signal).catch((cause: unknown) => {
    if (shop.signal.aborted) throw new EngineError("CANCELLED", { what: "Reading the build context" });
    throw cause;
  });
  for (const entry of unknown) shop.contextMemory.learnXattrs(entry, forLayer(found?.get(entry.path), isLayerXattr));
}

/** What `knowXattrs` learnt, or what the fingerprint says. */
export function xattrsOf(shop: Workshop, entry: ContextEntry): Xattrs {
  return hasXattrs(entry) ? (shop.contextMemory.xattrs(entry) ?? none) : none;
}

function hasXattrs({ kind }: ContextEntry): boolean {
  return kind === "file" || kind === "directory";
}

function forLayer(xattrs: Xattrs | undefined, isLayerXattr: (name: string) => boolean): Xattrs {
  if (xattrs === undefined) return none;
  return new Map([...xattrs].filter(([name]) => isLayerXattr(name)));
}

import { type ByteString, compareBytes, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import type { LayerEntry } from "../layer/layerEntry.ts";
import type { LayerShape, TreeShape } from "../layer/treeShape.ts";
import { isWhiteoutName } from "../layer/whiteout.ts";
import { type BuildContext, type ContextEntry, deviceNumbers, hostPath } from "../plan/context.ts";
import type { CopyLayout } from "../plan/copyLayout.ts";
import { tarEntry } from "../tar/entry.ts";

/** Owner and mode that a COPY gives, and the clamp of times. */
export interface CopyAttributes {
  /** Undefined keeps what the source says. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Replaces the modes of what is copied, symlinks excepted. */
  readonly mode: number | undefined;
  /** Seconds since the epoch: newer times become this. */
  readonly sourceDateEpoch: number | undefined;
}

/** Something to copy before it has its place: a member of the layer with any path. */
export interface CopyItem {
  readonly entry: LayerEntry;
  /** What it is in the context, when it comes from there. */
  readonly source: ContextEntry | undefined;
  /** Same text for names of the same file; the first becomes the file, the others hard links. */
  readonly inode: string | undefined;
  /** SHA-256 of its content, when whoever made it knows. */
  readonly digest?: Uint8Array;
}

/** A member of the layer. */
export type CopyMember = Omit<CopyItem, "inode">;

const noContent = { from: "nothing" } as const;

/** An entry of the context as something to copy; undefined for a socket, which no archive can hold. */
export function itemFromContext(context: BuildContext, source: ContextEntry): CopyItem | undefined {
  if (source.kind === "socket") return undefined;
  const isFile = source.kind === "file";
  const device = source.device === 0 ? { major: 0, minor: 0 } : deviceNumbers(source.device);
  const { dev, ino, size, mtimeNs, ctimeNs } = source;
  const entry: LayerEntry = {
    ...tarEntry(source.kind, source.path),
    mode: source.kind === "symlink" ? 0o777 : source.mode,
    uid: source.uid,
    gid: source.gid,
    size,
    mtimeSeconds: Number(mtimeNs / 1_000_000_000n),
    linkTarget: source.linkTarget,
    deviceMajor: device.major,
    deviceMinor: device.minor,
    content: isFile
      ? { from: "file", path: hostPath(context, source.path), identity: { dev, ino, size, mtimeNs, ctimeNs } }
      : noContent,
  };
  return { entry, source, inode: isFile && source.names > 1 ? `${dev}:${ino}` : undefined };
}

/**
 * The members of a COPY's layer, bytewise by path: what was laid out, the parents the image below lacks, hard links among what is copied.
 * Paths go where links of the image below lead.
 */
export function copyMembers(
  layout: CopyLayout<CopyItem>,
  destination: ByteString,
  shape: TreeShape,
  attributes: CopyAttributes,
): readonly CopyMember[] {
  const members = new Map<ByteString, CopyMember>();
  const firstNames = new Map<string, ByteString>();
  for (const { item, target } of layout.placed) {
    const path = placeThroughLinks(shape, target, item.entry.kind === "directory");
    if (path === "") continue;
    if (isWhiteoutName(path)) throw new EngineError("COPY_NAME_RESERVED", { path: textOfBytes(path) });
    members.set(path, memberAt(item, path, firstNames, attributes));
  }
  if (layout.isDirectory) addDirectory(members, shape, destination, attributes);
  for (const path of [...members.keys()]) addParents(members, shape, path, attributes);
  return [...members.values()].sort((a, b) => compareBytes(a.entry.path, b.entry.path));
}

function memberAt(
  { entry, source, inode, ...known }: CopyItem,
  path: ByteString,
  firstNames: Map<string, ByteString>,
  { owner, mode, sourceDateEpoch }: CopyAttributes,
): CopyMember {
  const first = inode === undefined ? undefined : firstNames.get(inode);
  if (inode !== undefined && first === undefined) firstNames.set(inode, path);
  const placed: LayerEntry = {
    ...entry,
    path,
    mode: entry.kind === "symlink" ? entry.mode : (mode ?? entry.mode),
    uid: owner?.uid ?? entry.uid,
    gid: owner?.gid ?? entry.gid,
    mtimeSeconds: sourceDateEpoch === undefined ? entry.mtimeSeconds : Math.min(entry.mtimeSeconds, sourceDateEpoch),
    mtimeNanoseconds: 0,
  };
  if (first === undefined) return { entry: placed, source, ...known };
  return { entry: { ...placed, kind: "hardLink", size: 0, linkTarget: first, content: noContent }, source };
}

/** What the members do to the tree below. */
export function shapeOfMembers(members: readonly CopyMember[]): LayerShape {
  const directories: ByteString[] = [];
  const links: { path: ByteString; target: ByteString }[] = [];
  for (const { entry } of members) {
    if (entry.kind === "directory") directories.push(entry.path);
    else if (entry.kind === "symlink") links.push({ path: entry.path, target: entry.linkTarget });
  }
  return { directories, links, deleted: [], opaque: [] };
}

/** Parents lead through links; a directory copied onto a link to a directory is written into it, as `cp` does. */
function placeThroughLinks(shape: TreeShape, target: ByteString, isDirectory: boolean): ByteString {
  if (!shape.hasLinks) return target;
  if (isDirectory) {
    const resolved = shape.resolve(target);
    return shape.isDirectory(resolved) ? resolved : target;
  }
  const slash = target.lastIndexOf("/");
  if (slash < 0) return target;
  const parent = shape.resolve(target.slice(0, slash) as ByteString);
  return (parent === "" ? target.slice(slash + 1) : `${parent}/${target.slice(slash + 1)}`) as ByteString;
}

/** A directory that no source gave: root's or as `--chown` says, 0755; its time is the epoch's. */
export function impliedDirectory(path: ByteString, attributes: Omit<CopyAttributes, "mode">): LayerEntry {
  return {
    ...tarEntry("directory", path),
    uid: attributes.owner?.uid ?? 0,
    gid: attributes.owner?.gid ?? 0,
    mtimeSeconds: attributes.sourceDateEpoch ?? 0,
    content: noContent,
  };
}

function addDirectory(
  members: Map<ByteString, CopyMember>,
  shape: TreeShape,
  path: ByteString,
  attributes: CopyAttributes,
): void {
  if (path === "" || members.has(path) || shape.isDirectory(path)) return;
  members.set(path, { entry: impliedDirectory(path, attributes), source: undefined });
}

function addParents(
  members: Map<ByteString, CopyMember>,
  shape: TreeShape,
  path: ByteString,
  attributes: CopyAttributes,
): void {
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
    const parent = path.slice(0, slash) as ByteString;
    if (members.has(parent)) return;
    addDirectory(members, shape, parent, attributes);
  }
}

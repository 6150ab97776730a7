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
  /** Extended attributes of something in the context. */
  readonly xattrsOf: (source: ContextEntry) => ReadonlyMap<ByteString, Uint8Array>;
}

/** Something to copy that is not a file of the context, before it has its place: a member of the layer with any path. */
export interface MadeItem {
  readonly entry: LayerEntry;
  /** Same text for names of the same file; the first becomes the file, the others hard links. */
  readonly inode: string | undefined;
  /** SHA-256 of its content, when whoever made it knows. */
  readonly digest?: Uint8Array;
}

/** Something to copy: of the context as it is, or made. */
export type CopyItem = ContextEntry | MadeItem;

/** A member of the layer. */
export interface CopyMember {
  readonly entry: LayerEntry;
  /** What it is in the context, when it comes from there. */
  readonly source: ContextEntry | undefined;
  /** SHA-256 of its content, when it is known without reading. */
  readonly digest: Uint8Array | undefined;
}

const noContent = { from: "nothing" } as const;

/**
 * The members of a COPY's layer, bytewise by path: what was laid out, the parents the image below lacks, hard links among what is copied.
 * Paths go where links of the image below lead.
 */
export function copyMembers(
  context: BuildContext,
  layout: CopyLayout<CopyItem>,
  destination: ByteString,
  shape: TreeShape,
  attributes: CopyAttributes,
): readonly CopyMember[] {
  const members = new Map<ByteString, CopyMember>();
  const firstNames = new Map<string, ByteString>();
  for (const { item, target } of layout.placed) {
    const kind = "entry" in item ? item.entry.kind : item.kind;
    // No archive can hold a socket.
    if (kind === "socket") continue;
    const path = placeThroughLinks(shape, target, kind === "directory");
    if (path === "") continue;
    if (path.includes(".wh.") && isWhiteoutName(path))
      throw new EngineError("COPY_NAME_RESERVED", { path: textOfBytes(path) });
    const member =
      "entry" in item ? madeMember(item, path, attributes) : contextMember(context, item, path, attributes);
    members.set(path, asHardLink(member, inodeOf(item), firstNames));
  }
  if (layout.isDirectory) addDirectory(members, shape, destination, attributes);
  addAllParents(members, shape, attributes);
  return [...members.values()].sort((a, b) => compareBytes(a.entry.path, b.entry.path));
}

function inodeOf(item: CopyItem): string | undefined {
  if ("entry" in item) return item.inode;
  return item.names > 1 && item.kind === "file" ? `${item.dev}:${item.ino}` : undefined;
}

/** The first name of a file stays a file; further ones become links to it. */
function asHardLink(member: CopyMember, inode: string | undefined, firstNames: Map<string, ByteString>): CopyMember {
  if (inode === undefined) return member;
  const first = firstNames.get(inode);
  if (first === undefined) {
    firstNames.set(inode, member.entry.path);
    return member;
  }
  const entry: LayerEntry = { ...member.entry, kind: "hardLink", size: 0, linkTarget: first, content: noContent };
  return { entry, source: member.source, digest: undefined };
}

/** Made in one piece: a context may have hundreds of thousands of these. */
function contextMember(
  context: BuildContext,
  source: ContextEntry,
  path: ByteString,
  { owner, mode, sourceDateEpoch, xattrsOf }: CopyAttributes,
): CopyMember {
  const { kind } = source;
  const device = source.device === 0 ? noDevice : deviceNumbers(source.device);
  const entry: LayerEntry = {
    kind: kind === "socket" ? "file" : kind,
    path,
    mode: kind === "symlink" ? 0o777 : (mode ?? source.mode),
    uid: owner?.uid ?? source.uid,
    gid: owner?.gid ?? source.gid,
    size: source.size,
    mtimeSeconds: clamp(Number(source.mtimeNs / 1_000_000_000n), sourceDateEpoch),
    mtimeNanoseconds: 0,
    linkTarget: source.linkTarget,
    deviceMajor: device.major,
    deviceMinor: device.minor,
    xattrs: xattrsOf(source),
    content: kind === "file" ? { from: "file", path: hostPath(context, source.path), identity: source } : noContent,
  };
  return { entry, source, digest: undefined };
}

const noDevice = { major: 0, minor: 0 } as const;

function madeMember(item: MadeItem, path: ByteString, { owner, mode, sourceDateEpoch }: CopyAttributes): CopyMember {
  const { entry } = item;
  const placed: LayerEntry = {
    ...entry,
    path,
    mode: entry.kind === "symlink" ? entry.mode : (mode ?? entry.mode),
    uid: owner?.uid ?? entry.uid,
    gid: owner?.gid ?? entry.gid,
    mtimeSeconds: clamp(entry.mtimeSeconds, sourceDateEpoch),
    mtimeNanoseconds: 0,
  };
  return { entry: placed, source: undefined, digest: item.digest };
}

function clamp(seconds: number, epoch: number | undefined): number {
  return epoch === undefined ? seconds : Math.min(seconds, epoch);
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
export function impliedDirectory(
  path: ByteString,
  attributes: Pick<CopyAttributes, "owner" | "sourceDateEpoch">,
): LayerEntry {
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
  members.set(path, { entry: impliedDirectory(path, attributes), source: undefined, digest: undefined });
}

function addAllParents(members: Map<ByteString, CopyMember>, shape: TreeShape, attributes: CopyAttributes): void {
  // Neighbours mostly share their parent.
  let done = "";
  for (const path of [...members.keys()]) {
    const slash = path.lastIndexOf("/");
    if (slash <= 0 || (slash === done.length && path.startsWith(done))) continue;
    done = path.slice(0, slash);
    for (let end = slash; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const parent = path.slice(0, end) as ByteString;
      if (members.has(parent)) break;
      addDirectory(members, shape, parent, attributes);
    }
  }
}

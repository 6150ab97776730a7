import type { ByteString } from "../byteString.ts";
import { decompress } from "../layer/decompress.ts";
import type { LayerContent } from "../layer/layerEntry.ts";
import { joinPath, memberPath, parentPath, resolvePath, type TreeNode, type TreeView } from "../layer/safePath.ts";
import { readWhiteout } from "../layer/whiteout.ts";
import { type TarEntry, tarEntry } from "../tar/entry.ts";
import { readTar } from "../tar/read.ts";
import type { Spool } from "./spool.ts";
import type { StageLayer, Workshop } from "./workshop.ts";

/** Something in the tree of a stage or image, and where its content is. */
export interface TreeFile {
  readonly entry: TarEntry;
  /** Layer that holds it, and its place among the members there; a hard link has those of what it names. */
  readonly layer: number;
  readonly ordinal: number;
}

/** The merged tree of a chain of layers, without contents. Paths without leading slash; every parent is there. */
export class ImageTree implements TreeView {
  readonly #files = new Map<ByteString, TreeFile>();
  #children: Map<ByteString, ByteString[]> | undefined;

  lookup(at: ByteString): TreeNode | undefined {
    const file = this.get(at);
    if (file === undefined) return at === "" ? { kind: "directory" } : undefined;
    if (file.entry.kind === "directory") return { kind: "directory" };
    return file.entry.kind === "symlink" ? { kind: "symlink", target: file.entry.linkTarget } : { kind: "other" };
  }

  get(at: ByteString): TreeFile | undefined {
    return this.#files.get(at);
  }

  /** Where a path leads when links are followed, the last one too. */
  resolve(at: string): ByteString {
    return resolvePath(this, at, { followLast: true });
  }

  /** Names in a directory, bytewise sorted. */
  names(directory: ByteString): readonly ByteString[] {
    this.#children ??= this.#index();
    return this.#children.get(directory) ?? [];
  }

  /** Everything below a directory, parents first, bytewise by name. */
  *below(directory: ByteString): Generator<{ readonly path: ByteString; readonly file: TreeFile }, void, undefined> {
    for (const name of this.names(directory)) {
      const at = joinPath(directory, name);
      const file = this.get(at);
      if (file === undefined) continue;
      yield { path: at, file };
      if (file.entry.kind === "directory") yield* this.below(at);
    }
  }

  put(at: ByteString, file: TreeFile): void {
    const before = this.#files.get(at);
    if (file.entry.kind !== "directory" && before?.entry.kind === "directory") this.remove(at, false);
    this.#addParents(at, file.layer);
    this.#files.set(at, file);
    this.#children = undefined;
  }

  /** Takes away what is below a path, and with `itself` the path too. */
  remove(at: ByteString, itself: boolean): void {
    const prefix = at === "" ? "" : `${at}/`;
    const before = this.#files.get(at);
    if (itself) this.#files.delete(at);
    if (before !== undefined && before.entry.kind !== "directory") return;
    for (const key of this.#files.keys()) if (key.startsWith(prefix)) this.#files.delete(key);
    this.#children = undefined;
  }

  /** Layers may leave out directories; they are root's then. */
  #addParents(at: ByteString, layer: number): void {
    for (let slash = at.lastIndexOf("/"); slash > 0; slash = at.lastIndexOf("/", slash - 1)) {
      const parent = at.slice(0, slash) as ByteString;
      if (this.#files.has(parent)) return;
      this.#files.set(parent, { entry: tarEntry("directory", parent), layer, ordinal: -1 });
    }
  }

  #index(): Map<ByteString, ByteString[]> {
    const children = new Map<ByteString, ByteString[]>();
    for (const key of [...this.#files.keys()].sort()) {
      const parent = parentPath(key);
      const names = children.get(parent) ?? [];
      names.push(key.slice(parent === "" ? 0 : parent.length + 1) as ByteString);
      children.set(parent, names);
    }
    return children;
  }
}

/** Reads the headers of a chain of layers, bottom first, into one tree. */
export async function readImageTree(shop: Workshop, layers: readonly StageLayer[]): Promise<ImageTree> {
  const tree = new ImageTree();
  for (const [index, layer] of layers.entries()) await addLayer(shop, tree, layer, index);
  return tree;
}

async function addLayer(shop: Workshop, tree: ImageTree, layer: StageLayer, index: number): Promise<void> {
  let ordinal = 0;
  const own = new Map<string, TreeFile>();
  const gone: { readonly at: ByteString; readonly itself: boolean }[] = [];
  for await (const { entry } of membersOf(shop, layer)) {
    const at = memberPath(entry.path, layer.diffId);
    const place = ordinal++;
    if (at === "") continue;
    const whiteout = readWhiteout(at);
    if (whiteout?.kind === "whiteout") gone.push({ at: whiteout.path, itself: true });
    else if (whiteout?.kind === "opaque") gone.push({ at: whiteout.directory, itself: false });
    else own.set(at, fileOf(entry, at, index, place, own, tree));
  }
  // Deletions are of what lies below, wherever in the layer they stand.
  for (const { at, itself } of gone) tree.remove(at, itself);
  for (const [at, file] of own) tree.put(at as ByteString, file);
}

function fileOf(
  entry: TarEntry,
  at: ByteString,
  layer: number,
  ordinal: number,
  own: ReadonlyMap<string, TreeFile>,
  tree: ImageTree,
): TreeFile {
  if (entry.kind !== "hardLink") return { entry, layer, ordinal };
  const target = memberPath(entry.linkTarget, at);
  return own.get(target) ?? tree.get(target) ?? { entry, layer, ordinal };
}

function membersOf(shop: Workshop, layer: StageLayer): ReturnType<typeof readTar> {
  return readTar(decompress(shop.store.read(layer.descriptor.digest, {}, shop.signal)));
}

/** Brings the contents of some files of a tree into a spool: each layer is read once. */
export async function spoolFiles(
  shop: Workshop,
  layers: readonly StageLayer[],
  files: readonly TreeFile[],
  spool: Spool,
): Promise<ReadonlyMap<TreeFile, LayerContent>> {
  const contents = new Map<TreeFile, LayerContent>();
  for (const [index, layer] of layers.entries()) {
    const wanted = new Map(
      files.filter((file) => file.layer === index && file.entry.kind === "file").map((file) => [file.ordinal, file]),
    );
    if (wanted.size === 0) continue;
    let ordinal = 0;
    for await (const member of membersOf(shop, layer)) {
      const file = wanted.get(ordinal++);
      if (file === undefined) continue;
      contents.set(file, (await spool.write(member.content())).content);
    }
  }
  return contents;
}

import type { ByteString } from "../byteString.ts";
import { textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";

/** What a layer does to the tree below it, as far as later steps must know: where directories and links are, and what is gone. */
export interface LayerShape {
  /** Paths without leading slash, bytewise sorted. */
  readonly directories: readonly ByteString[];
  readonly links: readonly { readonly path: ByteString; readonly target: ByteString }[];
  /** Everything else that has a name. Absent when it is known not to take the place of a directory or link below. */
  readonly others?: readonly ByteString[];
  /** Whiteouts, by what they delete. */
  readonly deleted: readonly ByteString[];
  /** Directories whose content below is hidden. */
  readonly opaque: readonly ByteString[];
}

const mostLinks = 40;

/** Directories and links of the layers stacked up to now. Starts empty, as FROM scratch does. */
export class TreeShape {
  readonly #directories: Set<string>;
  readonly #links: Map<string, ByteString>;

  constructor(below?: TreeShape) {
    this.#directories = new Set(below?.directories() ?? []);
    this.#links = new Map(below === undefined ? [] : below.#links);
  }

  directories(): Iterable<string> {
    return this.#directories;
  }

  get hasLinks(): boolean {
    return this.#links.size > 0;
  }

  /** Every link as `path → target`, bytewise sorted. */
  linkTexts(): readonly string[] {
    return [...this.#links].map(([path, target]) => `${path} → ${target}`).sort();
  }

  isDirectory(path: ByteString): boolean {
    return path === "" || this.#directories.has(path);
  }

  /** Puts a layer on top. Deletions are of what lies below it, so they come first. */
  add(layer: LayerShape): void {
    for (const path of layer.opaque) this.#remove(path, false);
    for (const path of layer.deleted) this.#remove(path, true);
    for (const path of layer.others ?? []) this.#remove(path, true);
    for (const { path, target } of layer.links) {
      this.#remove(path, true);
      this.#links.set(path, target);
    }
    for (const path of layer.directories) {
      this.#links.delete(path);
      this.#directories.add(path);
    }
  }

  /**
   * Where a path leads when the links on its way are followed inside the image. The last part is followed too when it is a link.
   * Throws `IMAGE_LINK_LOOP`.
   */
  resolve(path: ByteString): ByteString {
    if (this.#links.size === 0 && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)) return path;
    let left = path.split("/").reverse();
    const done: string[] = [];
    for (let links = 0; left.length > 0; ) {
      const part = left.pop() ?? "";
      if (part === "" || part === ".") continue;
      if (part === "..") {
        done.pop();
        continue;
      }
      const target = this.#links.get([...done, part].join("/"));
      if (target === undefined) {
        done.push(part);
        continue;
      }
      links++;
      if (links > mostLinks) throw new EngineError("IMAGE_LINK_LOOP", { path: `/${textOfBytes(path)}` });
      if (target.startsWith("/")) done.length = 0;
      left = [...left, ...target.split("/").reverse()];
    }
    return done.join("/") as ByteString;
  }

  #remove(path: ByteString, itself: boolean): void {
    if (itself && !this.#directories.has(path)) {
      this.#links.delete(path);
      return;
    }
    if (itself) this.#directories.delete(path);
    const prefix = path === "" ? "" : `${path}/`;
    for (const directory of this.#directories) if (directory.startsWith(prefix)) this.#directories.delete(directory);
    for (const link of this.#links.keys()) if (link.startsWith(prefix)) this.#links.delete(link);
  }
}

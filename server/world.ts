import { BuildContext } from "./buildContext.ts";
import { type Files, isBelow, parentUri } from "./files.ts";
import type { Images } from "./images.ts";

/**
 * What lies outside the text: the files a document is built with, and images. Nothing here throws, and what cannot be
 * known is absent.
 */
export interface World {
  /** The folder a document is built in: the one it lies in. Absent outside the workspace, and where there are no files. */
  context(documentUri: string): BuildContext | undefined;
  readonly images: Images;
}

/** Build contexts of the documents of a workspace, shared by the documents of one folder. */
export class Workspace implements World {
  readonly images: Images;
  readonly files: Files | undefined;
  readonly #contexts = new Map<string, BuildContext>();
  #roots: readonly string[] = [];

  constructor(files: Files | undefined, images: Images) {
    this.files = files;
    this.images = images;
  }

  get roots(): readonly string[] {
    return this.#roots;
  }

  setRoots(roots: readonly string[]): void {
    this.#roots = roots;
    this.#contexts.clear();
    this.files?.setRoots(roots);
  }

  context(documentUri: string): BuildContext | undefined {
    if (this.files === undefined || !this.#roots.some((root) => isBelow(root, documentUri))) return undefined;
    const folder = parentUri(documentUri);
    const kept = this.#contexts.get(folder);
    if (kept !== undefined) return kept;
    const context = new BuildContext(folder, this.files);
    this.#contexts.set(folder, context);
    return context;
  }

  /** Files changed on disk; gives true when an answer may have changed with them. */
  filesChanged(uris: readonly string[]): boolean {
    let any = false;
    for (const context of this.#contexts.values()) for (const uri of uris) any = context.changed(uri) || any;
    return any;
  }
}

/** Root file systems of images that are being looked at: opened once, kept for a while, let go when nobody looks any more. */
import { type ImageTree, openImageTree } from "../bundle/imageTree.ts";
import { EngineError } from "../errors.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import type { Lease, Store } from "../store/contract.ts";
import { type FileView, layerView, rootfsView } from "./fileView.ts";
import { hostPlatform } from "./inputs.ts";
import { imageFor } from "./platformImages.ts";

/** How long an image nobody asks for stays open, in milliseconds. */
const defaultIdleMs = 60_000;

/** An image whose files can be read while it is used. */
export class OpenImage {
  readonly #tree: ImageTree;
  readonly #diffIds: readonly Digest[];
  readonly #views = new Map<number, FileView>();

  constructor(tree: ImageTree, diffIds: readonly Digest[]) {
    this.#tree = tree;
    this.#diffIds = diffIds;
  }

  /** The files of a layer, 1 the lowest, or of the merged root file system. Throws `FILE_NOT_IN_IMAGE` for a layer there is not. */
  view(layer: number | undefined): FileView {
    const known = this.#views.get(layer ?? 0);
    if (known !== undefined) return known;
    if (layer !== undefined && this.#tree.listings[layer - 1] === undefined)
      throw new EngineError("FILE_NOT_IN_IMAGE", { path: `layer ${layer}` });
    const made =
      layer === undefined
        ? rootfsView(this.#tree, this.#diffIds)
        : layerView(this.#tree.listings, layer, this.#diffIds);
    this.#views.set(layer ?? 0, made);
    return made;
  }
}

interface Entry {
  readonly lease: Lease;
  readonly opening: Promise<OpenImage>;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

/** Images by the digest of their manifest. A lease keeps the layers of each as long as it is open. */
export class OpenTrees implements AsyncDisposable {
  readonly #store: Store;
  readonly #idleMs: number;
  readonly #entries = new Map<Digest, Entry>();
  readonly #closing = new AbortController();

  constructor(store: Store, idleMs: number = defaultIdleMs) {
    this.#store = store;
    this.#idleMs = idleMs;
  }

  /** How many images are open. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Acts on an image, opening it first where nobody has. A caller who stops waiting does not stop the opening: who asks next is served.
   *
   * @throws EngineError DIGEST_INVALID, IMAGE_NOT_FOUND, CANCELLED, and what `openImageTree` and the act throw
   */
  async use<Result>(
    image: string,
    act: (open: OpenImage) => Result | Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const digest = parseDigest(image);
    const entry = this.#entries.get(digest) ?? this.#open(digest);
    clearTimeout(entry.idle);
    entry.users += 1;
    try {
      return await act(await unlessAborted(entry.opening, signal));
    } finally {
      entry.users -= 1;
      if (entry.users === 0 && this.#entries.get(digest) === entry) {
        entry.idle = setTimeout(() => void this.#close(digest, entry), this.#idleMs);
        entry.idle.unref();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#entries].map(([digest, entry]) => this.#close(digest, entry)));
  }

  #open(digest: Digest): Entry {
    const lease = this.#store.lease(`look into ${digest}`);
    const opening = this.#read(digest, lease);
    const entry: Entry = { lease, opening, users: 0, idle: undefined };
    this.#entries.set(digest, entry);
    // What cannot be opened is tried again by who asks next; whoever waits for it now is told.
    opening.catch(() => this.#close(digest, entry));
    return entry;
  }

  async #read(digest: Digest, lease: Lease): Promise<OpenImage> {
    const { signal } = this.#closing;
    await lease.pin(digest, signal);
    const { manifest, config } = imageFor(this.#store, digest, hostPlatform());
    const tree = await openImageTree(this.#store, lease, manifest, config, signal);
    return new OpenImage(tree, config.rootfs.diff_ids);
  }

  async #close(digest: Digest, entry: Entry): Promise<void> {
    clearTimeout(entry.idle);
    if (this.#entries.get(digest) === entry) this.#entries.delete(digest);
    await entry.opening.catch(() => undefined);
    await entry.lease[Symbol.asyncDispose]();
  }
}

async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new EngineError("CANCELLED", { what: "open the image's files" }));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

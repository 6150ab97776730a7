import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { ByteString } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import type { Owner } from "../layer/attributes.ts";
import { type Digest, digestHex, digestOf } from "../oci/digest.ts";
import { beat, heartbeatMs, isAlive, ownIdentity } from "../store/liveness.ts";
import { takeTicketLock } from "../store/ticketLock.ts";
import { removeTree } from "./rootfsRemoval.ts";

/** Bumped when what lies in an entry changes its meaning. */
const formatName = "rootfs-v1";

/** An unpacked layer on disk. */
export interface UnpackedLayer {
  /** The chain it completes. */
  readonly chainId: Digest;
  readonly dir: string;
  readonly sizeBytes: number;
  readonly warnings: readonly string[];
  readonly unsetOwners: ReadonlyMap<ByteString, Owner>;
  readonly lastUsedAtMs: number;
}

/** What an entry says of itself beside its files. */
export interface LayerFacts {
  readonly sizeBytes: number;
  readonly warnings: readonly string[];
  readonly unsetOwners: ReadonlyMap<ByteString, Owner>;
}

/**
 * Names a chain of layers.
 * @see OCI image-spec v1.1 config.md, "Layer ChainID"
 */
export function chainIdOf(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
}

/**
 * Unpacked layers by chain, shared by every process of one user. An entry is complete or absent: it is made under `tmp/` and renamed.
 * Its files are not flushed, so after another boot an entry is not believed and made again.
 *
 * Whoever uses an entry holds a lease, a file that dies with its process; `prune` takes only what nobody holds. Per entry one lock orders
 * making, leasing and pruning across processes.
 */
export class RootfsCache {
  readonly #root: string;

  /** `dir` is made when missing, readable by this user alone. */
  constructor(dir: string) {
    this.#root = path.join(dir, `${formatName}-${process.geteuid?.() ?? 0}`);
    for (const part of ["layers", "leases", "locks", "tmp", "runs"]) {
      mkdirSync(path.join(this.#root, part), { recursive: true, mode: 0o700 });
    }
    refuseForeign(this.#root);
  }

  /** Where sandboxes keep what runs write: the same file system as the entries. */
  get runsDir(): string {
    return path.join(this.#root, "runs");
  }

  /** The entry of a chain, if it is there and of this boot, leased until the result is disposed. */
  async hold(chainId: Digest, signal: AbortSignal): Promise<HeldLayer | undefined> {
    await using _lock = await this.#lock(chainId, signal);
    return this.#hold(chainId);
  }

  /**
   * The entry of a chain, made by `fill` when it is not there; others who want it meanwhile wait for it. `fill` gets an empty
   * directory and unpacks into it.
   */
  async holdOrMake(
    chainId: Digest,
    fill: (dir: string) => Promise<LayerFacts>,
    signal: AbortSignal,
  ): Promise<HeldLayer> {
    await using _lock = await this.#lock(chainId, signal);
    const there = this.#hold(chainId);
    if (there !== undefined) return there;
    const born = path.join(this.#root, "tmp", `${ownIdentity()}_${randomBytes(6).toString("hex")}`);
    try {
      const tree = path.join(born, "tree");
      mkdirSync(tree, { recursive: true, mode: 0o700 });
      const facts = await fill(tree);
      writeFileSync(path.join(born, "facts.json"), encodeFacts(facts));
      await removeTree(this.#entry(chainId));
      renameSync(born, this.#entry(chainId));
    } finally {
      if (existsSync(born)) await removeTree(born);
    }
    const made = this.#hold(chainId);
    if (made === undefined) throw unusable(this.#entry(chainId), "somebody removed it");
    return made;
  }

  /** Entries that are there, least recently used first. */
  list(): readonly UnpackedLayer[] {
    return readdirSync(path.join(this.#root, "layers"))
      .flatMap((hex) => this.#read(`sha256:${hex}` as Digest) ?? [])
      .sort((a, b) => a.lastUsedAtMs - b.lastUsedAtMs);
  }

  /**
   * Removes entries nobody holds: those not used since `unusedSinceMs`, then the least recently used until all together take at most
   * `maxBytes`; and what dead processes left. Returns the bytes freed.
   */
  async prune(
    policy: { readonly unusedSinceMs: number; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<number> {
    await this.#removeLeftovers();
    const all = this.list();
    let total = all.reduce((sum, layer) => sum + layer.sizeBytes, 0);
    let freed = 0;
    for (const layer of all) {
      if (layer.lastUsedAtMs >= policy.unusedSinceMs && total <= policy.maxBytes) continue;
      if (!(await this.#drop(layer, signal))) continue;
      freed += layer.sizeBytes;
      total -= layer.sizeBytes;
    }
    return freed;
  }

  async #drop(layer: UnpackedLayer, signal: AbortSignal): Promise<boolean> {
    await using _lock = await this.#lock(layer.chainId, signal);
    if (this.#isHeld(layer.chainId)) return false;
    const doomed = path.join(this.#root, "tmp", `${ownIdentity()}_${randomBytes(6).toString("hex")}`);
    renameSync(this.#entry(layer.chainId), doomed);
    await removeTree(doomed);
    return true;
  }

  async #removeLeftovers(): Promise<void> {
    const tmp = path.join(this.#root, "tmp");
    for (const name of readdirSync(tmp)) {
      if (!isAlive(path.join(tmp, name))) await removeTree(path.join(tmp, name));
    }
  }

  #hold(chainId: Digest): HeldLayer | undefined {
    const layer = this.#read(chainId);
    if (layer === undefined) return undefined;
    const leases = path.join(this.#root, "leases", digestHex(chainId));
    const lease = path.join(leases, `${ownIdentity()}_${randomBytes(6).toString("hex")}`);
    mkdirSync(leases, { recursive: true });
    writeFileSync(lease, "");
    const now = new Date();
    utimesSync(path.join(this.#entry(chainId), "facts.json"), now, now);
    const pulse = setInterval(() => beat(lease), heartbeatMs);
    pulse.unref();
    return {
      layer,
      release(): void {
        clearInterval(pulse);
        rmSync(lease, { force: true });
      },
    };
  }

  #isHeld(chainId: Digest): boolean {
    const leases = path.join(this.#root, "leases", digestHex(chainId));
    if (!existsSync(leases)) return false;
    const alive = readdirSync(leases).filter((name) => {
      if (isAlive(path.join(leases, name))) return true;
      rmSync(path.join(leases, name), { force: true });
      return false;
    });
    return alive.length > 0;
  }

  #read(chainId: Digest): UnpackedLayer | undefined {
    const facts = path.join(this.#entry(chainId), "facts.json");
    try {
      const decoded = decodeFacts(readFileSync(facts, "utf8"));
      if (decoded === undefined) return undefined;
      const dir = path.join(this.#entry(chainId), "tree");
      return { ...decoded, chainId, dir, lastUsedAtMs: statSync(facts).mtimeMs };
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  #entry(chainId: Digest): string {
    return path.join(this.#root, "layers", digestHex(chainId));
  }

  #lock(chainId: Digest, signal: AbortSignal): Promise<AsyncDisposable> {
    return takeTicketLock(path.join(this.#root, "locks", digestHex(chainId)), "waiting for an unpacked layer", signal);
  }
}

/** A leased entry. */
export interface HeldLayer {
  readonly layer: UnpackedLayer;
  release(): void;
}

/** In a directory others can write to (`/dev/shm`), somebody else may have made our directory before us. */
function refuseForeign(root: string): void {
  const stat = statSync(root);
  const ours = process.geteuid?.() ?? stat.uid;
  if (stat.uid !== ours || (stat.mode & 0o022) !== 0) {
    throw unusable(root, "it belongs to somebody else or others may write to it, so remove it");
  }
}

function unusable(place: string, reason: string): EngineError {
  return new EngineError("LAYER_UNPACK_FAILED", { path: place, reason });
}

function encodeFacts(facts: LayerFacts): string {
  return JSON.stringify({ ...facts, unsetOwners: [...facts.unsetOwners], boot: bootId() });
}

/** Undefined for an entry of another boot: power may have failed before its files reached the disk. */
function decodeFacts(text: string): LayerFacts | undefined {
  const facts = JSON.parse(text) as {
    sizeBytes: number;
    warnings: readonly string[];
    unsetOwners: readonly [ByteString, Owner][];
    boot: string;
  };
  if (facts.boot !== bootId()) return undefined;
  return { sizeBytes: facts.sizeBytes, warnings: facts.warnings, unsetOwners: new Map(facts.unsetOwners) };
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

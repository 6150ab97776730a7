/** A registry put together for one command or one editor: what it serves, who may use it, and what it tells of itself. */
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { openImageTree } from "../bundle/imageTree.ts";
import { EngineError } from "../errors.ts";
import { parseConfig } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import { parseManifestOrIndex } from "../oci/index.ts";
import { type AccessRules, openAccess, parseHtpasswd, requireGuards } from "../registry/access.ts";
import { openBundleContent } from "../registry/bundleContent.ts";
import { type BundleFiles, bundleFilesOfTree, openBundleDirectory } from "../registry/bundleFiles.ts";
import type { Content } from "../registry/content.ts";
import { evictMirror, type MirrorBudget } from "../registry/evictMirror.ts";
import { layeredContent } from "../registry/layeredContent.ts";
import { type Mirror, openMirror } from "../registry/mirrorContent.ts";
import type { UpstreamCounts } from "../registry/mirrorReport.ts";
import { openPushedContent } from "../registry/pushedContent.ts";
import { requestLog } from "../registry/requestLog.ts";
import { defaultServerLimits, serveRegistry } from "../registry/server.ts";
import { openStoreImages } from "../registry/storeImages.ts";
import { addressGuard } from "../registry/upstreamGuard.ts";
import type { RefuseAddress } from "../remote/connections.ts";
import type { Lease, Store } from "../store/contract.ts";
import { version } from "../version.ts";
import { findImage } from "./images.ts";
import type { Sharing, SharingChoices } from "./sharing.ts";

export interface ServeRegistryParams {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Folders with a `registry/`, or cluster images of the store. */
  readonly bundles: readonly string[];
  /** Never ask an upstream. */
  readonly offline: boolean;
  /** Host in image names → address of the registry to ask instead: `http://10.0.0.5:5000`. */
  readonly upstreams: ReadonlyMap<string, URL>;
  readonly allow?: readonly string[];
  readonly deny: readonly string[];
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Path of an htpasswd file. */
  readonly htpasswd?: string;
  /** Path of a file with one token per line. */
  readonly tokenFile?: string;
  readonly anonymousPull: boolean;
  readonly readOnly: boolean;
  readonly tagTtlMs: number;
  readonly budget?: MirrorBudget;
}

export interface RegistryWorld {
  readonly store: Store;
  readonly now: () => number;
  readonly openSharing: (choices: SharingChoices & { readonly refuseAddress: RefuseAddress }) => Promise<Sharing>;
  /** One line for people; `kind` tells what it is about. */
  readonly log: (kind: "request" | "error" | "cache", line: string) => void;
}

/** What a registry tells of itself. */
export interface RegistryStatus {
  readonly version: string;
  readonly offline: boolean;
  readonly bundles: readonly string[];
  /** Requests since the start, by class. */
  readonly requests: Readonly<Record<string, number>>;
  readonly upstreams: readonly UpstreamCounts[];
  /** The last lines of the log, oldest first. */
  readonly recent: readonly string[];
}

/** A registry that runs until it is disposed of. */
export interface ServedRegistry extends AsyncDisposable {
  readonly url: string;
  status(): RegistryStatus;
}

const missTtlMs = 20_000;
const evictEveryMs = 10 * 60_000;
const lockWaitMs = 3000;

/**
 * Starts a registry.
 *
 * Throws `REGISTRY_UNGUARDED`, `REGISTRY_LISTEN_FAILED`, `REGISTRY_USERS_INVALID`, `BUNDLE_UNREADABLE`, `IMAGE_NOT_FOUND`.
 */
export async function openServedRegistry(
  world: RegistryWorld,
  params: ServeRegistryParams,
  signal: AbortSignal,
): Promise<ServedRegistry> {
  const { host, port, readOnly, anonymousPull } = params;
  const login = params.htpasswd !== undefined || params.tokenFile !== undefined;
  requireGuards({ host, port }, { tls: params.tls !== undefined, login, readOnly, anonymousPull });
  const opened = new Opened();
  try {
    return await openParts(world, params, opened, signal);
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

/** What was opened for a registry, closed in reverse. */
class Opened implements AsyncDisposable {
  readonly #closers: (() => unknown)[] = [];

  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    this.#closers.push(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  defer(close: () => unknown): void {
    this.#closers.push(close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

async function openParts(
  world: RegistryWorld,
  params: ServeRegistryParams,
  opened: Opened,
  signal: AbortSignal,
): Promise<ServedRegistry> {
  const { store } = world;
  const stop = new AbortController();
  if (!params.readOnly) opened.use(await lockForWriting(store, params, signal));
  const lease = opened.use(store.lease("serve a registry"));
  const bundles: Content[] = [];
  for (const bundle of params.bundles)
    for (const files of await openBundle(store, lease, bundle, signal))
      bundles.push(await openBundleContent(files, stop.signal));
  const mirror = await openMirrorOf(world, params, opened, stop.signal);
  opened.defer(() => stop.abort());
  const log = requestLog((line) => world.log("request", line));
  const status = (): RegistryStatus => ({
    version,
    offline: params.offline,
    bundles: params.bundles,
    requests: log.counts(),
    upstreams: mirror.counts().upstreams,
    recent: log.recent(),
  });
  const access = await accessOf(params);
  const { tls } = params;
  const server = opened.use(
    await serveRegistry({
      content: layeredContent(openPushedContent(store, "shared"), [...bundles, openStoreImages(store), mirror]),
      host: params.host,
      port: params.port,
      readOnly: params.readOnly,
      allowSparse: false,
      limits: defaultServerLimits,
      ...(access === undefined ? {} : { access: openAccess(access) }),
      ...(tls === undefined ? {} : { tls: { cert: await readPem(tls.cert), key: await readPem(tls.key) } }),
      onRequest: (request) => log.note(request),
      onError: (what, error) => world.log("error", `${what}: ${messageOf(error)}`),
      status,
    }),
  );
  if (params.budget !== undefined) opened.defer(evictNowAndThen(world, params.budget, stop.signal));
  return { url: server.url, status, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

async function openMirrorOf(
  world: RegistryWorld,
  params: ServeRegistryParams,
  opened: Opened,
  signal: AbortSignal,
): Promise<Mirror> {
  const { upstreams, allow, deny, offline, tagTtlMs } = params;
  const named = new Map([...upstreams].map(([name, url]) => [name, url.host]));
  const insecureRegistries = [...upstreams.values()].filter((url) => url.protocol === "http:").map((url) => url.host);
  const sharing = opened.use(await world.openSharing({ insecureRegistries, refuseAddress: addressGuard(named) }));
  return openMirror({
    store: world.store,
    client: sharing.client,
    rules: { named, deny, ...(allow === undefined ? {} : { allow }) },
    offline,
    tagTtlMs,
    missTtlMs,
    now: world.now,
    signal,
  });
}

/** Two servers that write the same repositories would lose each other's tags. */
async function lockForWriting(
  store: Store,
  params: ServeRegistryParams,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  try {
    return await store.lock("registry", AbortSignal.any([signal, AbortSignal.timeout(lockWaitMs)]));
  } catch (cause) {
    signal.throwIfAborted();
    const reason = "another registry takes pushes into this store; end it, or serve this one with --read-only";
    throw new EngineError("REGISTRY_LISTEN_FAILED", { address: `${params.host}:${params.port}`, reason }, { cause });
  }
}

/** A folder on disk, or every platform of an image in the store. */
async function openBundle(
  store: Store,
  lease: Lease,
  bundle: string,
  signal: AbortSignal,
): Promise<readonly BundleFiles[]> {
  if (statSync(bundle, { throwIfNoEntry: false })?.isDirectory() === true) return [await openBundleDirectory(bundle)];
  const { target } = findImage(store, bundle);
  await lease.pin(target.digest, signal);
  const found: BundleFiles[] = [];
  for (const digest of manifestsOf(store, target.digest)) {
    const files = await openImageBundle(store, lease, { bundle, digest }, signal);
    if ((await files.list("docker/registry/v2/repositories")).length > 0) found.push(files);
  }
  if (found.length === 0) {
    const problem = "the image carries no container images";
    throw new EngineError("BUNDLE_UNREADABLE", { where: bundle, problem });
  }
  return found;
}

function manifestsOf(store: Store, digest: Digest): readonly Digest[] {
  const document = parseManifestOrIndex(store.readBytes(digest, 4 * 1024 * 1024), `manifest ${digest}`);
  if (document.kind === "manifest") return [digest];
  return document.index.manifests.flatMap((child) => (store.stat(child.digest) === undefined ? [] : [child.digest]));
}

async function openImageBundle(
  store: Store,
  lease: Lease,
  { bundle, digest }: { readonly bundle: string; readonly digest: Digest },
  signal: AbortSignal,
): Promise<BundleFiles> {
  const bytes = store.readBytes(digest, 4 * 1024 * 1024);
  const document = parseManifestOrIndex(bytes, `manifest ${digest}`);
  if (document.kind !== "manifest")
    throw new EngineError("BUNDLE_UNREADABLE", { where: bundle, problem: "it is an index of indexes" });
  const { manifest } = document;
  const config = parseConfig(
    store.readBytes(manifest.config.digest, 4 * 1024 * 1024),
    `the configuration of ${bundle}`,
  );
  const tree = await openImageTree(store, lease, manifest, config, signal);
  return bundleFilesOfTree(
    {
      where: bundle,
      paths: tree.paths,
      sizeOf: tree.sizeOf,
      readRange: tree.readRange,
    },
    "registry",
  );
}

async function accessOf(params: ServeRegistryParams): Promise<AccessRules | undefined> {
  const { htpasswd, tokenFile, anonymousPull } = params;
  if (htpasswd === undefined && tokenFile === undefined) return undefined;
  const users = htpasswd === undefined ? undefined : parseHtpasswd(await readUsers(htpasswd), htpasswd);
  const tokens =
    tokenFile === undefined ? undefined : (await readUsers(tokenFile)).split(/\s+/).filter((token) => token !== "");
  return {
    anonymousPull,
    ...(users === undefined ? {} : { users }),
    ...(tokens === undefined ? {} : { tokens }),
  };
}

async function readUsers(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new EngineError(
      "REGISTRY_USERS_INVALID",
      { file, problem: `it cannot be read: ${messageOf(cause)}` },
      { cause },
    );
  }
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new EngineError("CERTIFICATE_UNREADABLE", { path: file, reason: messageOf(cause) }, { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Keeps the mirror within its budget; answers what ends that. */
function evictNowAndThen(world: RegistryWorld, budget: MirrorBudget, signal: AbortSignal): () => void {
  const evict = async (): Promise<void> => {
    try {
      const { freedBytes, removed } = await evictMirror(world.store, budget, signal);
      if (removed.length > 0) world.log("cache", `evicted ${removed.length} things, ${freedBytes} bytes`);
    } catch (error) {
      if (!signal.aborted) world.log("error", `evict: ${messageOf(error)}`);
    }
  };
  void evict();
  const timer = setInterval(() => void evict(), evictEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}

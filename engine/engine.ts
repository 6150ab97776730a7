import type { ImagePuller } from "./build/baseImage.ts";
import { inlineReaders } from "./layer/readers.ts";
import type { WorkerReaders } from "./layer/workerReaders.ts";
import type { BasePulls } from "./operations/basePulls.ts";
import { type BuildFollower, buildImage } from "./operations/buildImage.ts";
import type { DiscoverMemory } from "./operations/discoverContext.ts";
import { pastBuilds } from "./operations/history.ts";
import { diskUsage, prune, removeImage, tagImage, verify } from "./operations/housekeeping.ts";
import { inspect, listImages } from "./operations/images.ts";
import type { EngineParts } from "./operations/parts.ts";
import { planImage } from "./operations/planImage.ts";
import type { Sharing, SharingChoices, SharingWorld } from "./operations/sharing.ts";
import type {
  BuildParams,
  BuildRecord,
  BuildResult,
  DiscoverParams,
  DiscoverResult,
  DiskUsageResult,
  ImageDetails,
  ImageSummary,
  LoadParams,
  LoadResult,
  LockResult,
  PlanParams,
  PlanResult,
  PruneParams,
  PruneResult,
  SaveParams,
  VerifyResult,
} from "./protocol.ts";
import type { Store } from "./store/contract.ts";
import { openStore } from "./store/store.ts";

/** The outside world of an engine. */
export interface EngineOptions {
  /** Folder of the store; made when missing. */
  readonly storeDir: string;
  readonly fetch: typeof fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: EngineParts["log"];
  /** Brings base images the store does not have; without it, building from one that is missing is an error. */
  readonly puller?: ImagePuller;
  /** What transfers need from outside; with it, missing base images are pulled. */
  readonly world?: Omit<SharingWorld, "now">;
}

/** All an engine does. Every method that waits ends with `CANCELLED` when its signal fires. */
export interface Engine extends AsyncDisposable {
  readonly store: Store;
  build(params: BuildParams, follower: BuildFollower, signal: AbortSignal): Promise<BuildResult>;
  /** Finds the container images a build needs and writes them to `kubefile.lock`. */
  lock(
    params: BuildParams,
    choices: { readonly update: boolean; readonly check: boolean },
    follower: BuildFollower,
    signal: AbortSignal,
  ): Promise<LockResult>;
  plan(params: PlanParams, signal: AbortSignal): Promise<PlanResult>;
  /** Tells which container images a build context needs; remembers what it read for the next time. */
  discover(params: DiscoverParams, signal: AbortSignal): Promise<DiscoverResult>;
  images(): readonly ImageSummary[];
  inspect(reference: string): ImageDetails;
  removeImage(reference: string): Promise<{ readonly digest: string }>;
  tagImage(
    reference: string,
    newReference: string,
    signal: AbortSignal,
  ): Promise<{ readonly digest: string; readonly reference: string }>;
  diskUsage(): DiskUsageResult;
  prune(params: PruneParams, signal: AbortSignal): Promise<PruneResult>;
  builds(limit: number): readonly BuildRecord[];
  /** Writes an image to a file or folder. */
  save(params: SaveParams, signal: AbortSignal): Promise<{ readonly path: string; readonly sizeBytes: number }>;
  /** Brings the images of a file or folder into the store. */
  load(params: LoadParams, signal: AbortSignal): Promise<LoadResult>;
  verify(signal: AbortSignal): Promise<VerifyResult>;
  /** Everything that talks to registries. The caller disposes it. */
  sharing(choices: SharingChoices): Promise<Sharing>;
}

/** Below this, starting a thread costs more than it gives. */
const fewFiles = 1500;
const fewBytes = 32 * 1024 * 1024;

/** Opens the store and makes an engine on it. Dispose it to end its threads. Throws what `openStore` throws. */
export function openEngine(options: EngineOptions): Engine {
  const store = openStore({ dir: options.storeDir, now: options.now });
  let workers: WorkerReaders | undefined;
  const world: SharingWorld = { environment: {}, homeDir: "/", ...options.world, now: options.now };
  let pulls: BasePulls | undefined;
  let discoveries: DiscoverMemory | undefined;
  const basePuller: ImagePuller | undefined =
    options.world === undefined
      ? undefined
      : {
          async pull(...request) {
            // Most builds pull nothing: the client is loaded when one does.
            const { basePulls } = await import("./operations/basePulls.ts");
            pulls ??= basePulls(store, world);
            return await pulls.pull(...request);
          },
        };
  const parts: EngineParts = {
    store,
    now: options.now,
    fetch: options.fetch,
    log: options.log,
    puller: options.puller ?? basePuller,
    registryClient:
      options.world === undefined
        ? undefined
        : async (insecureRegistries) => {
            const { Sharing } = await import("./operations/sharing.ts");
            return new Sharing(store, world, { insecureRegistries }).client;
          },
    async readersFor(files, bytes) {
      if (files < fewFiles && bytes < fewBytes) return inlineReaders;
      const { WorkerReaders: Threads } = await import("./layer/workerReaders.ts");
      workers ??= new Threads();
      return workers;
    },
  };
  return {
    store,
    build: (params, follower, signal) => buildImage(parts, params, follower, signal),
    async lock(params, choices, follower, signal) {
      const { lockImages } = await import("./operations/lockImages.ts");
      return await lockImages(parts, params, choices, follower, signal);
    },
    plan: (params, signal) => planImage(parts, params, signal),
    async discover(params, signal) {
      const { DiscoverMemory, discoverContext } = await import("./operations/discoverContext.ts");
      discoveries ??= new DiscoverMemory();
      return await discoverContext(parts, params, discoveries, signal);
    },
    images: () => listImages(store),
    inspect: (reference) => inspect(store, reference),
    removeImage: (reference) => removeImage(store, reference),
    tagImage: (reference, newReference, signal) => tagImage(store, reference, newReference, signal),
    diskUsage: () => diskUsage(store),
    prune: (params, signal) => prune(store, params, options.now(), signal),
    builds: (limit) => pastBuilds(store, limit),
    async save({ reference, path, format }, signal) {
      // Saving is rare: its code is loaded when it is asked for.
      const { saveArchive } = await import("./operations/archives.ts");
      const choices = { references: [reference], output: path, format };
      const saved = await saveArchive(store, choices, { onProgress: () => undefined, signal });
      for (const warning of saved.warnings) options.log("warn", warning);
      return { path, sizeBytes: saved.sizeBytes };
    },
    async load({ path }, signal) {
      const { loadArchive } = await import("./operations/archives.ts");
      const loaded = await loadArchive(store, { input: path }, { onProgress: () => undefined, signal });
      for (const warning of loaded.warnings) options.log("warn", warning);
      return { images: loaded.images.map(({ names, target }) => ({ references: names, digest: target.digest })) };
    },
    verify: (signal) => verify(store, signal),
    async sharing(choices) {
      const { Sharing } = await import("./operations/sharing.ts");
      return new Sharing(store, world, choices);
    },
    async [Symbol.asyncDispose]() {
      await pulls?.[Symbol.asyncDispose]();
      await workers?.[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

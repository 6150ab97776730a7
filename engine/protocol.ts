/**
 * What the engine process and its client say to each other: JSON-RPC 2.0 (vscode-jsonrpc) over stdio or Node IPC.
 *
 * Only types and method names live here; both sides import this file and nothing of each other. Times are milliseconds
 * since the epoch, sizes are bytes, lines are 1-based as people read them, digests are `sha256:<hex>`.
 * A request is cancelled with JSON-RPC's own `$/cancelRequest` (a cancellation token in vscode-jsonrpc).
 */
import { NotificationType, RequestType, RequestType0 } from "vscode-jsonrpc";

/** Raised when a message changes its meaning or loses a field; a client and an engine with other versions do not talk. */
export const protocolVersion = 1;

/** What travels in the `data` field of every JSON-RPC error the engine answers with. */
export interface ProtocolError {
  /** Stable code of `engine/errors.ts`, or `INTERNAL` for a defect of the engine itself. */
  readonly code: string;
  /** The sentence for the user: what was done, to what, what was found, what to do next. */
  readonly message: string;
  /** What the message was made of; never a secret. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Whether the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** Where in the Kubefile it happened, when it did. */
  readonly at?: KubefilePlace;
}

/** A place in a Kubefile as people read it: 1-based lines. */
export interface KubefilePlace {
  readonly kubefile: string;
  readonly line: number;
  readonly endLine: number;
}

export interface InitializeParams {
  readonly protocolVersion: number;
  /** Absolute path of the store. */
  readonly storeDir: string;
  /** Who asks, for the log: `vscode 1.139.0`. */
  readonly client: string;
}

export interface InitializeResult {
  readonly protocolVersion: number;
  readonly engineVersion: string;
  readonly storeDir: string;
  readonly nodeVersion: string;
  readonly processId: number;
}

export type ClusterImageType = "kube-installer" | "app-installer";
export type BuildMode = "all" | "lite";
/** `missing` pulls a base only when the store does not have it; `always` and `newer` ask its registry; `never` does not. */
export type PullPolicy = "missing" | "always" | "newer" | "never";
/** Whose rules hold; absent means the instructions of both. */
export type DialectName = "sealer" | "sealos";

/** What a person says about container images. Paths are absolute. */
export interface ContainerImageChoices {
  /** Refuse to build when what is found is not what `kubefile.lock` says. */
  readonly locked?: boolean;
  /** Ask what every name stands for now, also of images that the lock holds to a digest. */
  readonly ignoreLockedDigests?: boolean;
  /** When registries are asked about images that are here already; `newer` when absent. */
  readonly freshness?: "newer" | "missing" | "never";
  /** Registry host of a name → host that is asked instead; the names stay. */
  readonly mirrors?: Readonly<Record<string, string>>;
  /** Files of values to render charts with, each a set of its own. */
  readonly valuesFiles?: readonly string[];
  /** Assignments as of `helm --set`; together one more set of values. */
  readonly setValues?: readonly string[];
  /** A list of more images, one a line, and one of images to leave out. */
  readonly imageListFile?: string;
  readonly ignoredImageListFile?: string;
  /** Rules for custom resources. */
  readonly rulesFile?: string;
  /** Registries that may be spoken to without TLS or without checking it. */
  readonly insecureRegistries?: readonly string[];
}

/** What both `plan` and `build` need to know. Relative paths are resolved by the client before they are sent. */
export interface BuildInputs {
  /** Absolute path of the build context. */
  readonly contextDir: string;
  /** Absolute path of the Kubefile; absent means `Kubefile` in the context. */
  readonly kubefile?: string;
  /** Stage to stop at; absent means the last. */
  readonly target?: string;
  /** `os/arch[/variant]`, several make an index; absent means this machine's. */
  readonly platforms?: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly dialect?: DialectName;
  readonly pull?: PullPolicy;
  readonly noCache?: boolean;
  readonly type?: ClusterImageType;
  /** `all` finds, pulls and packs the container images that the cluster needs; absent or `lite` leaves them out. */
  readonly buildMode?: BuildMode;
  readonly containerImages?: ContainerImageChoices;
  /** Seconds since the epoch: newer modification times in layers are clamped to it and it becomes the image's date. */
  readonly sourceDateEpoch?: number;
  readonly network?: "none" | "host";
}

/** A secret a RUN may mount: the content of a file, or a value. Never stored, never logged. */
export type BuildSecret =
  | { readonly id: string; readonly file: string }
  | { readonly id: string; readonly value: string };

export interface BuildParams extends BuildInputs {
  /** Chosen by the client; repeated in every progress notification. */
  readonly buildId: string;
  readonly tags: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly secrets?: readonly BuildSecret[];
  /** Sockets of agents for `RUN --mount=type=ssh`. */
  readonly ssh?: readonly { readonly id: string; readonly socket: string }[];
}

/** One instruction of the plan. `id` is unique in one plan and stable while the plan's shape is. */
export interface StepInfo {
  readonly id: number;
  /** Keyword in upper case: `COPY`. */
  readonly instruction: string;
  /** The instruction on one line, shortened to 200 characters, variables not expanded. */
  readonly text: string;
  /** Name of the stage, or its number as text. */
  readonly stage: string;
  /** `os/arch[/variant]`. */
  readonly platform: string;
  /** 1-based first and last line of the instruction. */
  readonly line: number;
  readonly endLine: number;
}

export interface LayerSummary {
  /** Digest of the uncompressed layer. */
  readonly diffId: string;
  /** Uncompressed size. */
  readonly size: number;
}

export type BuildProgress =
  | { readonly kind: "planned"; readonly buildId: string; readonly steps: readonly StepInfo[] }
  | { readonly kind: "stepStarted"; readonly buildId: string; readonly stepId: number }
  | {
      readonly kind: "stepProgress";
      readonly buildId: string;
      readonly stepId: number;
      /** Bytes read, downloaded or unpacked up to now, and all of them when known. */
      readonly done: number;
      readonly total?: number;
    }
  | {
      readonly kind: "stepOutput";
      readonly buildId: string;
      readonly stepId: number;
      readonly stream: "stdout" | "stderr";
      readonly text: string;
    }
  | {
      readonly kind: "stepFinished";
      readonly buildId: string;
      readonly stepId: number;
      /** `metadata` is an instruction without a layer: it costs nothing, cached or not. */
      readonly outcome: "cached" | "built" | "metadata";
      /** Why it was built, in words; why it was found, when cached. */
      readonly reason: string;
      readonly layer?: LayerSummary;
      /** Bytes this step added to the store. */
      readonly writtenBytes: number;
      readonly durationMs: number;
    }
  | {
      /** Container images are being collected for a platform. */
      readonly kind: "containerImages";
      readonly buildId: string;
      readonly platform: string;
      readonly done: number;
      readonly total: number;
      /** Bytes that came over the network. */
      readonly movedBytes: number;
    }
  | { readonly kind: "warning"; readonly buildId: string; readonly message: string; readonly at?: KubefilePlace };

/** What packing container images came to. */
export interface PackedSummary {
  readonly images: number;
  readonly sizeBytes: number;
  readonly movedBytes: number;
  /** Optional images that could not be had. */
  readonly left: readonly { readonly image: string; readonly reason: string }[];
}

export interface BuildResult {
  readonly buildId: string;
  /** Digest of the image's manifest, or of the index when several platforms were built. */
  readonly digest: string;
  /** Normalised references that now name it. */
  readonly references: readonly string[];
  /** Sum of the uncompressed layers (of all platforms). */
  readonly sizeBytes: number;
  readonly writtenBytes: number;
  readonly durationMs: number;
  readonly cachedSteps: number;
  readonly builtSteps: number;
  /** Container images that were packed, over all platforms; absent when they were left out. */
  readonly containerImages?: PackedSummary;
}

export interface PlanParams extends BuildInputs {
  /** Text of the Kubefile when it is newer than the file: an unsaved editor. */
  readonly text?: string;
}

/** A mistake in the Kubefile, or something worth saying about it. Offsets are UTF-16 units into its text. */
export interface PlanProblem {
  readonly code: string;
  readonly severity: "error" | "warning" | "information" | "hint";
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

export interface PlannedStep extends StepInfo {
  /**
   * `cached`: the next build takes it from the cache. `build`: it will be built. `metadata`: no layer, no cost.
   * `unknown`: cannot be told without building an earlier step (a RUN after a changed RUN).
   */
  readonly status: "cached" | "build" | "metadata" | "unknown";
  /** In words: `file charts/redis/values.yaml changed`, `ARG VERSION was 1.2, is 1.3`, `base image moved`. */
  readonly reason: string;
  /** The layer the cache holds, when cached. */
  readonly layer?: LayerSummary;
  /** When the cached layer was built. */
  readonly builtAt?: number;
  /** How long it took the last time it was built, when known. */
  readonly lastDurationMs?: number;
}

export interface PlanResult {
  readonly kubefile: string;
  readonly steps: readonly PlannedStep[];
  readonly problems: readonly PlanProblem[];
  readonly cachedSteps: number;
  readonly buildSteps: number;
  /** How long the question took to answer. */
  readonly durationMs: number;
}

export interface ImageSummary {
  /** Normalised references; empty for an image without a name. */
  readonly references: readonly string[];
  readonly digest: string;
  readonly kind: "image" | "index";
  readonly platforms: readonly string[];
  readonly sizeBytes: number;
  /** When this store first held it under its newest reference. */
  readonly storedAt: number;
  /** Absent for an image that is not a cluster image. */
  readonly type?: string;
  readonly applications: readonly string[];
}

export interface LayerDetails {
  readonly diffId: string;
  /** Digest of the blob the manifest lists: equal to `diffId` when the layer is uncompressed. */
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** The instruction that made it, as far as the image's history tells. */
  readonly createdBy: string;
  /** Where that instruction stands, when this store built the layer. */
  readonly at?: KubefilePlace;
  /** Whether the next build of the same Kubefile may take it from the cache. */
  readonly cached: boolean;
  /** Whether the store holds the bytes. */
  readonly present: boolean;
}

export interface ApplicationDetails {
  readonly name: string;
  readonly type?: string;
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cmds: readonly string[];
}

/** A container image that a cluster image carries. */
export interface PackedContainerImage {
  /** Normalised name. */
  readonly image: string;
  readonly appName?: string;
  /** What the name stood for when it was packed: digest of an index or of a manifest. Known where the image was built. */
  readonly digest?: string;
  /** Digest of the manifest of this platform. */
  readonly platformDigest?: string;
  /** Bytes of its manifests and blobs; what it shares with others counts for each. */
  readonly sizeBytes?: number;
  /** Every place that asks for it, as `file:line (rule)`; empty for an image that was built elsewhere. */
  readonly found: readonly string[];
}

/** One image of one platform. */
export interface PlatformImageDetails {
  readonly digest: string;
  readonly platform: string;
  readonly sizeBytes: number;
  readonly created?: string;
  readonly layers: readonly LayerDetails[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly env: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** From `sealer.image.extension`; absent for an image that is not a cluster image. */
  readonly clusterImage?: {
    readonly type: string;
    readonly applications: readonly ApplicationDetails[];
    readonly env: Readonly<Record<string, string>>;
    readonly launchApps: readonly string[];
    readonly launchCmds: readonly string[];
  };
  /** From `sealer.image.container.images`, and from what this store remembers when it built the image. */
  readonly containerImages: readonly PackedContainerImage[];
}

export interface ImageDetails extends ImageSummary {
  readonly images: readonly PlatformImageDetails[];
}

export interface DiscoverParams {
  /** Absolute path of the build context. */
  readonly contextDir: string;
  /** Absolute path of the Kubefile; absent means `Kubefile` in the context. */
  readonly kubefile?: string;
  /** Whose copies are looked for; absent means this machine's architecture. */
  readonly platform?: string;
  /** Texts that are newer than their files: unsaved editors, of the Kubefile and `kubefile.lock` too. Absolute paths. */
  readonly files?: readonly { readonly path: string; readonly text: string }[];
}

/** `certain`: a field the kubelet reads. `high`: a rule for a known kind. `medium`: a name or value that says image. `declared`: a chart may use it. */
export type Confidence = "certain" | "high" | "medium" | "declared";

/** A place in the build context that names a container image. */
export interface ImagePlace {
  /** Normalised name. */
  readonly image: string;
  /** As it is written. */
  readonly text: string;
  readonly confidence: Confidence;
  /** Why, for people: `Deployment container`. */
  readonly rule: string;
  /** Where a person reads the name: path in the context and 1-based line. For a chart, the values or the template that names it. */
  readonly file: string;
  readonly line: number;
  /** The file that was scanned, which for a chart is the template, and the way to the value inside its document. */
  readonly foundIn: string;
  readonly path: string;
  readonly chart?: string;
  /** The set of values the chart was rendered with. */
  readonly values?: string;
  /** Where the chart's own values name the image. */
  readonly valuesOrigin?: { readonly file: string; readonly line: number };
  /** Whether the file goes where a build looks for images; `unknown` when the Kubefile cannot be evaluated. */
  readonly packed: "yes" | "no" | "unknown";
}

/** A place that should name an image and does not, or a file that could not be read. */
export interface UnresolvedPlace {
  readonly text: string;
  readonly reason: string;
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly packed: "yes" | "no" | "unknown";
  /** A build stops here: a chart that cannot be rendered may hide any number of images. */
  readonly stopsBuild: boolean;
}

/** What is known of one container image that the context names, or that the lock adds. */
export interface DiscoveredImage {
  readonly image: string;
  /** Whether the next build packs it, as far as the context tells. */
  readonly isPacked: boolean;
  /** Whether everything of it is in the store, so that the next build moves nothing. */
  readonly cached: boolean;
  /** Bytes of manifests and blobs for the platform, when its manifests are in the store. */
  readonly sizeBytes?: number;
  /** What the name stood for when a registry was last asked. */
  readonly digest?: string;
  readonly locked?: { readonly digest: string; readonly line: number; readonly optional: boolean };
  /** The entry of the lock that leaves it out. */
  readonly ignored?: { readonly pattern: string; readonly reason: string; readonly line: number };
  /** The entry of the lock that adds it. */
  readonly added?: { readonly reason: string; readonly line: number };
  /** The base image carries it already. */
  readonly inBase: boolean;
  /** `notLocked`: there is a lock and it lacks the image. `moved`: the lock holds another digest than the store knows. */
  readonly problem?: "notLocked" | "moved";
}

/** An instruction of the Kubefile that brings files, and the images these need. */
export interface InstructionImages {
  readonly keyword: string;
  readonly app?: string;
  readonly line: number;
  readonly endLine: number;
  readonly images: readonly string[];
}

export interface DiscoverResult {
  /** Absolute, without symlinks. */
  readonly contextDir: string;
  readonly kubefile: string;
  /** By name. */
  readonly images: readonly DiscoveredImage[];
  /** By file and line. */
  readonly places: readonly ImagePlace[];
  readonly unresolved: readonly UnresolvedPlace[];
  readonly instructions: readonly InstructionImages[];
  readonly lock: {
    /** Absolute. */
    readonly path: string;
    readonly exists: boolean;
    readonly problems: readonly { readonly line: number; readonly message: string }[];
    /** Images in it that no place of the context names any more where the lock found them. */
    readonly unneeded: readonly { readonly image: string; readonly line: number }[];
  };
  /** Why it is not known which files the image gets: the sentence of the error; absent when it is known. */
  readonly kubefileProblem?: string;
  /** Files and charts that had to be read; the rest was remembered. */
  readonly scanned: number;
  readonly durationMs: number;
}

/** A build without a name, to find and resolve container images. */
export interface LockParams extends BuildInputs {
  /** Chosen by the client; repeated in every progress notification. */
  readonly buildId: string;
  /** Ask for the digests of all images again; else those in the lock are kept and only new images are resolved. */
  readonly update: boolean;
  /** Write nothing, only tell. */
  readonly check: boolean;
}

/** How a lock changed, or would. */
export interface LockResult {
  /** Absolute path of `kubefile.lock`. */
  readonly path: string;
  readonly changed: boolean;
  readonly images: readonly { readonly image: string; readonly digest: string }[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Images whose name stands for something else now. */
  readonly moved: readonly { readonly image: string; readonly from: string; readonly to: string }[];
  /** Places that should name an image and do not. */
  readonly unresolved: readonly {
    readonly file: string;
    readonly line: number;
    readonly text: string;
    readonly reason: string;
  }[];
}

export interface DiskUsageResult {
  /** Bytes on disk, every segment counted once. */
  readonly totalBytes: number;
  /** What a prune without keep rules would free. */
  readonly reclaimableBytes: number;
  readonly items: readonly {
    readonly kind: "image" | "cache" | "other";
    readonly name: string;
    readonly sizeBytes: number;
    readonly lastUsedAt: number;
    readonly inUse: boolean;
  }[];
}

export interface PruneParams {
  /** Only say what would be freed. */
  readonly dryRun: boolean;
  /** Remove the build cache of everything that is not named, however new. */
  readonly all?: boolean;
  /** Keep what was used within this time. */
  readonly keepMs?: number;
  /** Keep the newest cache up to this size. */
  readonly keepBytes?: number;
}

export interface PruneResult {
  readonly dryRun: boolean;
  readonly freedBytes: number;
  readonly removed: readonly { readonly kind: string; readonly name: string; readonly sizeBytes: number }[];
}

export interface BuildRecord {
  readonly buildId: string;
  readonly kubefile: string;
  readonly contextDir: string;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly outcome: "succeeded" | "failed" | "cancelled";
  readonly references: readonly string[];
  readonly digest?: string;
  readonly steps: readonly {
    readonly info: StepInfo;
    readonly outcome: "cached" | "built" | "metadata" | "failed" | "not reached";
    readonly reason: string;
    readonly durationMs: number;
    readonly layer?: LayerSummary;
  }[];
  readonly error?: ProtocolError;
}

export interface SaveParams {
  readonly reference: string;
  readonly path: string;
  readonly format: "oci-archive" | "oci-dir" | "docker-archive";
}

export interface LoadParams {
  /** Absolute path of an archive or a folder. */
  readonly path: string;
}

export interface LoadResult {
  readonly images: readonly { readonly references: readonly string[]; readonly digest: string }[];
}

/** A place in the files of an image. */
export interface ImagePath {
  /** Digest of the manifest of one platform's image. */
  readonly image: string;
  /** 1 is the lowest; absent means the root file system that all layers make together. */
  readonly layer?: number;
  /** Relative to the root, parts joined by `/`; empty is the root. */
  readonly path: string;
}

/** What stands at a path of an image. */
export interface ImageEntry {
  readonly name: string;
  /** `deleted`: the layer takes away what lies below it. `other`: a device, a pipe. */
  readonly kind: "file" | "directory" | "symlink" | "other" | "deleted";
  /** Of a file, or of the file a symlink leads to; else 0. */
  readonly sizeBytes: number;
  readonly modifiedAt: number;
  /** The layer it comes from; absent for a folder no layer mentions. */
  readonly layer?: number;
  /** Of a symlink: as it is written, and what it leads to inside the image, where it leads anywhere. */
  readonly target?: string;
  readonly leadsTo?: "file" | "directory";
  /** A folder of a layer that hides all that lower layers have in it. */
  readonly opaque?: true;
}

/** Paths in one of two images only, and in both with another content. Sorted bytewise. */
export interface ImageFilesDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** What every transfer needs to know. */
export interface TransferParams {
  /** Chosen by the client; repeated in every progress notification. */
  readonly transferId: string;
  /** Registries that may be spoken to without TLS or without checking it; loopback always may. */
  readonly insecureRegistries?: readonly string[];
}

export interface PullParams extends TransferParams {
  readonly reference: string;
  /** `os/arch[/variant]`, or `all` of an index; absent means this machine's. */
  readonly platform?: string;
  /** `always` when absent. */
  readonly policy?: PullPolicy;
}

export interface PullResult {
  /** Normalised name in the store. */
  readonly reference: string;
  readonly digest: string;
  /** `present`: the store had all of it under this name. */
  readonly how: "present" | "pulled";
  /** Bytes that came over the network. */
  readonly movedBytes: number;
}

export interface PushParams extends TransferParams {
  /** Reference or digest in the store. */
  readonly image: string;
  /** Where it goes; absent means its own name. */
  readonly destination?: string;
  /** Of an index only this image; absent means all of it. */
  readonly platform?: string;
}

export interface PushResult {
  /** Normalised name at the registry. */
  readonly reference: string;
  /** What that name points at now; differs from the store's where layers were compressed. */
  readonly digest: string;
  readonly movedBytes: number;
  readonly blobs: { readonly present: number; readonly mounted: number; readonly uploaded: number };
}

export interface LoadImagesParams extends TransferParams {
  /** Absolute path of an archive or a folder. */
  readonly path: string;
}

export interface LoadImagesResult {
  readonly images: readonly { readonly references: readonly string[]; readonly digest: string }[];
  /** Sentences about what could not be kept as it was. */
  readonly warnings: readonly string[];
}

export interface TransferProgress {
  readonly transferId: string;
  /** What the image has, moved or not, as far as it is known. */
  readonly totalBytes: number;
  readonly doneBytes: number;
  /** What went over the network, or was read from the file. */
  readonly movedBytes: number;
}

/** A login to be tried. It is kept by the client, not by the engine. */
export interface LoginParams {
  /** `host[:port]` as in references, `docker.io` for Docker Hub. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
  readonly insecureRegistries?: readonly string[];
}

export interface LoginResult {
  /** False where the registry asks nobody for a login, so that nothing could be proved. */
  readonly verified: boolean;
}

export interface VerifyResult {
  readonly checkedBlobs: number;
  readonly checkedBytes: number;
  readonly faults: readonly { readonly digest: string; readonly fault: string }[];
}

/** First request on a connection; everything else is refused before it. */
export const initialize: RequestType<InitializeParams, InitializeResult, ProtocolError> = new RequestType("initialize");
/** Builds an image. `buildProgress` notifications with its `buildId` arrive before the answer. */
export const build: RequestType<BuildParams, BuildResult, ProtocolError> = new RequestType("build");
/** Tells what a build would do, without building. */
export const plan: RequestType<PlanParams, PlanResult, ProtocolError> = new RequestType("plan");
/** Tells which container images the files of a build context need, and what is known of them. Asks no registry, writes nothing. */
export const discover: RequestType<DiscoverParams, DiscoverResult, ProtocolError> = new RequestType("discover");
/** Writes `kubefile.lock`. `buildProgress` notifications with its `buildId` arrive before the answer. */
export const lock: RequestType<LockParams, LockResult, ProtocolError> = new RequestType("lock");
export const images: RequestType0<readonly ImageSummary[], ProtocolError> = new RequestType0("images");
/** Everything about one image, by reference or digest. */
export const inspectImage: RequestType<{ readonly reference: string }, ImageDetails, ProtocolError> = new RequestType(
  "inspectImage",
);
/** Takes a name away; the bytes go with the next prune. */
export const removeImage: RequestType<{ readonly reference: string }, { readonly digest: string }, ProtocolError> =
  new RequestType("removeImage");
export const tagImage: RequestType<
  { readonly reference: string; readonly newReference: string },
  { readonly digest: string; readonly reference: string },
  ProtocolError
> = new RequestType("tagImage");
export const diskUsage: RequestType0<DiskUsageResult, ProtocolError> = new RequestType0("diskUsage");
export const prune: RequestType<PruneParams, PruneResult, ProtocolError> = new RequestType("prune");
/** Past builds, newest first. */
export const builds: RequestType<{ readonly limit: number }, readonly BuildRecord[], ProtocolError> = new RequestType(
  "builds",
);
export const saveImage: RequestType<SaveParams, { readonly path: string; readonly sizeBytes: number }, ProtocolError> =
  new RequestType("saveImage");
export const loadImage: RequestType<LoadParams, LoadResult, ProtocolError> = new RequestType("loadImage");
/** What is in a folder of an image: folders first, then by name. Opens the image on first use, which may take the time to read its layers. */
export const imageFolder: RequestType<ImagePath, readonly ImageEntry[], ProtocolError> = new RequestType("imageFolder");
/** What stands at a path of an image. */
export const imageEntry: RequestType<ImagePath, ImageEntry, ProtocolError> = new RequestType("imageEntry");
/** The content of a file of an image, symlinks followed inside it; `FILE_TOO_LARGE` above 16 MiB. */
export const imageFile: RequestType<ImagePath, { readonly base64: string }, ProtocolError> = new RequestType(
  "imageFile",
);
/** The files in which two images, given by their digests, differ. */
export const diffImageFiles: RequestType<
  { readonly before: string; readonly after: string },
  ImageFilesDiff,
  ProtocolError
> = new RequestType("diffImageFiles");
/** Brings an image from a registry. `transferProgress` notifications with its `transferId` arrive before the answer. */
export const pull: RequestType<PullParams, PullResult, ProtocolError> = new RequestType("pull");
/** Sends an image to a registry, with `transferProgress`. */
export const push: RequestType<PushParams, PushResult, ProtocolError> = new RequestType("push");
/** Brings the images of a file or folder, with `transferProgress`. */
export const load: RequestType<LoadImagesParams, LoadImagesResult, ProtocolError> = new RequestType("load");
/** Tries a login at its registry. Keeping it is the client's. */
export const login: RequestType<LoginParams, LoginResult, ProtocolError> = new RequestType("login");
/** Tells, after the client forgot a login, whether docker's files or helpers have one that still counts. */
export const logout: RequestType<{ readonly registry: string }, { readonly knownElsewhere: boolean }, ProtocolError> =
  new RequestType("logout");
/** From the engine to its client: the login for a registry, or null. Asked only after the registry wanted one; never logged. */
export const credentials: RequestType<
  { readonly registry: string },
  { readonly username: string; readonly password: string } | null,
  void
> = new RequestType("credentials");
/** Reads every blob again and compares it with its digest. */
export const verify: RequestType0<VerifyResult, ProtocolError> = new RequestType0("verify");
/** Asks the engine to end after the requests under way; closing its input does the same. */
export const shutdown: RequestType0<null, ProtocolError> = new RequestType0("shutdown");

export const buildProgress: NotificationType<BuildProgress> = new NotificationType("buildProgress");
export const transferProgress: NotificationType<TransferProgress> = new NotificationType("transferProgress");
/** The names or the cache of the store changed, by this process or another: views ask again. */
export const storeChanged: NotificationType<{ readonly what: "images" | "builds" }> = new NotificationType(
  "storeChanged",
);
/** A line for the output channel. */
export const log: NotificationType<{
  readonly level: "error" | "warn" | "info" | "debug";
  readonly text: string;
}> = new NotificationType("log");

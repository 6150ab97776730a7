import { NotificationType0, RequestType } from "vscode-languageserver";

/** What the client says about itself in `initialize`, beside its LSP capabilities. */
export interface KubefileClientOptions {
  /** The client answers `kubefile/imageFacts`, `kubefile/imageTags` and `kubefile/localImages`. */
  readonly imageFacts: boolean;
  /** Commands the client has registered; code lenses and links are offered only for these. */
  readonly commands: readonly string[];
  /** No other extension checks YAML, so this server checks Clusterfiles. */
  readonly checkClusterfiles: boolean;
}

/** An application inside a cluster image, as its metadata tells it. */
export interface ImageApp {
  readonly name: string;
  readonly type?: string;
  readonly files?: readonly string[];
  /** The command line that launches it. */
  readonly launch?: string;
}

/** What is known of an image without fetching it. */
export interface ImageFacts {
  readonly reference: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly layers: number;
  /** RFC 3339. */
  readonly createdAt?: string;
  readonly platforms: readonly string[];
  readonly apps: readonly ImageApp[];
  /** Names of the container images kept inside. */
  readonly containerImages: readonly string[];
  readonly kubernetesVersion?: string;
}

export interface LocalImage {
  readonly reference: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly createdAt?: string;
}

/** Server → client: what the local store knows of an image; null when it is not there. Must not touch the network. */
export const imageFactsRequest: RequestType<
  { readonly reference: string; readonly platform?: string },
  ImageFacts | null,
  void
> = new RequestType("kubefile/imageFacts");

/** Server → client: tags of a repository, newest first where known; null when the registry does not answer. */
export const imageTagsRequest: RequestType<
  { readonly repository: string },
  { readonly tags: readonly string[] } | null,
  void
> = new RequestType("kubefile/imageTags");

/** Server → client: the named images of the local store. */
export const localImagesRequest: RequestType<
  Record<string, never>,
  { readonly images: readonly LocalImage[] } | null,
  void
> = new RequestType("kubefile/localImages");

/** Client → server: the local store changed, ask again. */
export const imagesChanged: NotificationType0 = new NotificationType0("kubefile/imagesChanged");

/** The options with defaults, from whatever `initializationOptions` held. */
export function readClientOptions(options: unknown): KubefileClientOptions {
  const given = typeof options === "object" && options !== null ? (options as Record<string, unknown>) : {};
  const commands = given["commands"];
  return {
    imageFacts: given["imageFacts"] === true,
    commands: Array.isArray(commands) ? commands.filter((command) => typeof command === "string") : [],
    checkClusterfiles: given["checkClusterfiles"] !== false,
  };
}

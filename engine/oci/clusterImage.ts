import { canonicalJson, compareBytewise } from "./canonicalJson.ts";
import {
  asList,
  asText,
  asTextMap,
  asTexts,
  type Checked,
  decodeJson,
  member,
  optional,
  refuse,
  required,
} from "./checkedJson.ts";
import { readPlatform } from "./descriptor.ts";
import type { Platform } from "./platform.ts";

/** Keys of manifest annotations. */
export const annotationKeys = {
  /** JSON of `ImageExtension`; its presence is what makes an image a cluster image. */
  imageExtension: "sealer.image.extension",
  /** JSON list of `ContainerImage`; absent when empty or not looked for. */
  containerImages: "sealer.image.container.images",
  refName: "org.opencontainers.image.ref.name",
  created: "org.opencontainers.image.created",
  baseName: "org.opencontainers.image.base.name",
  baseDigest: "org.opencontainers.image.base.digest",
  /** containerd's full name of an image in an `index.json`. */
  containerdName: "io.containerd.image.name",
} as const;

/** Keys of labels in the image configuration. */
export const labelKeys = {
  sealerVersion: "io.sealer.version",
  supportedKubeVersion: "app.alpha.sealer.io/supported-kube-version",
  /** Followed by the name of the application; value `true`. */
  kubeCniPrefix: "cluster.alpha.sealer.io/kube-cni-",
  kubeCsiPrefix: "cluster.alpha.sealer.io/kube-csi-",
  containerRuntimeType: "cluster.alpha.sealer.io/container-runtime-type",
  clusterRuntimeType: "cluster.alpha.sealer.io/cluster-runtime-type",
} as const;

export type ClusterImageType = "kube-installer" | "app-installer";
export type ApplicationType = "kube" | "helm" | "shell";

/** One application of a cluster image. */
export interface Application {
  readonly name: string;
  /** Absent when no type could be detected; then `cmds` says how it starts. */
  readonly type?: ApplicationType;
  readonly files?: readonly string[];
  readonly version: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cmds?: readonly string[];
}

/** What runs when the image is run: applications by name, or commands. */
export interface Launch {
  readonly cmds?: readonly string[];
  readonly app_names?: readonly string[];
}

/**
 * What makes an OCI image a cluster image, in the field names of the annotation `sealer.image.extension`.
 * @see sealer v0.11, types/api/v1 ImageExtension
 */
export interface ImageExtension {
  readonly buildClient: { readonly sealerVersion: string; readonly buildahVersion: string };
  readonly schemaVersion: string;
  readonly type: ClusterImageType;
  /** Sorted by the bytes of the names when written; sealer's own order is random. */
  readonly applications?: readonly Application[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly launch: Launch;
}

/** A container image packed into a cluster image. */
export interface ContainerImage {
  /** Normalised name, `docker.io/library/nginx:alpine`. */
  readonly image: string;
  /** The application it was found for. */
  readonly appName?: string;
  readonly platform?: Platform;
}

/** Reads the annotation `sealer.image.extension`; unknown members are left out; throws `DOCUMENT_INVALID`. */
export function parseImageExtension(text: string, document: string): ImageExtension {
  const at = decodeJson(Buffer.from(text, "utf8"), document);
  const client = member(at, "buildClient");
  return {
    buildClient: {
      sealerVersion: textOr(client, "sealerVersion"),
      buildahVersion: textOr(client, "buildahVersion"),
    },
    schemaVersion: textOr(at, "schemaVersion"),
    type: readType(at),
    ...optional(at, "applications", (list) => asList(list).map(readApplication)),
    ...optional(at, "labels", asTextMap),
    ...optional(at, "env", asTextMap),
    launch: optional(at, "launch", readLaunch).launch ?? {},
  };
}

/** The text of the annotation: members sorted, applications sorted by name, empty lists and maps left out. */
export function formatImageExtension(extension: ImageExtension): string {
  const applications = [...(extension.applications ?? [])]
    .sort((a, b) => compareBytewise(a.name, b.name))
    .map((application) => ({
      name: application.name,
      type: application.type,
      files: notEmpty(application.files),
      version: application.version,
      env: notEmptyMap(application.env),
      cmds: notEmpty(application.cmds),
    }));
  return canonicalJson({
    buildClient: extension.buildClient,
    schemaVersion: extension.schemaVersion,
    type: extension.type,
    applications: notEmpty(applications),
    labels: notEmptyMap(extension.labels),
    env: notEmptyMap(extension.env),
    launch: { cmds: notEmpty(extension.launch.cmds), app_names: notEmpty(extension.launch.app_names) },
  });
}

/** Reads the annotation `sealer.image.container.images`; throws `DOCUMENT_INVALID`. */
export function parseContainerImages(text: string, document: string): readonly ContainerImage[] {
  const at = decodeJson(Buffer.from(text, "utf8"), document);
  return at.value === null ? [] : asList(at).map(readContainerImage);
}

/** The text of the annotation: sorted by image, then application, then platform, without repeats. Undefined when there are none. */
export function formatContainerImages(images: readonly ContainerImage[]): string | undefined {
  const items = images.map((image) =>
    canonicalJson({
      image: image.image,
      appName: image.appName === "" ? undefined : image.appName,
      platform: image.platform === undefined ? undefined : { ...image.platform },
    }),
  );
  const keyed = images.map((image, i) => ({
    key: `${image.image}\n${image.appName ?? ""}\n${items[i]}`,
    json: items[i] ?? "",
  }));
  keyed.sort((a, b) => compareBytewise(a.key, b.key));
  const unique = [...new Set(keyed.map((item) => item.json))];
  return unique.length === 0 ? undefined : `[${unique.join(",")}]`;
}

/** sealer does not check `--type`, so images with any word exist; running them, it takes all but one for an installer of clusters. */
function readType(at: Checked): ClusterImageType {
  return textOr(at, "type") === "app-installer" ? "app-installer" : "kube-installer";
}

function readApplication(at: Checked): Application {
  // Images of sealer 0.9.0 call the list of files "launchfiles".
  const files = member(at, "files") ?? member(at, "launchfiles");
  return {
    name: asText(required(at, "name")),
    ...optional(at, "type", readApplicationType),
    ...(files === undefined ? {} : { files: asTexts(files) }),
    version: textOr(at, "version"),
    ...optional(at, "env", asTextMap),
    ...optional(at, "cmds", asTexts),
  } satisfies Application;
}

function readApplicationType(at: Checked): ApplicationType {
  const text = asText(at);
  if (text === "kube" || text === "helm" || text === "shell") return text;
  return refuse(at, `"${text}" is not one of kube, helm and shell`);
}

function readLaunch(at: Checked): Launch {
  return { ...optional(at, "cmds", asTexts), ...optional(at, "app_names", asTexts) };
}

function readContainerImage(at: Checked): ContainerImage {
  return {
    image: asText(required(at, "image")),
    ...optional(at, "appName", asText),
    ...optional(at, "platform", readPlatform),
  };
}

function textOr(at: Checked | undefined, name: string): string {
  const found = at === undefined ? undefined : member(at, name);
  return found === undefined ? "" : asText(found);
}

function notEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function notEmptyMap(map: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> | undefined {
  return map === undefined || Object.keys(map).length === 0 ? undefined : map;
}

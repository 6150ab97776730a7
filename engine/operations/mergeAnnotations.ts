/** What makes a cluster image, merged: applications, launch lists, environment, container images. */
import {
  type Application,
  annotationKeys,
  formatContainerImages,
  formatImageExtension,
  type ImageExtension,
  parseContainerImages,
  parseImageExtension,
} from "../oci/clusterImage.ts";
import type { MergeConflict } from "./mergeImages.ts";
import type { PlatformImage } from "./platformImages.ts";

interface Extended {
  readonly image: PlatformImage;
  readonly extension: ImageExtension;
}

/** The annotations of the merged image, and on what the images disagree there. Images that are no cluster images add nothing. */
export function mergeAnnotations(group: readonly PlatformImage[]): {
  readonly annotations: Readonly<Record<string, string>>;
  readonly conflicts: readonly MergeConflict[];
} {
  const extended = group.flatMap((image): readonly Extended[] => {
    const text = image.manifest.annotations?.[annotationKeys.imageExtension];
    return text === undefined ? [] : [{ image, extension: parseImageExtension(text, image.reference) }];
  });
  const containerImages = formatContainerImages(group.flatMap(containerImagesOf));
  const others = Object.assign({}, ...group.map((image) => image.manifest.annotations ?? {})) as Record<string, string>;
  // What these said of one image is no longer true of all.
  for (const key of [annotationKeys.baseName, annotationKeys.baseDigest, annotationKeys.refName]) delete others[key];
  delete others[annotationKeys.containerImages];
  const extension = extensionOf(extended);
  return {
    annotations: {
      ...others,
      ...(extension === undefined ? {} : { [annotationKeys.imageExtension]: formatImageExtension(extension) }),
      ...(containerImages === undefined ? {} : { [annotationKeys.containerImages]: containerImages }),
    },
    conflicts: [...typeConflicts(extended), ...applicationConflicts(extended)],
  };
}

function extensionOf(extended: readonly Extended[]): ImageExtension | undefined {
  const [first] = extended;
  if (first === undefined) return undefined;
  const extensions = extended.map(({ extension }) => extension);
  const applications = new Map<string, Application>();
  for (const { applications: own = [] } of extensions) for (const each of own) applications.set(each.name, each);
  const all = (pick: (extension: ImageExtension) => readonly string[] | undefined): readonly string[] => [
    ...new Set(extensions.flatMap((extension) => pick(extension) ?? [])),
  ];
  return {
    ...first.extension,
    type: extensions.some(({ type }) => type === "kube-installer") ? "kube-installer" : "app-installer",
    applications: [...applications.values()],
    env: Object.assign({}, ...extensions.map(({ env }) => env ?? {})) as Record<string, string>,
    // An image that launches nothing by name launches by commands; both lists are run in the order of the images.
    launch: { app_names: all(({ launch }) => launch.app_names), cmds: all(({ launch }) => launch.cmds) },
  };
}

function containerImagesOf({ manifest, reference }: PlatformImage): ReturnType<typeof parseContainerImages> {
  const text = manifest.annotations?.[annotationKeys.containerImages];
  return text === undefined ? [] : parseContainerImages(text, reference);
}

/** Two images that install different clusters cannot be one; two built on the same installer can. */
function typeConflicts(extended: readonly Extended[]): readonly MergeConflict[] {
  const installers = extended.filter(({ extension }) => extension.type === "kube-installer");
  const [first, ...others] = installers;
  return others.flatMap(({ image }): readonly MergeConflict[] => {
    const base = first?.image.config.rootfs.diff_ids[0];
    if (first === undefined || base === image.config.rootfs.diff_ids[0]) return [];
    return [{ kind: "type", what: "kube-installer", images: [first.image.reference, image.reference] }];
  });
}

function applicationConflicts(extended: readonly Extended[]): readonly MergeConflict[] {
  const seen = new Map<string, { readonly text: string; readonly image: string }>();
  return extended.flatMap(({ extension, image: { reference } }) =>
    (extension.applications ?? []).flatMap((application): readonly MergeConflict[] => {
      const text = JSON.stringify(application);
      const earlier = seen.get(application.name);
      seen.set(application.name, { text, image: reference });
      if (earlier === undefined || earlier.text === text) return [];
      return [{ kind: "application", what: application.name, images: [earlier.image, reference] }];
    }),
  );
}

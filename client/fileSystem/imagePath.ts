import type { ImagePath } from "../../engine/protocol.ts";

/** The scheme of addresses of files in images. */
export const imageScheme = "kubeimage";

/** What the path of a `kubeimage:` address names. */
export type NamedPlace =
  | { readonly kind: "root" }
  /** An image: its folders are `rootfs` and `layer-1`, `layer-2` and so on. */
  | { readonly kind: "image"; readonly image: string }
  | { readonly kind: "file"; readonly at: ImagePath };

/** Reads `/<digest>/rootfs/<path>` and `/<digest>/layer-<n>/<path>`; `undefined` for anything else. */
export function parseImagePath(path: string): NamedPlace | undefined {
  const [image, tree, ...rest] = path.split("/").filter((part) => part !== "");
  if (image === undefined) return { kind: "root" };
  if (!/^sha(?:256|512):[0-9a-f]+$/.test(image)) return undefined;
  if (tree === undefined) return { kind: "image", image };
  if (tree === "rootfs") return { kind: "file", at: { image, path: rest.join("/") } };
  const layer = /^layer-([1-9]\d{0,3})$/.exec(tree)?.[1];
  return layer === undefined ? undefined : { kind: "file", at: { image, layer: Number(layer), path: rest.join("/") } };
}

/** The path of an address; `parseImagePath` reads it back. */
export function formatImagePath({ image, layer, path }: ImagePath): string {
  const root = `/${image}/${layer === undefined ? "rootfs" : `layer-${layer}`}`;
  return path === "" ? root : `${root}/${path}`;
}

/** The path of an entry of a folder. */
export function childOf(folder: ImagePath, name: string): ImagePath {
  return { ...folder, path: folder.path === "" ? name : `${folder.path}/${name}` };
}

import type { Mention } from "./found.ts";
import { isNamedImage } from "./plausible.ts";
import { containersOf, isPodShaped, podSpecImages } from "./podSpec.ts";
import { child, type Tree, textOf } from "./tree.ts";
import { type Add, collect, isCalledImage, joinPath, walk } from "./walk.ts";

/** The free-form parts of a resource that is no built-in workload: pod-shaped maps, keys that say image, repository beside tag. */
export function freeFormImages(resource: Tree): readonly Mention[] {
  const kind = textOf(child(resource, "kind")) ?? "resource";
  const mentions: Mention[] = [];
  const containers = new Set<Tree>();
  walk(resource, "", (tree, path) => {
    if (isPodShaped(tree)) mentions.push(...podSpecImages(tree, path, `${kind} pod`, "high"));
    for (const container of containersOf(tree)) containers.add(container);
    if (!containers.has(tree)) mentions.push(...keyedImages(tree, path, kind));
  });
  return mentions;
}

/** The values of one map whose names say image, and a repository beside a tag. */
export function keyedImages(tree: Tree, path: string, kind: string): readonly Mention[] {
  if (tree.kind !== "map") return [];
  return collect((add) => {
    for (const [key, value] of tree.entries) {
      const text = textOf(value);
      if (text === undefined || !isCalledImage(key) || !isNamedImage(text) || isHalfAName(tree, key, text)) continue;
      add(value, joinPath(path, key), text, `${kind} ${key}`);
    }
    hubImages(tree, path, kind, add);
    const parts = repositoryParts(tree);
    if (parts !== undefined) add(parts.tree, joinPath(path, "repository"), parts.text, `${kind} repository and tag`);
  });
}

const bareName = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** `hub` and `tag` beside each other say where every bare `image` below them comes from, as in Istio's values. */
function hubImages(tree: Tree, path: string, kind: string, add: Add): void {
  const hub = textOf(child(tree, "hub"));
  const tag = textOf(child(tree, "tag"));
  if (hub === undefined || tag === undefined || !isNamedImage(`${hub}/x:${tag}`)) return;
  walk(tree, path, (part, at) => {
    const image = child(part, "image");
    const name = textOf(image);
    if (image !== undefined && name !== undefined && bareName.test(name))
      add(image, joinPath(at, "image"), `${hub}/${name}:${tag}`, `${kind} hub and tag`);
  });
}

const tagKeys = ["tag", "version", "imageTag", "imageVersion"];

/** Whether the tag of a name without one stands beside it: `baseImage` and `version`, `image` and `tag`. */
function isHalfAName(tree: Tree, key: string, text: string): boolean {
  const tagged = /[:@][^/]*$/.test(text);
  return !tagged && (key === "baseImage" || tagKeys.some((name) => child(tree, name) !== undefined));
}

function repositoryParts(tree: Tree): { readonly tree: Tree; readonly text: string } | undefined {
  const repository = child(tree, "repository");
  const name = textOf(repository);
  const tag = textOf(child(tree, "tag")) ?? textOf(child(tree, "version"));
  const digest = textOf(child(tree, "digest")) ?? textOf(child(tree, "sha"));
  if (repository === undefined || name === undefined || (tag === undefined && digest === undefined)) return undefined;
  const registry = textOf(child(tree, "registry"));
  const image = textOf(child(tree, "image"));
  const path = [registry, name, image].filter((part) => part !== undefined).join("/");
  const text = digest?.startsWith("sha256:") ? `${path}@${digest}` : `${path}:${tag ?? ""}`;
  return isNamedImage(text) ? { tree: repository, text } : undefined;
}

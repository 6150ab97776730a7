import type { Mention } from "./found.ts";
import { child, itemsOf, parseDocuments, type Tree, textOf } from "./tree.ts";

/** What a `kustomization.yaml` says about images: a name in its resources stands for another. */
interface ImageChange {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

/** A kustomization of the tree: its folder, the files and folders it builds from, and its image changes. */
interface Kustomization {
  readonly folder: string;
  readonly resources: readonly string[];
  readonly changes: readonly ImageChange[];
}

const fileNames = /(?:^|\/)(?:kustomization\.ya?ml|Kustomization)$/;

/** Whether a file steers kustomize rather than being a resource. */
export function isKustomization(path: string): boolean {
  return fileNames.test(path);
}

/**
 * What kustomize would make of image names: for a file, every name its mentions stand for once each kustomization that builds from the
 * file has changed it. Names that no kustomization changes stay.
 *
 * @param texts path → text of every kustomization of the tree
 * @see kustomize v5, ImageTagTransformer
 */
export function kustomizedMentions(
  texts: ReadonlyMap<string, string>,
): (file: string, mentions: readonly Mention[]) => readonly Mention[] {
  const all = [...texts].map(([path, text]) => readKustomization(path, text));
  const byFolder = new Map(all.map((entry) => [entry.folder, entry]));
  const builders = all
    .filter((entry) => entry.changes.length > 0)
    .map((entry) => ({ ...entry, files: filesOf(entry, byFolder) }));
  if (builders.length === 0) return (_, mentions) => mentions;
  return (file, mentions) => {
    const applying = builders.filter((builder) => builder.files.has(file));
    return applying.length === 0 ? mentions : mentions.flatMap((mention) => changed(mention, applying));
  };
}

function readKustomization(path: string, text: string): Kustomization {
  const tree = parseDocuments(text)[0]?.tree;
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
  const resources = ["resources", "bases", "components"].flatMap((key) =>
    itemsOf(child(tree, key)).flatMap((item) => {
      const resource = textOf(item);
      return resource === undefined || resource.includes("://") ? [] : [resolve(folder, resource)];
    }),
  );
  return { folder, resources, changes: itemsOf(child(tree, "images")).flatMap(readChange) };
}

function readChange(item: Tree): readonly ImageChange[] {
  const value = (key: string): string | undefined => textOf(child(item, key));
  const name = value("name");
  if (name === undefined) return [];
  const [newName, newTag, digest] = [value("newName"), value("newTag"), value("digest")];
  return [
    {
      name,
      ...(newName === undefined ? {} : { newName }),
      ...(newTag === undefined ? {} : { newTag }),
      ...(digest === undefined ? {} : { digest }),
    },
  ];
}

/** Every file a kustomization builds from, through other kustomizations too. */
function filesOf(from: Kustomization, byFolder: ReadonlyMap<string, Kustomization>): ReadonlySet<string> {
  const files = new Set<string>();
  const seen = new Set<Kustomization>([from]);
  for (const entry of seen) {
    for (const resource of entry.resources) {
      const next = byFolder.get(resource);
      if (next === undefined) files.add(resource);
      else seen.add(next);
    }
  }
  return files;
}

function changed(mention: Mention, builders: readonly Kustomization[]): readonly Mention[] {
  const { name, suffix } = split(mention.text);
  const texts = new Set<string>();
  for (const builder of builders) {
    const change = builder.changes.find((entry) => entry.name === name);
    if (change !== undefined) texts.add(applied(change, suffix));
  }
  if (texts.size === 0) return [mention];
  return [...texts].map((text) => ({ ...mention, text, rule: `${mention.rule}, set by kustomize` }));
}

function applied(change: ImageChange, suffix: string): string {
  const name = change.newName ?? change.name;
  if (change.digest !== undefined) return `${name}@${change.digest}`;
  return change.newTag === undefined ? name + suffix : `${name}:${change.newTag}`;
}

function split(text: string): { readonly name: string; readonly suffix: string } {
  const suffix = /(?::[^:/@]+)?(?:@.+)?$/.exec(text)?.[0] ?? "";
  return { name: text.slice(0, text.length - suffix.length), suffix };
}

function resolve(folder: string, relative: string): string {
  const parts: string[] = folder === "" ? [] : folder.split("/");
  for (const part of relative.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

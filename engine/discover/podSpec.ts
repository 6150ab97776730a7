import type { Confidence, Mention } from "./found.ts";
import { child, descend, itemsOf, type Tree, textOf } from "./tree.ts";

/**
 * Where each built-in kind keeps its PodSpec.
 *
 * @see Kubernetes API reference v1.35: Pod, PodTemplate and the workload resources
 */
const podSpecPaths: Readonly<Record<string, readonly string[]>> = {
  Pod: ["spec"],
  PodTemplate: ["template", "spec"],
  Deployment: ["spec", "template", "spec"],
  DaemonSet: ["spec", "template", "spec"],
  StatefulSet: ["spec", "template", "spec"],
  ReplicaSet: ["spec", "template", "spec"],
  ReplicationController: ["spec", "template", "spec"],
  Job: ["spec", "template", "spec"],
  CronJob: ["spec", "jobTemplate", "spec", "template", "spec"],
};

const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;
const builtInGroups: ReadonlySet<string> = new Set(["", "apps", "batch", "extensions"]);

/** The API group of a resource: empty for the core group. */
export function groupOf(resource: Tree): string {
  const version = textOf(child(resource, "apiVersion")) ?? "";
  const slash = version.indexOf("/");
  return slash === -1 ? "" : version.slice(0, slash);
}

/** The path of the PodSpec of a built-in kind; `undefined` for every other resource. */
export function podSpecPath(resource: Tree): readonly string[] | undefined {
  if (!builtInGroups.has(groupOf(resource))) return undefined;
  const kind = textOf(child(resource, "kind"));
  return kind === undefined ? undefined : podSpecPaths[kind];
}

/** The images of a built-in workload: its containers and image volumes. Empty for every other resource. */
export function podImages(resource: Tree): readonly Mention[] {
  const path = podSpecPath(resource);
  if (path === undefined) return [];
  const kind = textOf(child(resource, "kind")) ?? "";
  return podSpecImages(descend(resource, path), path.join("."), kind, "certain");
}

/** The images that a PodSpec names: every kind of container, and volumes made of an image. */
export function podSpecImages(
  spec: Tree | undefined,
  path: string,
  owner: string,
  confidence: Confidence,
): readonly Mention[] {
  const mentions: Mention[] = [];
  const add = (tree: Tree | undefined, at: string, what: string): void => {
    const text = textOf(tree);
    if (tree === undefined || text === undefined) return;
    mentions.push({ text, path: at, line: tree.line, rule: `${owner} ${what}`, confidence });
  };
  for (const list of containerLists) {
    const what = list === "containers" ? "container" : list.slice(0, -1).replace("Container", " container");
    for (const [index, container] of itemsOf(child(spec, list)).entries())
      add(child(container, "image"), `${path}.${list}[${index}].image`, what);
  }
  for (const [index, volume] of itemsOf(child(spec, "volumes")).entries())
    add(descend(volume, ["image", "reference"]), `${path}.volumes[${index}].image.reference`, "image volume");
  return mentions;
}

/** The containers of every kind that a map lists. */
export function containersOf(tree: Tree): readonly Tree[] {
  return containerLists.flatMap((list) => itemsOf(child(tree, list)));
}

/** Whether a map looks like a PodSpec: it has containers, each with a name and an image. */
export function isPodShaped(tree: Tree): boolean {
  const containers = itemsOf(child(tree, "containers"));
  return (
    containers.length > 0 &&
    containers.some(
      (container) => textOf(child(container, "image")) !== undefined && child(container, "name") !== undefined,
    )
  );
}

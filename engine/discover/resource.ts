import { payloadImages } from "./configText.ts";
import { containerPayloads } from "./containerPayloads.ts";
import { type CustomRule, customImages } from "./customResources.ts";
import type { Mention } from "./found.ts";
import { freeFormImages } from "./freeForm.ts";
import { groupOf, podImages, podSpecPath } from "./podSpec.ts";
import { child, type Tree, textOf } from "./tree.ts";

/**
 * Kinds whose `image` fields describe images instead of naming them: schemas and policies. Nothing in them is ever pulled.
 */
const descriptiveKinds: ReadonlySet<string> = new Set([
  "CustomResourceDefinition",
  "APIService",
  "ValidatingAdmissionPolicy",
  "MutatingAdmissionPolicy",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
  "ConstraintTemplate",
  "ClusterRole",
  "Role",
]);
const descriptiveGroups: ReadonlySet<string> = new Set([
  "kyverno.io",
  "policies.kyverno.io",
  "templates.gatekeeper.sh",
  // Clusterfiles name cluster images, which no node ever pulls.
  "sealer.io",
  "sealer.cloud",
  "zlink.aliyun.com",
  "apps.sealos.io",
]);
const descriptiveGroupEnd = ".gatekeeper.sh";

/**
 * The images that one resource names, by every rule that applies to it. A list is looked through item by item, nested lists too.
 *
 * @param resource a document that is a Kubernetes resource, or anything else: then only pod-shaped parts and names that say image count
 * @param rules known custom resources, the project's and the user's
 */
export function resourceImages(resource: Tree, rules: readonly CustomRule[]): readonly Mention[] {
  return unlisted(resource, "").flatMap(({ tree, path }) =>
    oneResource(tree, rules).map((mention) =>
      path === "" ? mention : { ...mention, path: `${path}.${mention.path}` },
    ),
  );
}

interface Item {
  readonly tree: Tree;
  readonly path: string;
}

function unlisted(tree: Tree, path: string): readonly Item[] {
  if (tree.kind === "seq") return tree.items.flatMap((item, index) => unlisted(item, `${path}[${index}]`));
  const kind = textOf(child(tree, "kind"));
  const items = child(tree, "items");
  if (kind?.endsWith("List") !== true || items?.kind !== "seq") return [{ tree, path }];
  return items.items.flatMap((item, index) => unlisted(item, `${path === "" ? "" : `${path}.`}items[${index}]`));
}

function oneResource(resource: Tree, rules: readonly CustomRule[]): readonly Mention[] {
  if (isDescriptive(resource)) return [];
  const builtIn = podSpecPath(resource) !== undefined;
  const kind = textOf(child(resource, "kind"));
  const found = [
    ...podImages(resource),
    ...customImages(resource, rules),
    ...(kind === "ConfigMap" || kind === "Secret" || builtIn ? [] : freeFormImages(resource)),
    ...containerPayloads(resource),
    ...payloadImages(resource),
    ...annotationImages(resource),
  ];
  return surestPerPlace(found);
}

function isDescriptive(resource: Tree): boolean {
  const group = groupOf(resource);
  if (descriptiveGroups.has(group) || group.endsWith(descriptiveGroupEnd)) return true;
  return descriptiveKinds.has(textOf(child(resource, "kind")) ?? "");
}

/** Images that an operator reads from annotations: of the resource itself and of its pod template. */
function annotationImages(resource: Tree): readonly Mention[] {
  const path = podSpecPath(resource);
  const holders: Item[] = [{ tree: resource, path: "" }];
  if (path !== undefined && path.length > 1) {
    const template = path.slice(0, -1).reduce<Tree | undefined>(child, resource);
    if (template !== undefined) holders.push({ tree: template, path: `${path.slice(0, -1).join(".")}.` });
  }
  return holders.flatMap((holder) => {
    const annotations = child(child(holder.tree, "metadata"), "annotations");
    if (annotations === undefined) return [];
    return freeFormImages(annotations).map((mention) => ({
      ...mention,
      path: `${holder.path}metadata.annotations.${mention.path}`,
      rule: "annotation",
    }));
  });
}

/** One mention a place: the first rule that found it, which is the surest. */
function surestPerPlace(mentions: readonly Mention[]): readonly Mention[] {
  const seen = new Map<string, Mention>();
  for (const mention of mentions) {
    const key = `${mention.path}\0${mention.text}`;
    if (!seen.has(key)) seen.set(key, mention);
  }
  return [...seen.values()];
}

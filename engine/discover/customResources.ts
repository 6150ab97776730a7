import type { Mention } from "./found.ts";
import { groupOf } from "./podSpec.ts";
import { child, descend, type Tree, textOf } from "./tree.ts";

/**
 * Where a known custom resource names images. A path's segments are keys; `*` is any key or any item of a list. `image` is one value
 * that is a whole reference; `parts` is put together from values beside each other.
 */
export interface CustomRule {
  readonly group: string;
  /** A kind, or `*` for every kind of the group. */
  readonly kind: string;
  readonly path: string;
  readonly take:
    | { readonly image: string }
    | {
        readonly registry?: string;
        readonly repository: string;
        readonly tag: string;
        /** Where the tag stands when it is not beside the repository: a path of keys from the top of the resource. */
        readonly tagIn?: string;
      };
}

const image = (group: string, kind: string, path: string, key = "image"): CustomRule => ({
  group,
  kind,
  path,
  take: { image: key },
});

const argoTemplates = ["WorkflowTemplate", "ClusterWorkflowTemplate", "Workflow"].flatMap((kind) =>
  ["container", "script", "sidecars.*", "initContainers.*", "containerSet.containers.*"].map((part) =>
    image("argoproj.io", kind, `spec.templates.*.${part}`),
  ),
);
const argoCron = ["container", "script", "sidecars.*", "initContainers.*"].map((part) =>
  image("argoproj.io", "CronWorkflow", `spec.workflowSpec.templates.*.${part}`),
);
const tekton = ["spec", "spec.taskSpec", "spec.pipelineSpec.tasks.*.taskSpec", "spec.tasks.*.taskSpec"].flatMap((at) =>
  ["steps.*", "sidecars.*", "stepTemplate"].map((part) => image("tekton.dev", "*", `${at}.${part}`)),
);
const prometheus = ["Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"].flatMap((kind): CustomRule[] => [
  image("monitoring.coreos.com", kind, "spec"),
  image("monitoring.coreos.com", kind, "spec.thanos"),
  { group: "monitoring.coreos.com", kind, path: "spec", take: { repository: "baseImage", tag: "version" } },
]);

/**
 * The custom resources known by name.
 *
 * @see the CRDs of Prometheus Operator, Argo Workflows, Tekton, CloudNativePG, Rook, NVIDIA GPU Operator, OLM, KubeVirt and Istio
 */
export const knownRules: readonly CustomRule[] = [
  ...prometheus,
  ...argoTemplates,
  ...argoCron,
  ...tekton,
  image("postgresql.cnpg.io", "Cluster", "spec", "imageName"),
  image("postgresql.cnpg.io", "ImageCatalog", "spec.images.*"),
  image("postgresql.cnpg.io", "ClusterImageCatalog", "spec.images.*"),
  image("ceph.rook.io", "CephCluster", "spec.cephVersion"),
  {
    group: "nvidia.com",
    kind: "ClusterPolicy",
    path: "spec.*",
    take: { registry: "repository", repository: "image", tag: "version" },
  },
  {
    group: "pingcap.com",
    kind: "TidbCluster",
    path: "spec.*",
    take: { repository: "baseImage", tag: "version", tagIn: "spec" },
  },
  image("operators.coreos.com", "ClusterServiceVersion", "spec.relatedImages.*"),
  image("operators.coreos.com", "ClusterServiceVersion", "metadata.annotations", "containerImage"),
  image("operators.coreos.com", "CatalogSource", "spec"),
  image("kubevirt.io", "*", "spec.template.spec.volumes.*.containerDisk"),
  image("kubevirt.io", "*", "spec.volumes.*.containerDisk"),
];

/** The images that the rules find in a custom resource. */
export function customImages(resource: Tree, rules: readonly CustomRule[]): readonly Mention[] {
  const group = groupOf(resource);
  const kind = textOf(child(resource, "kind")) ?? "";
  return rules
    .filter((rule) => rule.group === group && (rule.kind === "*" || rule.kind === kind))
    .flatMap((rule) =>
      select(resource, rule.path.split("."), "").flatMap((place) => {
        const mention = take(place, rule, resource);
        return mention === undefined ? [] : [mention];
      }),
    );
}

interface Place {
  readonly tree: Tree;
  readonly path: string;
}

function select(tree: Tree, segments: readonly string[], path: string): readonly Place[] {
  const [head, ...rest] = segments;
  if (head === undefined) return [{ tree, path }];
  const at = (key: string): string => (path === "" ? key : `${path}.${key}`);
  if (tree.kind === "seq")
    return head === "*" ? tree.items.flatMap((item, index) => select(item, rest, `${path}[${index}]`)) : [];
  if (tree.kind !== "map") return [];
  if (head === "*") return [...tree.entries].flatMap(([key, value]) => select(value, rest, at(key)));
  const next = tree.entries.get(head);
  return next === undefined ? [] : select(next, rest, at(head));
}

function take(place: Place, rule: CustomRule, resource: Tree): Mention | undefined {
  const kind = textOf(child(resource, "kind")) ?? "";
  const value = (key: string | undefined): string | undefined =>
    key === undefined ? undefined : textOf(child(place.tree, key));
  if (!("repository" in rule.take)) {
    const tree = child(place.tree, rule.take.image);
    const text = textOf(tree);
    if (tree === undefined || text === undefined) return undefined;
    return {
      text,
      path: `${place.path}.${rule.take.image}`,
      line: tree.line,
      rule: `${kind} image`,
      confidence: "high",
    };
  }
  const repository = value(rule.take.repository);
  const tagHolder = rule.take.tagIn === undefined ? place.tree : descend(resource, rule.take.tagIn.split("."));
  const tag = value(rule.take.tag) ?? textOf(child(tagHolder, rule.take.tag));
  if (repository === undefined || tag === undefined) return undefined;
  const registry = value(rule.take.registry);
  const name = registry === undefined ? repository : `${registry}/${repository}`;
  const text = tag.startsWith("sha256:") ? `${name}@${tag}` : `${name}:${tag}`;
  return {
    text,
    path: `${place.path}.${rule.take.repository}`,
    line: child(place.tree, rule.take.repository)?.line ?? place.tree.line,
    rule: `${kind} image parts`,
    confidence: "high",
  };
}

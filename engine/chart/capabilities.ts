/** What `.Capabilities` says about the cluster a chart is rendered for. */
import { GoFunction, Named, stringList, type Value } from "./go/value.ts";

/** The cluster a chart is rendered for. */
export interface Capabilities {
  /** `v1.35.0`, as `.Capabilities.KubeVersion.Version`. */
  readonly kubeVersion: string;
  /** API groups and versions beside those every cluster has, such as `monitoring.coreos.com/v1`. */
  readonly extraApiVersions: readonly string[];
}

/** The Kubernetes that Helm 4.1.4 assumes when none is named. */
export const defaultKubeVersion = "v1.35.0";

const core = "v1";
/** Group → versions Helm 4.1.4 knows, in its order. */
const knownGroups: readonly (readonly [string, string])[] = [
  ["admissionregistration.k8s.io", "v1 v1alpha1 v1beta1"],
  ["internal.apiserver.k8s.io", "v1alpha1"],
  ["apps", "v1 v1beta1 v1beta2"],
  ["authentication.k8s.io", "v1 v1alpha1 v1beta1"],
  ["authorization.k8s.io", "v1 v1beta1"],
  ["autoscaling", "v1 v2 v2beta1 v2beta2"],
  ["batch", "v1 v1beta1"],
  ["certificates.k8s.io", "v1 v1beta1 v1alpha1"],
  ["coordination.k8s.io", "v1alpha2 v1beta1 v1"],
  ["discovery.k8s.io", "v1 v1beta1"],
  ["events.k8s.io", "v1 v1beta1"],
  ["extensions", "v1beta1"],
  ["flowcontrol.apiserver.k8s.io", "v1 v1beta1 v1beta2 v1beta3"],
  ["networking.k8s.io", "v1 v1beta1"],
  ["node.k8s.io", "v1 v1alpha1 v1beta1"],
  ["policy", "v1 v1beta1"],
  ["rbac.authorization.k8s.io", "v1 v1beta1 v1alpha1"],
  ["resource.k8s.io", "v1 v1beta2 v1beta1 v1alpha3"],
  ["scheduling.k8s.io", "v1alpha1 v1beta1 v1"],
  ["storage.k8s.io", "v1beta1 v1 v1alpha1"],
  ["storagemigration.k8s.io", "v1beta1"],
  ["apiextensions.k8s.io", "v1beta1 v1"],
];

/** Every API version Helm 4.1.4 assumes. */
export const defaultApiVersions: readonly string[] = [
  core,
  ...knownGroups.flatMap(([group, versions]) => versions.split(" ").map((version) => `${group}/${version}`)),
];

/** A Kubernetes version in its parts; undefined when the text is none. `v1.33.4-gke.1` keeps its suffix in `version`. */
export function parseKubeVersion(
  text: string,
):
  | { readonly version: string; readonly normalized: string; readonly major: string; readonly minor: string }
  | undefined {
  const found = /^\s*v?((?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+)(?=\D|$)/.exec(text);
  const numbers = found?.[1]?.split(".") ?? [];
  if (numbers.length < 2) return undefined;
  const version = text.startsWith("v") ? text : `v${text}`;
  const [major = "", minor = ""] = numbers;
  return { version, normalized: `v${numbers.join(".")}`, major, minor };
}

/** The value of `.Capabilities`. */
export function capabilitiesValue(capabilities: Capabilities): Value {
  const apiVersions = [...defaultApiVersions, ...capabilities.extraApiVersions];
  const known = new Set(apiVersions);
  const has = new GoFunction(["string"], undefined, ([name]) => known.has(String(name)));
  return new Named({
    goType: "*common.Capabilities",
    kind: "ptr",
    fields: new Map<string, Value>([
      ["KubeVersion", kubeVersionValue(capabilities.kubeVersion)],
      [
        "APIVersions",
        new Named({
          goType: "common.VersionSet",
          kind: "slice",
          underlying: stringList(apiVersions),
          methods: new Map([["Has", has]]),
        }),
      ],
      ["HelmVersion", helmVersion],
    ]),
  });
}

function kubeVersionValue(text: string): Value {
  const parsed = parseKubeVersion(text) ?? { version: text, normalized: text, major: "", minor: "" };
  return new Named({
    goType: "common.KubeVersion",
    kind: "struct",
    fields: new Map([
      ["Version", parsed.version],
      ["normalizedVersion", parsed.normalized],
      ["Major", parsed.major],
      ["Minor", parsed.minor],
    ]),
    methods: new Map([
      ["String", new GoFunction([], undefined, () => parsed.normalized)],
      ["GitVersion", new GoFunction([], undefined, () => parsed.version)],
    ]),
    shownAs: parsed.normalized,
  });
}

/** Charts ask for the Helm that renders them; they get the one this engine follows. */
const helmVersion = new Named({
  goType: "version.BuildInfo",
  kind: "struct",
  fields: new Map([
    ["Version", "v4.1.4"],
    ["GitCommit", ""],
    ["GitTreeState", "clean"],
    ["GoVersion", "go1.25.9"],
    ["KubeClientVersion", "v1.35"],
  ]),
});

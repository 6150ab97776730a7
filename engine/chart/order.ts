/** Rendered files to documents: split, told apart from hooks, sorted in the order Helm installs kinds. */
import { compareText, isList, type Value } from "./go/value.ts";
import { readYaml, YamlError } from "./yaml/read.ts";

/** One rendered document. */
export interface RenderedDocument {
  /** Path of the template, as Helm's `# Source:` line has it. */
  readonly source: string;
  /** Full path of the chart it belongs to: `wordpress/charts/mariadb`. */
  readonly chartPath: string;
  readonly text: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Events of a hook (`pre-install`, `test` …); empty for a plain document. */
  readonly hookEvents: readonly string[];
  readonly hookWeight: number;
  /** From the chart's `crds/` folder, as it stands there. */
  readonly isCrd: boolean;
}

/** A rendered file that is no YAML; the message is Helm's. */
export class ManifestError extends Error {
  readonly source: string;

  constructor(source: string, message: string) {
    super(message);
    this.source = source;
  }
}

const installOrder: readonly string[] = [
  "PriorityClass",
  "Namespace",
  "NetworkPolicy",
  "ResourceQuota",
  "LimitRange",
  "PodSecurityPolicy",
  "PodDisruptionBudget",
  "ServiceAccount",
  "Secret",
  "SecretList",
  "ConfigMap",
  "StorageClass",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "CustomResourceDefinition",
  "ClusterRole",
  "ClusterRoleList",
  "ClusterRoleBinding",
  "ClusterRoleBindingList",
  "Role",
  "RoleList",
  "RoleBinding",
  "RoleBindingList",
  "Service",
  "DaemonSet",
  "Pod",
  "ReplicationController",
  "ReplicaSet",
  "Deployment",
  "HorizontalPodAutoscaler",
  "StatefulSet",
  "Job",
  "CronJob",
  "IngressClass",
  "Ingress",
  "APIService",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
];
const rank = new Map(installOrder.map((kind, i) => [kind, i]));

const hookEvents = new Set([
  "pre-install",
  "post-install",
  "pre-delete",
  "post-delete",
  "pre-upgrade",
  "post-upgrade",
  "pre-rollback",
  "post-rollback",
  "test",
]);

/** What a rendered file is split into before sorting. */
export interface RenderedFile {
  readonly source: string;
  readonly chartPath: string;
  readonly text: string;
}

/**
 * Sorts rendered files into plain documents and hooks, each in install order.
 * @throws ManifestError for the first file that is no YAML
 */
export function sortDocuments(files: readonly RenderedFile[]): {
  readonly manifests: readonly RenderedDocument[];
  readonly hooks: readonly RenderedDocument[];
} {
  const documents = files
    .toSorted((a, b) => compareText(a.source, b.source))
    .flatMap((file) => splitManifests(file.text).flatMap((text) => documentOf(file, text)));
  const byKind = (a: RenderedDocument, b: RenderedDocument): number => compareKinds(a.kind, b.kind);
  return {
    manifests: documents.filter((document) => document.hookEvents.length === 0).sort(byKind),
    hooks: documents.filter((document) => document.hookEvents.length > 0).sort(byKind),
  };
}

function compareKinds(a: string, b: string): number {
  const x = rank.get(a);
  const y = rank.get(b);
  if (x === undefined && y === undefined) return compareText(a, b);
  if (x === undefined) return 1;
  return y === undefined ? -1 : x - y;
}

const isSpace = (char: string | undefined): boolean => char !== undefined && "\t\n\f\r ".includes(char);

/** Splits a file at lines that begin with `---`, as Helm does. */
export function splitManifests(file: string): string[] {
  const text = file.trim();
  const documents: string[] = [];
  let from = 0;
  let search = 0;
  for (;;) {
    const at = text.indexOf("---", search);
    if (at < 0) break;
    const isFirst = at === 0;
    if (!isFirst && (text[at - 1] !== "\n" || at - 1 < from)) {
      search = at + 1;
      continue;
    }
    let end = isFirst ? 0 : at - 1;
    while (end > from && isSpace(text[end - 1])) end--;
    documents.push(text.slice(from, end));
    from = at + 3;
    while (isSpace(text[from])) from++;
    search = from;
  }
  documents.push(text.slice(from));
  return documents.filter((document) => document !== "").map((document) => document.trim());
}

function documentOf(file: RenderedFile, text: string): RenderedDocument[] {
  let value: Value;
  try {
    value = readYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new ManifestError(file.source, `YAML parse error on ${file.source}: ${error.message}`);
  }
  const head = headOf(file.source, value);
  const base = { source: file.source, chartPath: file.chartPath, text, isCrd: false, ...head.identity };
  const types = head.annotations.get("helm.sh/hook");
  if (types === undefined) return [{ ...base, hookEvents: [], hookWeight: 0 }];
  const events = types.split(",").map((type) => type.trim().toLowerCase());
  const known = events.map((event) => (event === "test-success" ? "test" : event));
  // A hook Helm does not know is left out, as Helm leaves it out.
  if (!known.every((event) => hookEvents.has(event))) return [];
  const weight = head.annotations.get("helm.sh/hook-weight") ?? "";
  return [{ ...base, hookEvents: known, hookWeight: /^[+-]?\d+$/.test(weight) ? Number(weight) : 0 }];
}

interface Head {
  readonly identity: { readonly apiVersion: string; readonly kind: string; readonly name: string };
  readonly annotations: ReadonlyMap<string, string>;
}

function headOf(source: string, value: Value): Head {
  const fail = (found: string, where: string): never => {
    throw new ManifestError(
      source,
      `YAML parse error on ${source}: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${found} into Go ${where}`,
    );
  };
  if (value !== null && value !== undefined && !(value instanceof Map)) {
    fail(jsonKind(value), "value of type util.SimpleHead");
  }
  const map = value instanceof Map ? value : new Map<string, Value>();
  const text = (holder: ReadonlyMap<string, Value>, key: string, field: string): string => {
    const found = holder.get(key);
    if (found === undefined || found === null) return "";
    if (found instanceof Map || isList(found)) return fail(jsonKind(found), `struct field ${field} of type string`);
    return typeof found === "string" ? found : String(found);
  };
  const metadata = map.get("metadata") ?? null;
  if (metadata !== null && !(metadata instanceof Map)) {
    fail(
      jsonKind(metadata),
      'struct field SimpleHead.metadata of type struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }',
    );
  }
  const meta = metadata instanceof Map ? metadata : new Map<string, Value>();
  const given = meta.get("annotations") ?? null;
  if (given !== null && !(given instanceof Map)) {
    fail(jsonKind(given), "struct field .metadata.annotations of type map[string]string");
  }
  const annotations = new Map<string, string>();
  if (given instanceof Map) {
    for (const key of given.keys()) annotations.set(key, text(given, key, ".metadata.annotations"));
  }
  return {
    identity: {
      apiVersion: text(map, "apiVersion", "SimpleHead.apiVersion"),
      kind: text(map, "kind", "SimpleHead.kind"),
      name: text(meta, "name", ".metadata.name"),
    },
    annotations,
  };
}

function jsonKind(value: Value): string {
  if (value instanceof Map) return "object";
  if (isList(value)) return "array";
  if (typeof value === "string") return "string";
  return typeof value === "boolean" ? "bool" : "number";
}

/** Documents as `helm template` prints them. */
export function printDocuments(documents: readonly RenderedDocument[]): string {
  const body = documents.map(({ source, text }) => `---\n# Source: ${source}\n${text}\n`);
  const plain = documents.findIndex((document) => document.hookEvents.length > 0);
  const manifests = (plain < 0 ? body : body.slice(0, plain)).join("").trim();
  return `${manifests}\n${plain < 0 ? "" : body.slice(plain).join("")}`;
}

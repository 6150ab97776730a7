/** Chart.yaml and requirements.yaml: what a chart says about itself. */

import { parseVersion } from "./functions/semver.ts";
import { formatFloat } from "./go/floats.ts";
import { isList, nilMap, typedMap, type Value, type ValueMap } from "./go/value.ts";
import { GoError } from "./template/failure.ts";
import { readYaml, YamlError } from "./yaml/read.ts";

/** One entry of `dependencies`. */
export interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
  readonly condition: string;
  readonly tags: readonly string[];
  readonly importValues: readonly Value[];
  readonly alias: string;
}

/** What Chart.yaml says. Texts that are absent are empty. */
export interface Metadata {
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly appVersion: string;
  readonly kubeVersion: string;
  readonly type: string;
  readonly deprecated: boolean;
  readonly annotations: ReadonlyMap<string, string> | undefined;
  readonly dependencies: readonly Dependency[];
  /** The fields only templates read, by the names they have in `.Chart`. */
  readonly others: ReadonlyMap<string, Value>;
}

/** A Chart.yaml that cannot be used; the message is Helm's. */
export class MetadataError extends Error {}

/** A text field: numbers and booleans become text as sigs.k8s.io/yaml does it. */
function textField(map: ValueMap, key: string, where: string): string {
  const value = map.get(key);
  if (value === undefined || value === null) return "";
  return asText(value, `${where}.${key}`);
}

function asText(value: Value, field: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    return Number.isInteger(value) && Math.abs(value) < 1e21
      ? BigInt(value).toString()
      : formatFloat(Number(Math.fround(value).toPrecision(8)), "g", -1);
  }
  const found = value instanceof Map ? "object" : "array";
  throw new MetadataError(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${found} into Go struct field ${field} of type string`,
  );
}

function listField(map: ValueMap, key: string, where: string): readonly Value[] {
  const value = map.get(key);
  if (value === undefined || value === null) return [];
  if (isList(value)) return value;
  const found = value instanceof Map ? "object" : typeof value === "string" ? "string" : "number";
  throw new MetadataError(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${found} into Go struct field ${where}.${key} of type []string`,
  );
}

function texts(map: ValueMap, key: string, where: string): string[] {
  return listField(map, key, where).map((item) => (item === null ? "" : asText(item, `${where}.${key}`)));
}

function readMap(text: string): ValueMap {
  let value: Value;
  try {
    value = readYaml(text);
  } catch (error) {
    throw error instanceof YamlError ? new MetadataError(error.message) : error;
  }
  if (value instanceof Map) return value;
  if (value === null) return new Map();
  throw new MetadataError(
    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type v2.Metadata",
  );
}

function dependencyOf(value: Value): Dependency {
  if (!(value instanceof Map)) throw new MetadataError("validation: dependencies must not contain empty or null nodes");
  const text = (key: string): string => textField(value, key, "Dependency");
  return {
    name: text("name"),
    version: text("version"),
    repository: text("repository"),
    condition: text("condition"),
    tags: texts(value, "tags", "Dependency"),
    importValues: listField(value, "import-values", "Dependency"),
    alias: text("alias"),
  };
}

/**
 * Reads Chart.yaml and, for old charts, requirements.yaml.
 * @throws MetadataError with Helm's words
 */
export function readMetadata(chartYaml: string, requirementsYaml: string | undefined): Metadata {
  const requirements =
    requirementsYaml === undefined
      ? undefined
      : prefixed("cannot load requirements.yaml", () => readMap(requirementsYaml));
  const metadata = prefixed("cannot load Chart.yaml", () => metadataOf(readMap(chartYaml), requirements));
  validate(metadata);
  return metadata;
}

function metadataOf(map: ValueMap, requirements: ValueMap | undefined): Metadata {
  const text = (key: string): string => textField(map, key, "Metadata");
  const apiVersion = text("apiVersion") === "" ? "v1" : text("apiVersion");
  // requirements.yaml is read over Chart.yaml, field by field.
  const source = requirements?.has("dependencies") === true ? requirements : map;
  const annotations = map.get("annotations");
  return {
    name: text("name"),
    version: text("version"),
    apiVersion,
    appVersion: text("appVersion"),
    kubeVersion: text("kubeVersion"),
    type: text("type"),
    deprecated: map.get("deprecated") === true,
    annotations:
      annotations instanceof Map
        ? new Map(
            [...annotations].map(([key, value]) => [key, value === null ? "" : asText(value, "Metadata.annotations")]),
          )
        : undefined,
    dependencies: listField(source, "dependencies", "Metadata").map(dependencyOf),
    others: new Map<string, Value>([
      ["Home", text("home")],
      ["Sources", texts(map, "sources", "Metadata")],
      ["Description", text("description")],
      ["Keywords", texts(map, "keywords", "Metadata")],
      ["Maintainers", listField(map, "maintainers", "Metadata").map(maintainerValue)],
      ["Icon", text("icon")],
      ["Condition", text("condition")],
      ["Tags", text("tags")],
    ]),
  };
}

function prefixed<T>(prefix: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof MetadataError ? new MetadataError(`${prefix}: ${error.message}`) : error;
  }
}

function maintainerValue(value: Value): Value {
  if (!(value instanceof Map)) throw new MetadataError("validation: maintainers must not contain empty or null nodes");
  const text = (key: string): string => textField(value, key, "Maintainer");
  return new Map([
    ["Name", text("name")],
    ["Email", text("email")],
    ["URL", text("url")],
  ]);
}

function refuse(reason: string): never {
  throw new MetadataError(`validation: chart.metadata.${reason}`);
}

function validate(metadata: Metadata): void {
  const { name, version, type } = metadata;
  if (name === "") refuse("name is required");
  if (name === "." || name === "..") refuse(`name ${JSON.stringify(name)} is not allowed`);
  if (name.includes("/")) refuse(`name ${JSON.stringify(name)} is invalid`);
  if (version === "") refuse("version is required");
  validateVersion(version);
  if (type !== "" && type !== "application" && type !== "library") refuse("type must be application or library");
  validateDependencies(metadata.dependencies);
}

function validateVersion(version: string): void {
  try {
    parseVersion(version);
  } catch (error) {
    if (error instanceof GoError) refuse(`version ${JSON.stringify(version)} is invalid`);
    throw error;
  }
}

function validateDependencies(dependencies: readonly Dependency[]): void {
  const seen = new Set<string>();
  for (const { name: dependency, alias } of dependencies) {
    if (alias !== "" && !/^[a-zA-Z0-9_-]+$/.test(alias)) {
      throw new MetadataError(
        `validation: dependency ${JSON.stringify(dependency)} has disallowed characters in the alias`,
      );
    }
    const key = alias === "" ? dependency : alias;
    if (seen.has(key)) {
      throw new MetadataError(`validation: more than one dependency with name or alias ${JSON.stringify(key)}`);
    }
    seen.add(key);
  }
}

/** The value of `.Chart`. */
export function chartValue(
  metadata: Metadata,
  name: string,
  dependencies: readonly EnabledDependency[],
  isRoot: boolean,
): ValueMap {
  return new Map<string, Value>([
    ...metadata.others,
    ["Name", name],
    ["Version", metadata.version],
    ["APIVersion", metadata.apiVersion],
    ["AppVersion", metadata.appVersion],
    ["KubeVersion", metadata.kubeVersion],
    ["Type", metadata.type],
    ["Deprecated", metadata.deprecated],
    [
      "Annotations",
      typedMap(metadata.annotations === undefined ? nilMap() : new Map(metadata.annotations), "map[string]string"),
    ],
    ["Dependencies", dependencies.map(dependencyValue)],
    ["IsRoot", isRoot],
  ]);
}

/** A dependency that takes part in a render; its name is the alias when it has one. */
export interface EnabledDependency extends Dependency {
  readonly enabled: boolean;
}

function dependencyValue(dependency: EnabledDependency): Value {
  return new Map<string, Value>([
    ["Name", dependency.name],
    ["Version", dependency.version],
    ["Repository", dependency.repository],
    ["Condition", dependency.condition],
    ["Tags", dependency.tags],
    ["Enabled", dependency.enabled],
    ["ImportValues", dependency.importValues],
    ["Alias", dependency.alias],
  ]);
}

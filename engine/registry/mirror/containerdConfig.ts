import { EngineError } from "../../errors.ts";
import type { Finding, MirrorConfig, NodeFiles, PlannedFile } from "./mirrorConfig.ts";
import { readTomlTables, type TomlTable, tomlString, tomlText } from "./tomlTables.ts";

/** The tables of the plugin that pulls for the kubelet, in containerd 1 and 2. */
const registryTables = {
  1: ["plugins", "io.containerd.grpc.v1.cri", "registry"],
  2: ["plugins", "io.containerd.cri.v1.images", "registry"],
} as const;

/** The folder that containerd looks hosts up in, from its `config.toml`; `undefined` when it says none. */
export function configPathOf(text: string): string | undefined {
  for (const table of registryTablesOf(text)) {
    const found = tomlString(table.values.get("config_path"));
    if (found !== undefined && found !== "") return found;
  }
  return undefined;
}

function registryTablesOf(text: string): readonly TomlTable[] {
  return readTomlTables(text).filter((table) => Object.values(registryTables).some((name) => isSame(table.name, name)));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}

/**
 * `config.toml` with `config_path`, everything else as it is; empty when it says one folder already.
 *
 * Throws `MIRROR_FILE_CONFLICT` for what containerd would not start with, or would silently not use.
 */
export function planConfigPath(
  config: MirrorConfig,
  node: NodeFiles,
  file: string,
  folder: string,
): readonly PlannedFile[] {
  const text = node.read(file) ?? "";
  const known = configPathOf(text);
  const conflict = conflictOf(text, known);
  if (conflict !== undefined) throw new EngineError("MIRROR_FILE_CONFLICT", { file, problem: conflict });
  return known === undefined
    ? [{ path: file, text: withConfigPath(text, config.containerdMajor, folder), secret: false }]
    : [];
}

/** What stands against a mirror in `config.toml`. */
export function examineConfigPath(node: NodeFiles, file: string): readonly Finding[] {
  const text = node.read(file) ?? "";
  const known = configPathOf(text);
  const conflict = conflictOf(text, known);
  if (conflict !== undefined)
    return [{ level: "error", file, text: `${conflict[0]?.toUpperCase() ?? ""}${conflict.slice(1)}.` }];
  if (known !== undefined) return [];
  return [{ level: "error", file, text: "It has no config_path: the kubelet's pulls do not look at any hosts.toml." }];
}

function conflictOf(text: string, known: string | undefined): string | undefined {
  if (known?.includes(":") === true)
    return `config_path lists several folders (${known}); containerd 2.1 and later then use no mirror at all for the kubelet's pulls: name one`;
  const old = readTomlTables(text).find((table) =>
    Object.values(registryTables).some((name) => isOldMirror(table, name)),
  );
  if (old === undefined) return undefined;
  return `it has the table [${old.name.join(".")}]; containerd does not start with both that and config_path: move it to a hosts.toml`;
}

/** `registry.mirrors.…`, and the parts of `registry.configs.…` that a `hosts.toml` replaces. */
function isOldMirror(table: TomlTable, name: readonly string[]): boolean {
  const below = table.name.slice(name.length);
  return (
    isSame(table.name.slice(0, name.length), name) &&
    (below[0] === "mirrors" || (below[0] === "configs" && below.at(-1) === "tls"))
  );
}

function withConfigPath(text: string, containerdMajor: 1 | 2, folder: string): string {
  const [table] = registryTablesOf(text);
  const line = `config_path = ${tomlText(folder)}`;
  if (table !== undefined) {
    const lines = text.split("\n");
    const own = lines.slice(table.firstLine, table.endLine).findIndex((each) => /^\s*config_path\s*=/.test(each));
    if (own === -1) lines.splice(table.firstLine + 1, 0, `  ${line}`);
    else lines[table.firstLine + own] = `  ${line}`;
    return lines.join("\n");
  }
  const version = tomlVersion(text) ?? (containerdMajor === 1 ? 2 : 3);
  const name = registryTables[version >= 3 ? 2 : 1]
    .map((part) => (/^[a-z]+$/.test(part) ? part : tomlText(part)))
    .join(".");
  const start = text === "" ? `version = ${version}\n` : text.endsWith("\n") ? text : `${text}\n`;
  return `${start}\n[${name}]\n  ${line}\n`;
}

function tomlVersion(text: string): number | undefined {
  const written = readTomlTables(text)[0]?.values.get("version");
  return written !== undefined && /^\d+$/.test(written) ? Number(written) : undefined;
}

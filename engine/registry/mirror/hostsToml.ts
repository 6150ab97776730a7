import { type Finding, type MirrorConfig, mirrorUrl, type NodeFiles, type PlannedFile } from "./mirrorConfig.ts";
import { readTomlTables, tomlString, tomlText } from "./tomlTables.ts";

/**
 * The `hosts.toml` that sends every registry to the mirror, for containerd and all that share its code.
 *
 * Air-gapped, the mirror is both `[host]` and `server`: with `server` alone containerd 1.6 ignores the file, and with `[host]` alone it goes
 * on to the original registry. `capabilities` at the root take pushing away from that server, or pushes to any registry would land in the
 * mirror. Connected, there is no `server`: misses and pushes go where the image's name says. Keys that a version does not know are ignored
 * by it, so one file serves all.
 *
 * @see github.com/containerd/containerd docs/hosts.md, and core/remotes/docker/config/hosts.go
 */
export function hostsToml(config: MirrorConfig, caPath: string | undefined): string {
  const url = tomlText(mirrorUrl(config));
  const pull = 'capabilities = ["pull", "resolve"]';
  const host = [
    `[host.${url}]`,
    `  ${pull}`,
    ...(caPath === undefined ? [] : [`  ca = ${tomlText(caPath)}`]),
    '  dial_timeout = "5s"',
    ...(config.token === undefined
      ? []
      : [`  [host.${url}.header]`, `    Authorization = ${tomlText(`Bearer ${config.token}`)}`]),
  ];
  const root =
    config.profile === "air-gapped"
      ? [`server = ${url}`, pull, ...(caPath === undefined ? [] : [`ca = ${tomlText(caPath)}`])]
      : [];
  return `${["# Written by kubefile; `kubefile mirror remove` takes it away.", ...root, "", ...host].join("\n")}\n`;
}

/** The files of a `certs.d` folder: `_default/hosts.toml`, and the authority beside it. */
export function certsFiles(config: MirrorConfig, folder: string): readonly PlannedFile[] {
  const caPath = `${folder}/_default/ca.crt`;
  const secret = config.token !== undefined;
  return [
    ...(config.ca === undefined ? [] : [{ path: caPath, text: config.ca, secret: false }]),
    {
      path: `${folder}/_default/hosts.toml`,
      text: hostsToml(config, config.ca === undefined ? undefined : caPath),
      secret,
    },
  ];
}

/** What is wrong with the `hosts.toml` files of a `certs.d` folder. */
export function examineCerts(config: MirrorConfig, node: NodeFiles, folder: string): readonly Finding[] {
  const file = `${folder}/_default/hosts.toml`;
  const text = node.read(file);
  const specific = node
    .list(folder)
    .filter((name) => name !== "_default" && node.read(`${folder}/${name}/hosts.toml`) !== undefined);
  const beaten = specific.map((name): Finding => {
    const own = `${folder}/${name}/hosts.toml`;
    return {
      level: "warning",
      file: own,
      text: `Images of ${name} do not come from the mirror: a host's own folder beats _default.`,
    };
  });
  return [...(text === undefined ? [] : examineHostsToml(config, text, file)), ...beaten];
}

function examineHostsToml(config: MirrorConfig, text: string, file: string): readonly Finding[] {
  const tables = readTomlTables(text);
  const root = tables.find((table) => table.name.length === 0)?.values;
  const hosts = tables.filter((table) => table.name[0] === "host" && table.name.length === 2);
  const server = tomlString(root?.get("server"));
  const findings: Finding[] = [];
  const add = (level: Finding["level"], what: string): void => void findings.push({ level, file, text: what });
  if (hosts.length === 0)
    add(
      "error",
      "It names a server and no [host]: containerd 1.6 and some later versions ignore such a file and ask the original registry.",
    );
  if (server === undefined && config.profile === "air-gapped")
    add(
      "error",
      "It names no server: what the mirror does not have is asked for at the original registry, which takes long where there is no network.",
    );
  if (server !== undefined && !isPullOnly(root?.get("capabilities")))
    add(
      "error",
      'It names a server without capabilities = ["pull", "resolve"] at the root: pushes to any registry would land in the mirror.',
    );
  if (server === "" || hosts.some((table) => table.name[1] === ""))
    add("error", "It names an empty address (k3s has written such files): containerd then knows no place to ask.");
  const url = mirrorUrl(config);
  if (hosts.length > 0 && !hosts.some((table) => table.name[1] === url)) add("error", `None of its hosts is ${url}.`);
  return findings;
}

function isPullOnly(value: string | undefined): boolean {
  return value !== undefined && !/push/.test(value) && /pull/.test(value);
}

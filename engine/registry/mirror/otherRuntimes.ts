import { isMap, parseDocument } from "yaml";
import { EngineError } from "../../errors.ts";
import { hostPart } from "../upstream.ts";
import { examineCerts } from "./hostsToml.ts";
import {
  type Finding,
  type MirrorConfig,
  type MirrorRuntime,
  mirrorHost,
  mirrorUrl,
  type NodeFiles,
} from "./mirrorConfig.ts";
import { tomlText } from "./tomlTables.ts";

const daemonFile = "/etc/docker/daemon.json";

/**
 * dockerd with its own image store: `registry-mirrors`, which it asks for Docker Hub's images and no others.
 *
 * @see github.com/moby/moby issue 18818
 */
export const dockerClassic: MirrorRuntime = {
  journalFolder: "/etc/docker",
  plan(config, node) {
    const daemon = readDaemon(node);
    const url = mirrorUrl(config);
    const mirrors = [url, ...textsOf(daemon["registry-mirrors"]).filter((each) => each !== url)];
    const insecure = textsOf(daemon["insecure-registries"]);
    const plain = config.endpoint.protocol === "http:" && !insecure.includes(mirrorHost(config));
    const merged = {
      ...daemon,
      "registry-mirrors": mirrors,
      ...(plain ? { "insecure-registries": [...insecure, mirrorHost(config)] } : {}),
    };
    const ca = `/etc/docker/certs.d/${mirrorHost(config)}/ca.crt`;
    return [
      ...(config.ca === undefined ? [] : [{ path: ca, text: config.ca, secret: false }]),
      { path: daemonFile, text: `${JSON.stringify(merged, undefined, 2)}\n`, secret: false },
    ];
  },
  examine(config, node) {
    const first = textsOf(readDaemon(node)["registry-mirrors"])[0];
    const findings: Finding[] = [{ level: "warning", file: daemonFile, text: onlyHub }];
    if (first?.replace(/\/$/, "") !== mirrorUrl(config))
      findings.push({
        level: "error",
        file: daemonFile,
        text: `Its first registry-mirrors is ${first ?? "missing"}, not ${mirrorUrl(config)}.`,
      });
    if (config.token !== undefined)
      findings.push({
        level: "error",
        file: daemonFile,
        text: "dockerd sends no token to a mirror: serve with --anonymous-pull.",
      });
    return findings;
  },
  next: "dockerd reads it again on SIGHUP: systemctl reload docker.",
};

const onlyHub =
  "This dockerd asks a mirror for docker.io's images only. Images of other registries need dockerd 28 with the containerd store, or docker load.";

function readDaemon(node: NodeFiles): Readonly<Record<string, unknown>> {
  const text = node.read(daemonFile);
  if (text === undefined || text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new EngineError("MIRROR_FILE_CONFLICT", { file: daemonFile, problem: "it is no JSON object; repair it first" });
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

const containersFile = "/etc/containers/registries.conf.d/00-kubefile-mirror.conf";

/**
 * CRI-O, podman, skopeo and buildah: one block for each host, whose images the mirror is asked for below the host's name. A rule for all
 * hosts would lose the host (`/v2/library/x` for any), and with it the right image where two hosts share a path; so there is none.
 *
 * @see containers-registries.conf(5)
 */
export const containersRuntime: MirrorRuntime = {
  journalFolder: "/etc/containers",
  plan(config) {
    if (config.hosts.length === 0)
      throw new EngineError("MIRROR_FILE_CONFLICT", {
        file: containersFile,
        problem: "it needs the hosts by name: give --host or --bundle",
      });
    const certs = `/etc/containers/certs.d/${mirrorHost(config)}/ca.crt`;
    const blocks = [...new Set(config.hosts)].sort().map((host) => containersBlock(config, host));
    const text = `# Written by kubefile; \`kubefile mirror remove\` takes it away.\n\n${blocks.join("\n")}`;
    return [
      ...(config.ca === undefined ? [] : [{ path: certs, text: config.ca, secret: false }]),
      { path: containersFile, text, secret: false },
    ];
  },
  examine(config, node) {
    const folder = "/etc/containers/registries.conf.d";
    const findings: Finding[] = [];
    if (config.token !== undefined)
      findings.push({
        level: "error",
        file: containersFile,
        text: "These tools send no token to a mirror: serve with --anonymous-pull, or log in to the mirror.",
      });
    for (const name of node.list(folder)) {
      const text = node.read(`${folder}/${name}`);
      if (`${folder}/${name}` === containersFile || text === undefined || !name.endsWith(".conf")) continue;
      const shared = config.hosts.filter((host) =>
        new RegExp(`^\\s*prefix\\s*=\\s*["']${host.replaceAll(".", "\\.")}[/"']`, "m").test(text),
      );
      for (const host of shared)
        findings.push({
          level: "warning",
          file: `${folder}/${name}`,
          text: `It has a rule for ${host} of its own; the longer prefix, else the later file counts.`,
        });
    }
    return findings;
  },
  next: "podman, skopeo and buildah read it at every start; CRI-O on SIGHUP: systemctl reload crio.",
};

function containersBlock(config: MirrorConfig, host: string): string {
  const below = `${mirrorHost(config)}/${hostPart(host)}`;
  const insecure = config.endpoint.protocol === "http:";
  const rule = ["[[registry]]", `prefix = ${tomlText(host)}`];
  const lines =
    config.profile === "air-gapped"
      ? [...rule, `location = ${tomlText(below)}`, `insecure = ${insecure}`]
      : [
          ...rule,
          `location = ${tomlText(host)}`,
          "",
          "[[registry.mirror]]",
          `location = ${tomlText(below)}`,
          `insecure = ${insecure}`,
        ];
  return `${lines.join("\n")}\n`;
}

const k3sFile = "/etc/rancher/k3s/registries.yaml";
const k3sCa = "/etc/rancher/k3s/kubefile-mirror-ca.crt";
const k3sGenerated = "/var/lib/rancher/k3s/agent/etc/containerd/certs.d";

/** k3s: `registries.yaml`, joined with what stands there; k3s makes the `hosts.toml` from it. */
export const k3s: MirrorRuntime = {
  journalFolder: "/etc/rancher/k3s",
  plan(config, node) {
    const document = parseDocument(node.read(k3sFile) ?? "");
    if (document.errors.length > 0 || !(document.contents === null || isMap(document.contents)))
      throw new EngineError("MIRROR_FILE_CONFLICT", {
        file: k3sFile,
        problem: "it is no YAML mapping; repair it first",
      });
    const written = document.getIn(["mirrors", "*", "endpoint"]) as { toJSON(): unknown } | undefined;
    const url = mirrorUrl(config);
    const endpoints = [url, ...textsOf(written?.toJSON()).filter((each) => each !== url)];
    document.setIn(
      ["mirrors", "*", "endpoint"],
      document.createNode(config.profile === "air-gapped" ? [url] : endpoints),
    );
    const place = ["configs", mirrorHost(config)];
    if (config.ca !== undefined) document.setIn([...place, "tls", "ca_file"], k3sCa);
    if (config.token !== undefined) document.setIn([...place, "auth", "token"], config.token);
    return [
      ...(config.ca === undefined ? [] : [{ path: k3sCa, text: config.ca, secret: false }]),
      { path: k3sFile, text: document.toString({ lineWidth: 0 }), secret: true },
    ];
  },
  examine(config, node) {
    const findings: Finding[] = [];
    if (config.profile === "air-gapped")
      findings.push({
        level: "info",
        file: k3sFile,
        text: "k3s adds the original registry as the last place to ask; start it with --disable-default-registry-endpoint to have none.",
      });
    return [...findings, ...generatedFindings(config, node)];
  },
  next: "Restart k3s once: systemctl restart k3s (or k3s-agent).",
};

/** What k3s made of its file: versions with containerd 2.0 wrote an empty server, or none for "*". */
function generatedFindings(config: MirrorConfig, node: NodeFiles): readonly Finding[] {
  if (node.list(k3sGenerated).length === 0) return [];
  if (node.read(`${k3sGenerated}/_default/hosts.toml`) === undefined) {
    const text = 'k3s has made no file for "*" yet: restart it, or use a later version.';
    return [{ level: "error", file: `${k3sGenerated}/_default/hosts.toml`, text }];
  }
  // The form is k3s's own: only what it cannot mean is told.
  return examineCerts({ ...config, profile: "connected" }, node, k3sGenerated).filter(
    (finding) => !finding.text.includes("capabilities"),
  );
}

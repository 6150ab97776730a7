import { configPathOf, examineConfigPath, planConfigPath } from "./containerdConfig.ts";
import { certsFiles, examineCerts } from "./hostsToml.ts";
import type { Finding, MirrorConfig, MirrorRuntime, NodeFiles } from "./mirrorConfig.ts";
import { tomlText } from "./tomlTables.ts";

const configFile = "/etc/containerd/config.toml";
const usualFolder = "/etc/containerd/certs.d";

function folderOf(node: NodeFiles): string {
  return configPathOf(node.read(configFile) ?? "") ?? usualFolder;
}

/** containerd under kubeadm: `_default/hosts.toml` in the folder its configuration names, which is set when it is not. */
export const containerd: MirrorRuntime = {
  journalFolder: "/etc/containerd",
  plan(config, node) {
    const edited = planConfigPath(config, node, configFile, usualFolder);
    return [...certsFiles(config, folderOf(node)), ...edited];
  },
  examine: (config, node) => [
    ...examineConfigPath(node, configFile),
    ...examineCerts(config, node, folderOf(node)),
    onlyLastHost,
  ],
  next: "hosts.toml is read at every pull; restart containerd once when config.toml was changed: systemctl restart containerd.",
};

/** Not a fault of the files, but what makes people look for one. */
const onlyLastHost: Finding = {
  level: "info",
  file: usualFolder,
  text: "When a pull fails, containerd's error names only the last place it asked; the mirror's own log tells whether it was asked.",
};

const dockerFolder = "/etc/docker/certs.d";
const daemonFile = "/etc/docker/daemon.json";

/** dockerd 28 and later with the containerd image store, which reads the same files below its own folder. */
export const docker: MirrorRuntime = {
  journalFolder: "/etc/docker",
  plan: (config) => certsFiles(config, dockerFolder),
  examine: (config, node) => [...examineDaemon(node), ...examineCerts(config, node, dockerFolder)],
  next: "hosts.toml is read at every pull; nothing has to be restarted.",
};

function examineDaemon(node: NodeFiles): readonly Finding[] {
  const features = featuresOf(node.read(daemonFile));
  if (features["containerd-snapshotter"] === true) return [];
  const text =
    features["containerd-snapshotter"] === false
      ? "It turns the containerd image store off: dockerd then reads no hosts.toml. Use --runtime docker-classic."
      : "It does not say which image store is used. Only dockerd 28 and later with the containerd store read hosts.toml; new installs of 29 have it, others need features.containerd-snapshotter, which hides the images pulled before.";
  return [{ level: features["containerd-snapshotter"] === false ? "error" : "warning", file: daemonFile, text }];
}

function featuresOf(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text ?? "{}") as { features?: unknown } | null;
    return typeof value?.features === "object" && value.features !== null
      ? (value.features as Record<string, unknown>)
      : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

const k0sFolder = "/etc/k0s/containerd.d";

/** k0s: a drop-in that names the folder, and the folder. Its syntax follows the containerd that k0s brings. */
export const k0s: MirrorRuntime = {
  journalFolder: "/etc/k0s",
  plan: (config) => [
    ...certsFiles(config, `${k0sFolder}/certs.d`),
    { path: `${k0sFolder}/kubefile-mirror.toml`, text: k0sDropIn(config), secret: false },
  ],
  examine(config, node) {
    const file = `${k0sFolder}/kubefile-mirror.toml`;
    const others = node.list(k0sFolder).filter((name) => name.endsWith(".toml") && name !== "kubefile-mirror.toml");
    const doubled = others.filter((name) => configPathOf(node.read(`${k0sFolder}/${name}`) ?? "") !== undefined);
    const findings = doubled.map((name): Finding => {
      const text = "It sets config_path too; which of both counts depends on the order of the files' names.";
      return { level: "warning", file: `${k0sFolder}/${name}`, text };
    });
    const absent: Finding = { level: "error", file, text: "It is missing: k0s does not look at any hosts.toml." };
    return [
      ...(node.read(file) === undefined ? [absent] : []),
      ...findings,
      ...examineCerts(config, node, `${k0sFolder}/certs.d`),
    ];
  },
  next: "Restart k0s once: k0s stop && k0s start.",
};

function k0sDropIn(config: MirrorConfig): string {
  const [version, table] =
    config.containerdMajor === 1
      ? ([2, 'plugins."io.containerd.grpc.v1.cri".registry'] as const)
      : ([3, "plugins.'io.containerd.cri.v1.images'.registry"] as const);
  return `# Written by kubefile; \`kubefile mirror remove\` takes it away.\nversion = ${version}\n\n[${table}]\n  config_path = ${tomlText(`${k0sFolder}/certs.d`)}\n`;
}

import type { Mention } from "./found.ts";

/**
 * The images that kubeadm of one Kubernetes version pulls: what `kubeadm config images list` prints.
 *
 * Each row holds from its version on, until the next row. Read from kubeadm's constants, 1.20.0 to 1.37.2; a few patch releases could not
 * be read and are taken to be like the nearest one before them that was.
 *
 * @see k8s.io/kubernetes, cmd/kubeadm/app/constants/constants.go: DefaultEtcdVersion, CoreDNSVersion, PauseVersion
 */
const rows: readonly (readonly [from: string, etcd: string, coreDns: string, pause: string])[] = [
  ["1.20.0", "3.4.13-0", "1.7.0", "3.2"],
  ["1.21.0", "3.4.13-0", "v1.8.0", "3.4.1"],
  ["1.22.0", "3.5.0-0", "v1.8.4", "3.5"],
  ["1.22.17", "3.5.6-0", "v1.8.4", "3.5"],
  ["1.23.0", "3.5.1-0", "v1.8.6", "3.6"],
  ["1.23.14", "3.5.5-0", "v1.8.6", "3.6"],
  ["1.23.15", "3.5.6-0", "v1.8.6", "3.6"],
  ["1.24.0", "3.5.3-0", "v1.8.6", "3.7"],
  ["1.24.9", "3.5.6-0", "v1.8.6", "3.7"],
  ["1.25.0", "3.5.4-0", "v1.9.3", "3.8"],
  ["1.25.4", "3.5.5-0", "v1.9.3", "3.8"],
  ["1.25.5", "3.5.6-0", "v1.9.3", "3.8"],
  ["1.25.15", "3.5.9-0", "v1.9.3", "3.8"],
  ["1.26.0", "3.5.6-0", "v1.9.3", "3.9"],
  ["1.26.10", "3.5.9-0", "v1.9.3", "3.9"],
  ["1.26.13", "3.5.10-0", "v1.9.3", "3.9"],
  ["1.27.0", "3.5.7-0", "v1.10.1", "3.9"],
  ["1.27.7", "3.5.9-0", "v1.10.1", "3.9"],
  ["1.27.10", "3.5.10-0", "v1.10.1", "3.9"],
  ["1.27.12", "3.5.12-0", "v1.10.1", "3.9"],
  ["1.28.0", "3.5.9-0", "v1.10.1", "3.9"],
  ["1.28.6", "3.5.10-0", "v1.10.1", "3.9"],
  ["1.28.8", "3.5.12-0", "v1.10.1", "3.9"],
  ["1.28.14", "3.5.15-0", "v1.10.1", "3.9"],
  ["1.29.0", "3.5.10-0", "v1.11.1", "3.9"],
  ["1.29.3", "3.5.12-0", "v1.11.1", "3.9"],
  ["1.29.9", "3.5.15-0", "v1.11.1", "3.9"],
  ["1.29.11", "3.5.16-0", "v1.11.1", "3.9"],
  ["1.30.0", "3.5.12-0", "v1.11.1", "3.9"],
  ["1.30.5", "3.5.15-0", "v1.11.3", "3.9"],
  ["1.31.0", "3.5.15-0", "v1.11.1", "3.10"],
  ["1.31.1", "3.5.15-0", "v1.11.3", "3.10"],
  ["1.31.14", "3.5.24-0", "v1.11.3", "3.10"],
  ["1.32.0", "3.5.16-0", "v1.11.3", "3.10"],
  ["1.32.10", "3.5.24-0", "v1.11.3", "3.10"],
  ["1.33.0", "3.5.21-0", "v1.12.0", "3.10"],
  ["1.33.6", "3.5.24-0", "v1.12.0", "3.10"],
  ["1.34.0", "3.6.4-0", "v1.12.1", "3.10.1"],
  ["1.34.2", "3.6.5-0", "v1.12.1", "3.10.1"],
  ["1.35.0", "3.6.6-0", "v1.13.1", "3.10.1"],
  ["1.36.0", "3.6.8-0", "v1.14.2", "3.10.2"],
  ["1.37.0", "3.7.0-0", "v1.14.6", "3.10.2"],
];

/** From these patches on, kubeadm's default registry is `registry.k8s.io`; before them it was `k8s.gcr.io`. */
const newRegistryFrom: Readonly<Record<number, number>> = { 22: 17, 23: 15, 24: 9 };

/**
 * The images of a Kubernetes version, or none when the version is older or newer than the table: then a build says so.
 *
 * @param version `v1.30.4` or `1.30.4`; anything behind the patch is kept in the images of Kubernetes itself
 */
export function kubernetesImages(version: string): readonly Mention[] {
  const parsed = /^v?1\.(\d+)\.(\d+)/.exec(version);
  const minor = Number(parsed?.[1]);
  const patch = Number(parsed?.[2]);
  const row = rows.findLast(([from]) => {
    const [, rowMinor = 0, rowPatch = 0] = from.split(".").map(Number);
    return rowMinor === minor && rowPatch <= patch;
  });
  if (parsed === null || row === undefined) return [];
  const [, etcd, coreDns, pause] = row;
  const registry = usesNewRegistry(minor, patch) ? "registry.k8s.io" : "k8s.gcr.io";
  const tag = version.startsWith("v") ? version : `v${version}`;
  const names = [
    ...["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"].map((name) => `${name}:${tag}`),
    minor >= 21 ? `coredns/coredns:${coreDns}` : `coredns:${coreDns}`,
    `pause:${pause}`,
    `etcd:${etcd}`,
  ];
  return names.map((name) => ({
    text: `${registry}/${name}`,
    path: "",
    line: 1,
    rule: `Kubernetes ${tag}`,
    confidence: "certain",
  }));
}

function usesNewRegistry(minor: number, patch: number): boolean {
  const from = newRegistryFrom[minor];
  return minor >= 25 || (from !== undefined && patch >= from);
}

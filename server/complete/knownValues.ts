/** A key that LABEL, ENV or ARG may set, and values it is known to take. */
export interface KnownKey {
  readonly name: string;
  readonly help: string;
  readonly values: readonly string[];
}

function key(name: string, help: string, values: readonly string[] = []): KnownKey {
  return { name, help, values };
}

/**
 * Labels that sealer reads, then the annotation keys of the OCI image specification.
 * @see OCI image-spec v1.1 annotations.md, "Pre-Defined Annotation Keys"
 */
export const labels: readonly KnownKey[] = [
  key("cluster.alpha.sealer.io/container-runtime-type", "container runtime of the cluster", ["docker", "containerd"]),
  key("cluster.alpha.sealer.io/container-runtime-version", "version of the container runtime"),
  key("cluster.alpha.sealer.io/cluster-runtime-type", "what runs the cluster", ["kubernetes", "k0s", "k3s"]),
  key("cluster.alpha.sealer.io/cluster-runtime-version", "version of what runs the cluster"),
  key("app.alpha.sealer.io/supported-kube-version", "Kubernetes versions the applications support"),
  key("org.opencontainers.image.title", "name people read"),
  key("org.opencontainers.image.description", "what is in the image"),
  key("org.opencontainers.image.version", "version of what is packed"),
  key("org.opencontainers.image.revision", "commit of the sources"),
  key("org.opencontainers.image.source", "URL of the sources"),
  key("org.opencontainers.image.url", "URL with more information"),
  key("org.opencontainers.image.documentation", "URL of the documentation"),
  key("org.opencontainers.image.created", "when it was built, RFC 3339"),
  key("org.opencontainers.image.authors", "who answers for it"),
  key("org.opencontainers.image.vendor", "organisation that distributes it"),
  key("org.opencontainers.image.licenses", "SPDX licence expression", [
    "Apache-2.0",
    "MIT",
    "BSD-3-Clause",
    "GPL-3.0-only",
    "MPL-2.0",
  ]),
  key("org.opencontainers.image.ref.name", "name of the reference"),
  key("org.opencontainers.image.base.name", "reference of the base image"),
  key("org.opencontainers.image.base.digest", "digest of the base image"),
];

/** Variables that sealer's scripts and templates read. */
export const environment: readonly KnownKey[] = [
  key("PodCIDR", "addresses of pods", ["100.64.0.0/10"]),
  key("SvcCIDR", "addresses of services", ["10.96.0.0/22"]),
  key("CgroupDriver", "cgroup driver of kubelet and runtime", ["systemd", "cgroupfs"]),
  key("CertSANs", "further names of the API server's certificate, by commas"),
  key("IPvsVIPv4", "virtual IPv4 address of the API server", ["10.103.97.2"]),
  key("IPvsVIPv6", "virtual IPv6 address of the API server"),
  key("IPv6DualStack", "IPv4 and IPv6 side by side", ["true", "false"]),
  key("UseIPasNodeName", "name nodes by their address", ["true", "false"]),
];

/** Build arguments that need no declaration above, or that builders set. */
export const buildArguments: readonly KnownKey[] = [
  key("ARCH", "architecture built for, set by sealer"),
  key("TARGETPLATFORM", "platform built for"),
  key("TARGETOS", "operating system built for"),
  key("TARGETARCH", "architecture built for"),
  key("TARGETVARIANT", "variant of the architecture built for"),
  key("BUILDPLATFORM", "platform of the builder"),
  key("BUILDOS", "operating system of the builder"),
  key("BUILDARCH", "architecture of the builder"),
  key("BUILDVARIANT", "variant of the builder's architecture"),
  key("HTTP_PROXY", "proxy for http"),
  key("HTTPS_PROXY", "proxy for https"),
  key("NO_PROXY", "hosts reached without a proxy"),
  key("SOURCE_DATE_EPOCH", "time stamp for reproducible builds"),
];

export const kubernetesConstraints: readonly string[] = [
  ">=1.34.0",
  ">=1.33.0 <1.35.0",
  ">=1.32.0",
  ">=1.30.0",
  ">=1.28.0",
  ">=1.26.0",
  ">=1.24.0",
  ">=1.22.0",
  ">=1.20.0 <1.23.0",
  "1.22.x",
  "~1.22.15",
];

export const appSchemes: readonly { readonly text: string; readonly help: string }[] = [
  { text: "local://", help: "file or folder of the build context" },
  { text: "https://", help: "file fetched at build" },
  { text: "http://", help: "file fetched at build" },
];

/** Folders of an image that sealer reads. */
export const imageFolders: readonly { readonly path: string; readonly help: string }[] = [
  { path: "manifests/", help: "YAML searched for images" },
  { path: "charts/", help: "charts searched for images" },
  { path: "application/apps/", help: "files of applications" },
  { path: "etc/", help: "templates and settings" },
  { path: "plugins/", help: "Plugin documents" },
  { path: "scripts/", help: "hooks of the cluster" },
  { path: "bin/", help: "programs" },
  { path: "statics/", help: "audit policy" },
];

export const signals: readonly string[] = [
  "SIGTERM",
  "SIGINT",
  "SIGQUIT",
  "SIGKILL",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
];

export const shells: readonly string[] = [
  '["/bin/sh", "-c"]',
  '["/bin/bash", "-c"]',
  '["/bin/bash", "-o", "pipefail", "-c"]',
];

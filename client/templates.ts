/** A Kubefile to start from, as a snippet with `${1:…}` places. */
export interface Template {
  readonly name: "app" | "cluster" | "sealos" | "openyurt";
  readonly body: string;
}

/** The usual kinds of cluster images. */
export const templates: readonly Template[] = [
  {
    name: "app",
    body: [
      "# Applications for a cluster that is already there.",
      "FROM scratch",
      "APP ${1:hello} local://${2:manifests}",
      "LAUNCH ${1:hello}",
      "",
    ].join("\n"),
  },
  {
    name: "cluster",
    body: [
      "# Kubernetes and what has to run on it, for a site without internet.",
      "FROM ${1:docker.io/sealerio/kubernetes:v1-22-15-sealerio-2}",
      "APP ${2:dashboard} local://${3:manifests}",
      "LAUNCH ${2:dashboard}",
      "",
    ].join("\n"),
  },
  {
    name: "sealos",
    body: [
      "# An application for sealos: manifests or a chart, started by a script.",
      "FROM scratch",
      "COPY ${1:manifests} ${1:manifests}",
      "COPY registry registry",
      'CMD ["kubectl apply -f ${1:manifests}"]',
      "",
    ].join("\n"),
  },
  {
    name: "openyurt",
    body: [
      "# OpenYurt on Kubernetes: edge autonomy added to a cluster image.",
      "FROM ${1:docker.io/sealerio/kubernetes:v1-22-15-sealerio-2}",
      "APP yurt-manager local://${2:charts/yurt-manager}",
      "APP yurthub local://${3:charts/yurthub}",
      "LAUNCH yurt-manager yurthub",
      "",
    ].join("\n"),
  },
];

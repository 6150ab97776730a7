import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestImages } from "../../../engine/discover/manifest.ts";
import { allRules } from "../../../engine/discover/scan.ts";

/** `line path text (confidence, rule)` of everything a manifest names. */
function found(text: string): string[] {
  return manifestImages(text, allRules([])).mentions.map(
    (m) => `${m.line} ${m.path} ${m.text} (${m.confidence}, ${m.rule})`,
  );
}

const images = (text: string): string[] => [...new Set(manifestImages(text, allRules([])).mentions.map((m) => m.text))];

test("every kind of container and an image volume of a workload is found with its line and path", () => {
  assert.deepEqual(
    found(`apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  template:
    spec:
      initContainers:
        - { name: init, image: "busybox:1.36" } # prepares
      containers:
        - name: app
          image: quay.io/shop/app:v1
      ephemeralContainers:
        - name: debug
          image: debug@sha256:${"a".repeat(64)}
      volumes:
        - name: model
          image: { reference: ghcr.io/models/small:1 }
`),
    [
      "8 spec.template.spec.initContainers[0].image busybox:1.36 (certain, Deployment init container)",
      "11 spec.template.spec.containers[0].image quay.io/shop/app:v1 (certain, Deployment container)",
      `14 spec.template.spec.ephemeralContainers[0].image debug@sha256:${"a".repeat(64)} (certain, Deployment ephemeral container)`,
      "17 spec.template.spec.volumes[0].image.reference ghcr.io/models/small:1 (certain, Deployment image volume)",
    ],
  );
});

for (const [kind, version, wrap] of [
  ["Pod", "v1", (pod: string) => `spec: ${pod}`],
  ["PodTemplate", "v1", (pod: string) => `template: { spec: ${pod} }`],
  ["ReplicationController", "v1", (pod: string) => `spec: { template: { spec: ${pod} } }`],
  ["Deployment", "apps/v1", (pod: string) => `spec: { template: { spec: ${pod} } }`],
  ["DaemonSet", "apps/v1", (pod: string) => `spec: { template: { spec: ${pod} } }`],
  ["StatefulSet", "apps/v1", (pod: string) => `spec: { template: { spec: ${pod} } }`],
  ["ReplicaSet", "apps/v1", (pod: string) => `spec: { template: { spec: ${pod} } }`],
  ["Job", "batch/v1", (pod: string) => `spec: { template: { spec: ${pod} } }`],
  ["CronJob", "batch/v1", (pod: string) => `spec: { jobTemplate: { spec: { template: { spec: ${pod} } } } }`],
] as const)
  test(`the PodSpec of a ${kind} is found`, () => {
    assert.deepEqual(
      images(`apiVersion: ${version}\nkind: ${kind}\n${wrap("{ containers: [{ name: a, image: x/y:1 }] }")}\n`),
      ["x/y:1"],
    );
  });

test("lists are looked through, nested lists too, and JSON is YAML", () => {
  const pod = { apiVersion: "v1", kind: "Pod", spec: { containers: [{ name: "a", image: "a:1" }] } };
  const list = { apiVersion: "v1", kind: "List", items: [pod, { kind: "PodList", apiVersion: "v1", items: [pod] }] };
  assert.deepEqual(
    manifestImages(JSON.stringify(list), []).mentions.map((m) => m.path),
    ["items[0].spec.containers[0].image", "items[1].items[0].spec.containers[0].image"],
  );
});

test("anchors, aliases and merge keys are followed", () => {
  assert.deepEqual(
    images(`apiVersion: v1
kind: Pod
x-common: &common { image: &img "a/b:1", name: base }
spec:
  initContainers:
    - <<: *common
  containers:
    - name: second
      image: *img
`),
    ["a/b:1"],
  );
});

test("an anchor that contains itself is a problem, not an endless loop", () => {
  const { mentions, problems } = manifestImages("a: &a\n  b: *a\n", []);
  assert.deepEqual(mentions, []);
  assert.equal(problems.length, 1);
});

test("a schema's image field is no image", () => {
  assert.deepEqual(
    found(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  versions:
    - schema: { openAPIV3Schema: { properties: { image: { type: string, default: nginx:1 } } } }
`),
    [],
  );
});

test("policies describe images and name none", () => {
  assert.deepEqual(
    found(`apiVersion: kyverno.io/v1
kind: ClusterPolicy
spec:
  rules:
    - validate: { pattern: { spec: { containers: [{ name: "*", image: "registry.local/*:v1" }] } } }
`),
    [],
  );
});

test("a pod-shaped part of a custom resource counts", () => {
  assert.deepEqual(
    found(`apiVersion: ray.io/v1
kind: RayCluster
spec:
  workerGroupSpecs:
    - template:
        spec:
          containers:
            - name: worker
              image: rayproject/ray:2.9.0
`),
    [
      "9 spec.workerGroupSpecs[0].template.spec.containers[0].image rayproject/ray:2.9.0 (high, RayCluster pod container)",
    ],
  );
});

test("known custom resources are read by their rules", () => {
  assert.deepEqual(
    images(`apiVersion: monitoring.coreos.com/v1
kind: Prometheus
spec: { image: quay.io/prometheus/prometheus:v2.50.0, thanos: { image: "quay.io/thanos/thanos:v0.34.0" } }
---
apiVersion: monitoring.coreos.com/v1
kind: Alertmanager
spec: { baseImage: quay.io/prometheus/alertmanager, version: v0.27.0 }
---
apiVersion: nvidia.com/v1
kind: ClusterPolicy
spec: { driver: { repository: nvcr.io/nvidia, image: driver, version: "550.54" } }
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
spec: { imageName: ghcr.io/cloudnative-pg/postgresql:16.2 }
---
apiVersion: tekton.dev/v1
kind: Task
spec: { steps: [{ name: a, image: alpine/git:2.43 }] }
---
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
spec: { workflowSpec: { templates: [{ name: a, container: { image: "argo/say:v1" } }] } }
`),
    [
      "quay.io/prometheus/prometheus:v2.50.0",
      "quay.io/thanos/thanos:v0.34.0",
      "quay.io/prometheus/alertmanager:v0.27.0",
      "nvcr.io/nvidia/driver:550.54",
      "ghcr.io/cloudnative-pg/postgresql:16.2",
      "alpine/git:2.43",
      "argo/say:v1",
    ],
  );
});

test("images in the environment and in arguments are found, addresses and policies are not", () => {
  assert.deepEqual(
    found(`apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: operator
          image: op:1
          args:
            - --acme-http01-solver-image=quay.io/jetstack/cert-manager-acmesolver:v1.14.4
            - --prometheus-config-reloader=quay.io/prometheus-operator/prometheus-config-reloader:v0.72.0
            - --executor-image
            - docker.io/bitnami/argo-workflow-exec:3.5.5
            - --image-pull-policy=Always
            - --web.listen-address=0.0.0.0:9090
            - --leader-elect-host=localhost:8080
          env:
            - { name: RELATED_IMAGE_DB, value: "example.com/db@sha256:${"b".repeat(64)}" }
            - { name: IMAGE_PULL_POLICY, value: IfNotPresent }
            - { name: SIDECAR_IMAGE, value: "sidecar:7" }
            - { name: ADDRESS, value: "db.example.com:5432" }
            - { name: URL, value: "https://quay.io/a/b:v1" }
`).map((line) => line.replace(/^(\d+) \S+ /, "$1 ")),
    [
      "8 op:1 (certain, Deployment container)",
      `18 example.com/db@sha256:${"b".repeat(64)} (medium, environment variable RELATED_IMAGE_DB)`,
      "20 sidecar:7 (medium, environment variable SIDECAR_IMAGE)",
      "10 quay.io/jetstack/cert-manager-acmesolver:v1.14.4 (medium, argument --acme-http01-solver-image)",
      "11 quay.io/prometheus-operator/prometheus-config-reloader:v0.72.0 (medium, argument --prometheus-config-reloader)",
      "13 docker.io/bitnami/argo-workflow-exec:3.5.5 (medium, argument --executor-image)",
    ],
  );
});

test("images inside ConfigMap text are found at their own line: YAML, TOML and plain values", () => {
  assert.deepEqual(
    found(`apiVersion: v1
kind: ConfigMap
data:
  sidecar-image: repo/sidecar:1
  config.yaml: |
    provider:
      envoy:
        image: envoyproxy/envoy:v1.29.2
  config.toml: |
    [runners.kubernetes]
      # image = "not/this:1"
      helper_image = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v16.9.1"
  notes: image is a word
`),
    [
      "4 data.sidecar-image repo/sidecar:1 (medium, ConfigMap value sidecar-image)",
      "8 data.config.yaml.provider.envoy.image envoyproxy/envoy:v1.29.2 (medium, ConfigMap value config.yaml)",
      "12 data.config.toml registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v16.9.1 (medium, ConfigMap value config.toml)",
    ],
  );
});

test("a Secret's encoded text is looked into", () => {
  const data = Buffer.from("image: a/b:2\n").toString("base64");
  assert.deepEqual(images(`apiVersion: v1\nkind: Secret\ndata: { conf: ${data} }\n`), ["a/b:2"]);
});

test("a document that is no YAML is a problem with its line; the others are still read", () => {
  const { mentions, problems } = manifestImages(
    "apiVersion: v1\nkind: Pod\nspec: { containers: [{ name: a, image: a:1 }] }\n---\nkey: [\n---\nok: 1\n",
    [],
  );
  assert.deepEqual(
    mentions.map((m) => m.text),
    ["a:1"],
  );
  assert.equal(problems.length, 1);
  assert.ok(problems[0] !== undefined && problems[0].line >= 5);
});

test("repository and tag beside each other in a custom resource make a name", () => {
  assert.deepEqual(
    images("apiVersion: x.io/v1\nkind: Y\nspec: { image: { registry: quay.io, repository: a/b, tag: '1.0' } }\n"),
    ["quay.io/a/b:1.0"],
  );
});

test("a hub and a tag complete the bare image names below them", () => {
  const values = JSON.stringify({ global: { hub: "docker.io/istio", tag: "1.14.2", proxy: { image: "proxyv2" } } });
  assert.deepEqual(images(`apiVersion: v1\nkind: ConfigMap\ndata: { values: '${values}' }\n`), [
    "docker.io/istio/proxyv2:1.14.2",
  ]);
});

test("a base image takes its tag from the version of the whole resource", () => {
  assert.deepEqual(
    images(
      "apiVersion: pingcap.com/v1alpha1\nkind: TidbCluster\nspec: { version: v5.2.1, pd: { baseImage: pingcap/pd } }\n",
    ),
    ["pingcap/pd:v5.2.1"],
  );
});

test("a Clusterfile names a cluster image, not a container image", () => {
  assert.deepEqual(
    images("apiVersion: sealer.io/v2\nkind: Cluster\nspec: { image: 'docker.io/sealerio/kubernetes:v1.22.15' }\n"),
    [],
  );
});

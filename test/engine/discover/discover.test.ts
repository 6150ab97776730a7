import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultKubeVersion } from "../../../engine/chart/capabilities.ts";
import { discoverImages } from "../../../engine/discover/discover.ts";
import type { FileTree, Scope } from "../../../engine/discover/rootfs.ts";

const signal = AbortSignal.timeout(10_000);

function treeOf(files: Readonly<Record<string, string>>): FileTree {
  return { paths: Object.keys(files), read: async (file) => Buffer.from(files[file] ?? "") };
}

/** `image rule file:line` of all that is found in a tree. */
async function found(
  files: Readonly<Record<string, string>>,
  more: { readonly scope?: Scope; readonly commands?: readonly string[] } = {},
): Promise<string[]> {
  const charts = { capabilities: { kubeVersion: defaultKubeVersion, extraApiVersions: [] }, valueSets: [] };
  const options = { scope: "rootfs" as const, commands: [], rules: [], charts, signal, ...more };
  const { findings } = await discoverImages(treeOf(files), options);
  return findings.map(({ image, rule, origin }) => `${image} (${rule}) ${origin.file}:${origin.line}`);
}

const pod = (image: string): string =>
  `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: a\n      image: ${image}\n`;

test("names that a kustomization changes are found as they will be", async () => {
  assert.deepEqual(
    await found({
      "manifests/base/kustomization.yaml": "resources: [pod.yaml]\n",
      "manifests/base/pod.yaml": pod("operator"),
      "manifests/prod/kustomization.yaml":
        "bases: [../base]\nimages:\n  - { name: operator, newName: quay.io/x/operator, newTag: v1 }\n",
    }),
    ["quay.io/x/operator:v1 (Pod container, set by kustomize) manifests/base/pod.yaml:6"],
  );
});

test("only the folders that sealer scans count, and what a launch command leads to", async () => {
  const files = {
    "manifests/a.yaml": pod("a:1"),
    "etc/b.yaml": pod("b:1"),
    "app.yaml": pod("c:1"),
    "install.sh": "#!/bin/sh\nkubectl apply -f deep/d.yaml # not other.yaml\n",
    "deep/d.yaml": pod("d:1"),
    "other.yaml": pod("e:1"),
  };
  const images = async (commands: readonly string[]): Promise<string[]> =>
    (await found(files, { commands })).map((line) => line.split(" ")[0] ?? "");
  assert.deepEqual(await images([]), ["docker.io/library/a:1"]);
  assert.deepEqual(await images(["kubectl apply -f app.yaml", "bash install.sh"]), [
    "docker.io/library/c:1",
    "docker.io/library/d:1",
    "docker.io/library/a:1",
  ]);
});

test("image lists of sealer and sealos are read line by line", async () => {
  assert.deepEqual(
    await found({
      "manifests/imageList": `# all\nnginx:1 # web\n\n'quay.io/a/b@sha256:${"0".repeat(64)}'\n`,
      "images/shim/list": "busybox\n",
    }),
    [
      "docker.io/library/busybox:latest (image list) images/shim/list:1",
      "docker.io/library/nginx:1 (image list) manifests/imageList:2",
      `quay.io/a/b@sha256:${"0".repeat(64)} (image list) manifests/imageList:4`,
    ],
  );
});

test("a chart is rendered with its own values and with every set beside it, and each image says where it comes from", async () => {
  const chart = {
    "charts/web/Chart.yaml":
      "apiVersion: v2\nname: web\nversion: 1.0.0\nannotations:\n  images: |\n    - name: tool\n      image: docker.io/x/tool:1\n",
    "charts/web/values.yaml": "image:\n  repository: quay.io/x/web\n  tag: v1\ndebug: false\n",
    "charts/web/values-debug.yaml": "debug: true\n",
    "charts/web.values.yaml": "image: { tag: v2 }\n",
    "charts/web/templates/pod.yaml":
      'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  containers:\n    - name: a\n      image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"\n{{- if .Values.debug }}\n    - { name: b, image: "debug:1" }\n{{- end }}\n',
  };
  const { findings } = await discoverImages(treeOf(chart), {
    scope: "rootfs",
    commands: [],
    rules: [],
    charts: { capabilities: { kubeVersion: defaultKubeVersion, extraApiVersions: [] }, valueSets: [] },
    signal,
  });
  assert.deepEqual(
    [
      ...new Set(
        findings.map(
          ({ image, confidence, origin }) =>
            `${image} ${confidence} ${origin.values ?? "-"} ${origin.valuesOrigin?.line ?? "-"}`,
        ),
      ),
    ].sort(),
    [
      "docker.io/library/debug:1 certain values-debug.yaml -",
      "docker.io/x/tool:1 declared - -",
      "quay.io/x/web:v1 certain values-debug.yaml 2",
      "quay.io/x/web:v1 certain values.yaml 2",
      "quay.io/x/web:v2 certain web.values.yaml 2",
    ],
  );
});

test("a name that cannot be known is told, not guessed", async () => {
  const charts = { capabilities: { kubeVersion: defaultKubeVersion, extraApiVersions: [] }, valueSets: [] };
  const files = {
    "manifests/a.yaml.tmpl": pod('"{{ .Registry }}/a:1"'),
    "manifests/b.yaml": pod("Not/Valid:1"),
    "manifests/c.yaml": "a: [\n",
  };
  const { findings, unresolved } = await discoverImages(treeOf(files), {
    scope: "rootfs",
    commands: [],
    rules: [],
    charts,
    signal,
  });
  assert.deepEqual(findings, []);
  assert.deepEqual(
    unresolved.map(({ origin, reason }) => `${origin.file}:${origin.line} ${reason.split(":")[0]}`),
    [
      "manifests/a.yaml.tmpl:6 the name holds a template expression",
      "manifests/b.yaml:6 the repository must be lower case",
      "manifests/c.yaml:2 the document cannot be read",
    ],
  );
});

test("the order of a tree's paths changes nothing", async () => {
  const files = { "manifests/b.yaml": pod("b:1"), "manifests/a.yaml": pod("a:1"), "manifests/imageList": "c:1\n" };
  const backwards = Object.fromEntries(Object.entries(files).reverse());
  assert.deepEqual(await found(backwards), await found(files));
});

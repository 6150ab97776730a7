import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import { checkClusterfile } from "../../../server/clusterfile/check.ts";
import { corpusDir, skipWithoutCorpus } from "../../support/requirement.ts";

/** `text: message` of each problem. */
async function finds(text: string, ...expected: readonly (readonly [on: string, says: RegExp])[]): Promise<void> {
  const found = await checkClusterfile(text);
  const shown = found.map(({ span, message }) => `${text.slice(span.start, span.end)}: ${message}`);
  assert.equal(found.length, expected.length, shown.join("\n"));
  for (const [index, [on, says]] of expected.entries()) {
    const problem = found[index];
    assert.ok(problem);
    assert.equal(text.slice(problem.span.start, problem.span.end), on, shown.join("\n"));
    assert.match(problem.message, says);
  }
}

const head = "apiVersion: sealer.io/v2\nkind: Cluster\nmetadata: {name: edge}\nspec:\n  image: a:1\n";

describe("a Clusterfile", () => {
  test("with every field is without problems", () =>
    finds(`apiVersion: sealer.io/v2
kind: Cluster
metadata: {name: edge}
spec:
  image: registry.example.org/edge/k8s:v1.22.15
  env: ["PodCIDR=10.200.0.0/16", "SvcCIDR=10.100.0.0/22"]
  cmd: [ls]
  cmd_args: []
  appNames: [a]
  ssh: {user: ops, passwd: "s3cret", pk: k, pkPasswd: p, port: "22", encrypted: false}
  hosts:
    - {ips: [10.0.0.11, 10.0.0.12], roles: [master]}
    - {ips: [10.0.0.21], roles: [node, db], ssh: {port: "23"}, env: ["Disk=/data"], labels: {ssd: "true"}, taints: ["dedicated=db:NoSchedule", "a:NoExecute-", "b-"]}
  containerRuntime: {type: containerd}
  registry:
    localRegistry: {domain: hub.edge.local, port: 5443, ha: true, insecure: false, username: u, password: p, cert: {subjectAltName: {dnsNames: [a], ips: [b]}}}
    externalRegistry: {domain: a, port: 1, username: u, password: p}
  hostAliases: [{ip: 10.0.0.9, hostnames: [nfs.edge.local]}]
  dataRoot: /data
---
apiVersion: sealer.io/v1
kind: Config
metadata: {name: c}
spec: {path: etc/x, data: "a: b", appName: a, strategy: merge, process: "value|toJson|toBase64|toSecret"}
---
apiVersion: sealer.io/v1
kind: Plugin
metadata: {name: p}
spec: {type: SHELL, action: "pre-install|post-init-host", scope: "master|node", data: ls}
---
apiVersion: sealer.io/v2
kind: Application
metadata: {name: a}
spec:
  cmds: [ls]
  launchApps: [a]
  configs: [{name: a, env: ["A=1"], files: [{path: p, data: d, strategy: overwrite}], launch: {cmds: [ls]}}]
---
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
networking: {podSubnet: 1.2.3.0/24}
`));
  test("that is empty has none", () => finds("", ...[]));
  test("with comments only has none", () => finds("# nothing\n---\n# here\n"));
  test("with CRLF", () => finds(`${head}  hots: []\n`.replaceAll("\n", "\r\n"), ["hots", /Did you mean “hosts”/u]));
});

describe("fields", () => {
  test("that sealer does not read", () =>
    finds(`${head}  provider: CONTAINER\n`, ["provider", /does not read “provider”/u]));
  test("that are missing point at the kind", () =>
    finds("apiVersion: sealer.io/v1\nkind: Config\nmetadata: {name: a}\nspec: {path: x}\n", [
      "spec",
      /“data” is missing/u,
    ]));
  test("a document without spec", () => finds("kind: Plugin\n", ["Plugin", /“spec” is missing/u]));
  test("a number where a text is needed", () => finds(`${head}  ssh: {port: 22}\n`, ["22", /Put it in quotes/u]));
  test("a text where a number is needed", () =>
    finds(`${head}  registry: {localRegistry: {port: "5000"}}\n`, ['"5000"', /whole number is needed/u]));
  test("a port out of range", () =>
    finds(`${head}  registry: {localRegistry: {port: 70000}}\n`, ["70000", /between 1 and 65535/u]));
  test("a map where a list is needed", () => finds(`${head}  env: {A: 1}\n`, ["{A: 1}", /list is needed/u]));
  test("a value that is none of the choices", () =>
    finds(`${head}  containerRuntime: {type: podman}\n`, ["podman", /docker or containerd/u]));
  test("a variable without =", () => finds(`${head}  env: [A]\n`, ["A", /KEY=VALUE/u]));
  test("a taint with an unknown effect", () =>
    finds(`${head}  hosts: [{ips: [1.1.1.1], roles: [master], taints: ["a:Never"]}]\n`, ['"a:Never"', /NoSchedule/u]));
  test("an old phase", () =>
    finds("kind: Plugin\nspec: {type: SHELL, action: PreInit, data: ls}\n", ["PreInit", /Others never run/u]));
  test("a kind of plugin that is gone", () =>
    finds("kind: Plugin\nspec: {type: LABEL, action: pre-install, data: ls}\n", ["LABEL", /SHELL/u]));
  test("an application's file without a strategy", () =>
    finds("kind: Application\nspec: {configs: [{name: a, files: [{path: p, data: d}]}]}\n", [
      "{path: p, data: d}",
      /“strategy” is missing/u,
    ]));
  test("nothing written counts as not given", () => finds(`${head}  env:\n  hosts: null\n`));
});

describe("documents", () => {
  test("of a kind sealer does not know", () =>
    finds("kind: Clutser\n", ["Clutser", /passes over kind “Clutser”.*Cluster/u]));
  test("without a kind", () => finds("a: 1\n", ["a", /“kind” is missing/u]));
  test("a second Cluster", () => finds(`${head}---\n${head}`, ["apiVersion", /replaces the first/u]));
  test("that are no map", () => finds("- a\n", ["- a\n", /made of maps/u]));
  test("with YAML mistakes", async () => {
    const found = await checkClusterfile(`${head}  env: [A=1\n`);
    assert.equal(found[0]?.code, "clusterfile-syntax");
    assert.doesNotMatch(found[0]?.message ?? "", /\n/u);
  });
  test("with a key given twice", async () => {
    const found = await checkClusterfile(`${head}  image: b:1\n`);
    assert.equal(found[0]?.code, "clusterfile-syntax");
  });
});

describe("hosts", () => {
  test("of two families", () =>
    finds(`${head}  hosts: [{ips: [1.1.1.1, "::1"], roles: [master]}]\n`, ['"::1"', /all IPv4 or all IPv6/u]));
  test("given twice", () =>
    finds(`${head}  hosts: [{ips: [1.1.1.1], roles: [master]}, {ips: [1.1.1.1], roles: [node]}]\n`, [
      "1.1.1.1",
      /given twice/u,
    ]));
  test("without a master", () => finds(`${head}  hosts: [{ips: [1.1.1.1], roles: [node]}]\n`, ["[", /role master/u]));
  test("an empty list of addresses", () =>
    finds(`${head}  hosts: [{ips: [], roles: [master]}]\n`, ["[]", /must not be empty/u]));
});

test("a phase of hosts without a scope runs nowhere", () =>
  finds("kind: Plugin\nspec: {type: SHELL, action: pre-init-host, data: ls}\n", ["pre-init-host", /runs nowhere/u]));

describe("Clusterfiles of sealer's tests", { skip: skipWithoutCorpus() }, async () => {
  const dir = path.join(corpusDir, "clusterfiles");
  const names = skipWithoutCorpus() === false ? await readdir(dir) : [];
  for (const name of names.filter((candidate) => candidate.endsWith(".yaml")))
    test(`${name} has no error`, async () => {
      const problems = await checkClusterfile(await readFile(path.join(dir, name), "utf8"));
      assert.deepEqual(
        problems.filter((problem) => problem.severity === "error"),
        [],
      );
    });
});

/** Runtimes as Debian has them, told by the files that `kubefile mirror write` makes, pulling from a bundle with nothing else to ask. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { type BundledTestImage, makeBundle } from "../support/bundles.ts";
import { makeCa } from "../support/certificates.ts";
import { type Containerd, startContainerd } from "../support/containerd.ts";
import { criImageStatus, criPull } from "../support/cri.ts";
import { type RunningRegistry, runCommand, startRegistryCommand } from "../support/registryCommand.ts";
import { skipUnless, skipWithoutProgram } from "../support/requirement.ts";
import { temporaryDir } from "../support/temporary.ts";

const run = promisify(execFile);
const names = [
  "docker.io/library/x:1",
  "quay.io/y/z:1",
  "ghcr.io/y/z:1",
  "registry.k8s.io/pause:3.9",
  "example.hub/library/centos:7",
];

let dir: Awaited<ReturnType<typeof temporaryDir>>;
let digests: ReadonlyMap<string, BundledTestImage>;
let registry: RunningRegistry;

before(async () => {
  dir = await temporaryDir("mirrors");
  digests = await makeBundle(path.join(dir.path, "bundle"), names, 200_000);
  registry = await startRegistryCommand(
    "--store",
    path.join(dir.path, "store"),
    "--bundle",
    path.join(dir.path, "bundle"),
    "--offline",
    "--read-only",
  );
});
after(async () => {
  await registry?.[Symbol.asyncDispose]();
  await dir?.[Symbol.asyncDispose]();
});

const target = (name: string): string => digests.get(name)?.target ?? "";
const skipContainerd = skipWithoutProgram("containerd");

async function nodeWith(
  own: Awaited<ReturnType<typeof temporaryDir>>,
  ...options: readonly string[]
): Promise<Containerd> {
  const configPath = path.join(own.path, "etc/containerd/certs.d");
  const written = await runCommand(
    "mirror",
    "write",
    "--runtime",
    "containerd",
    "--root",
    own.path,
    "--containerd-1",
    ...options,
  );
  assert.equal(written.code, 0, written.output);
  return startContainerd({ configPath });
}

test("containerd pulls every name of a bundle the kubelet's way, under its own name and digest", {
  skip: skipContainerd,
}, async () => {
  await using node = await temporaryDir("node");
  await using containerd = await nodeWith(node, "--endpoint", registry.first);
  for (const name of names) {
    assert.match(await criPull(containerd.socket, name), /^sha256:/);
    const status = await criImageStatus(containerd.socket, name);
    assert.ok(status.includes(`${name.slice(0, name.lastIndexOf(":"))}@${target(name)}`), name);
  }
  assert.notEqual(target("quay.io/y/z:1"), target("ghcr.io/y/z:1"));
  await assert.rejects(criPull(containerd.socket, "quay.io/y/absent:1"), /not found/);
});

test("ctr pulls every name through the written folder, and check shows the pull with the mirror's own line", {
  skip: skipContainerd,
}, async () => {
  await using node = await temporaryDir("node");
  await using containerd = await nodeWith(node, "--endpoint", registry.first);
  for (const name of names) {
    const options = ["--runtime", "containerd", "--root", node.path, "--endpoint", registry.first];
    const checked = await runCommand("mirror", "check", ...options, "--canary", name, "--address", containerd.socket);
    assert.equal(checked.code, 0, checked.output);
    const [host = ""] = name.split("/", 1);
    assert.match(checked.output, /^pulled: ctr /m);
    assert.ok(checked.output.includes(`mirror: HEAD ${host}/`), checked.output);
    const listed = await containerd.ctr("-n", "k8s.io", "images", "ls");
    assert.ok(
      listed.split("\n").some((line) => line.startsWith(name) && line.includes(target(name))),
      listed,
    );
  }
});

test("a canary that the mirror does not have fails the check, and the mirror's line says 404", {
  skip: skipContainerd,
}, async () => {
  await using node = await temporaryDir("node");
  await using containerd = await nodeWith(node, "--endpoint", registry.first);
  const options = ["--runtime", "containerd", "--root", node.path, "--endpoint", registry.first];
  const checked = await runCommand(
    "mirror",
    "check",
    ...options,
    "--canary",
    "quay.io/y/absent:1",
    "--address",
    containerd.socket,
  );
  assert.equal(checked.code, 1);
  assert.match(checked.output, /mirror: HEAD quay\.io\/y\/absent:1 404/);
});

test("a push to any registry does not land in an air-gapped mirror", { skip: skipContainerd }, async () => {
  await using node = await temporaryDir("node");
  await using containerd = await nodeWith(node, "--endpoint", registry.first);
  await criPull(containerd.socket, "example.hub/library/centos:7");
  const certs = path.join(node.path, "etc/containerd/certs.d");
  const pushed = containerd.ctr("-n", "k8s.io", "images", "push", "--hosts-dir", certs, "example.hub/library/centos:7");
  await assert.rejects(pushed, /no push hosts/);
});

test("over TLS with an own authority and a token, containerd pulls; without the token it does not", {
  skip: skipContainerd,
}, async () => {
  await using own = await temporaryDir("tls");
  const ca = await makeCa(own.path);
  const { certificate, key } = await ca.issue("mirror");
  const tokens = path.join(own.path, "tokens");
  await writeFile(tokens, "node-token\n");
  await using guarded = await startRegistryCommand(
    "--store",
    path.join(own.path, "store"),
    "--bundle",
    path.join(dir.path, "bundle"),
    "--offline",
    "--read-only",
    "--tls-cert",
    certificate,
    "--tls-key",
    key,
    "--token-file",
    tokens,
  );
  await using node = await temporaryDir("node");
  const options = ["--endpoint", guarded.first, "--ca", ca.certificate, "--token-file", tokens];
  await using containerd = await nodeWith(node, ...options);
  // hosts.toml names the authority where it lies on the node; here the node's root is a folder.
  const hosts = path.join(node.path, "etc/containerd/certs.d/_default/hosts.toml");
  const text = await readFile(hosts, "utf8");
  await writeFile(hosts, text.replaceAll("/etc/containerd/certs.d", path.join(node.path, "etc/containerd/certs.d")));
  await criPull(containerd.socket, "quay.io/y/z:1");
  await writeFile(hosts, (await readFile(hosts, "utf8")).replace("node-token", "other"));
  await assert.rejects(criPull(containerd.socket, "ghcr.io/y/z:1"));
});

test("skopeo finds every name by the written registries.conf, each host's own image", {
  skip: skipWithoutProgram("skopeo"),
}, async () => {
  await using node = await temporaryDir("node");
  const options = [
    "--runtime",
    "podman",
    "--root",
    node.path,
    "--endpoint",
    registry.first,
    "--bundle",
    path.join(dir.path, "bundle"),
  ];
  const written = await runCommand("mirror", "write", ...options);
  assert.equal(written.code, 0, written.output);
  const conf = path.join(node.path, "etc/containers/registries.conf.d/00-kubefile-mirror.conf");
  for (const name of names) {
    const out = path.join(node.path, `out-${names.indexOf(name)}`);
    await run("skopeo", ["--registries-conf", conf, "--insecure-policy", "copy", `docker://${name}`, `dir:${out}`]);
    const { digestOf } = await import("../../engine/oci/digest.ts");
    assert.equal(digestOf(await readFile(path.join(out, "manifest.json"))), target(name));
  }
  const checked = await runCommand("mirror", "check", ...options, "--canary", "quay.io/y/z:1");
  assert.equal(checked.code, 0, checked.output);
  assert.match(checked.output, /mirror: GET quay\.io\/y\/z:1 200/);
});

test("podman pulls by the written registries.conf", { skip: skipWithoutProgram("podman") }, async () => {
  await using node = await temporaryDir("node");
  const bundle = path.join(dir.path, "bundle");
  const written = await runCommand(
    "mirror",
    "write",
    "--runtime",
    "podman",
    "--root",
    node.path,
    "--endpoint",
    registry.first,
    "--bundle",
    bundle,
  );
  assert.equal(written.code, 0, written.output);
  const env = {
    ...process.env,
    CONTAINERS_REGISTRIES_CONF: path.join(node.path, "etc/containers/registries.conf.d/00-kubefile-mirror.conf"),
  };
  const storage = [
    "--root",
    path.join(node.path, "storage"),
    "--runroot",
    path.join(node.path, "run"),
    "--storage-driver",
    "vfs",
  ];
  for (const name of ["quay.io/y/z:1", "example.hub/library/centos:7"]) {
    await run("podman", [...storage, "pull", "-q", name], { env });
    const { stdout } = await run(
      "podman",
      [...storage, "image", "inspect", "--format", "{{.Digest}} {{.RepoTags}}", name],
      { env },
    );
    assert.equal(stdout.trim(), `${target(name)} [${name}]`);
  }
});

test("a dockerd of old pulls Docker Hub's images from the mirror, and says so for no others", {
  skip: skipWithoutProgram("dockerd", "docker.io"),
  timeout: 60_000,
}, async (context) => {
  await using node = await temporaryDir("node");
  const written = await runCommand(
    "mirror",
    "write",
    "--runtime",
    "docker-classic",
    "--root",
    node.path,
    "--endpoint",
    registry.first,
  );
  assert.equal(written.code, 0, written.output);
  assert.match(written.output, /docker\.io's images only/);
  const socket = path.join(node.path, "docker.sock");
  await mkdir(path.join(node.path, "exec"));
  const daemon = spawn(
    "dockerd",
    [
      "--config-file",
      path.join(node.path, "etc/docker/daemon.json"),
      "--data-root",
      path.join(node.path, "data"),
      "--exec-root",
      path.join(node.path, "exec"),
      "--pidfile",
      path.join(node.path, "pid"),
      "-H",
      `unix://${socket}`,
      "--storage-driver",
      "vfs",
      "--iptables=false",
      "--bridge=none",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  daemon.stderr.on("data", (chunk: Buffer) => (log += chunk.toString("utf8")));
  const gone = new Promise((resolve) => daemon.once("exit", resolve));
  try {
    const up = await answers(socket, () => daemon.exitCode === null);
    if (!up) {
      const reason = `dockerd does not start here: ${log.trim().split("\n").at(-1)}`;
      context.skip(skipUnless(false, reason) || reason);
      return;
    }
    const pulled = await docker(socket, "POST", "/images/create?fromImage=docker.io/library/x&tag=1");
    assert.match(pulled, new RegExp(`Digest: ${target("docker.io/library/x:1")}`));
    const inspected = JSON.parse(await docker(socket, "GET", "/images/x:1/json")) as { RepoDigests: string[] };
    assert.deepEqual(inspected.RepoDigests, [`x@${target("docker.io/library/x:1")}`]);
  } finally {
    daemon.kill("SIGTERM");
    await gone;
  }
});

async function answers(socket: string, alive: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 200 && alive(); tries += 1) {
    if (
      await docker(socket, "GET", "/_ping").then(
        () => true,
        () => false,
      )
    )
      return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

function docker(socketPath: string, method: string, where: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path: where }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
      answer.on("end", () => resolve(text));
    });
    asked.on("error", reject);
    asked.end();
  });
}

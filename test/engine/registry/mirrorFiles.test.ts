import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { MirrorConfig } from "../../../engine/registry/mirror/mirrorConfig.ts";
import { type MirrorRuntimeName, mirrorRuntimes } from "../../../engine/registry/mirror/runtimes.ts";
import { readTomlTables, tomlString } from "../../../engine/registry/mirror/tomlTables.ts";
import { examineMirror, removeMirror, writeMirror } from "../../../engine/registry/mirror/writeMirror.ts";
import { temporaryDir } from "../../support/temporary.ts";

const config: MirrorConfig = {
  endpoint: new URL("https://sea.hub:5443"),
  profile: "air-gapped",
  hosts: ["quay.io", "docker.io", "reg.example:5000"],
  containerdMajor: 1,
};

/** A node's files in a folder of their own. */
function put(root: string, file: string, text: string): void {
  const place = path.join(root, file);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, text);
}
const get = (root: string, file: string): string => readFileSync(path.join(root, file), "utf8");
const errorsOf = (root: string, runtime: MirrorRuntimeName, own: MirrorConfig = config): readonly string[] =>
  examineMirror(root, runtime, own).flatMap(({ level, text }) => (level === "error" ? [text] : []));

const defaultHosts = "/etc/containerd/certs.d/_default/hosts.toml";
const configToml = `version = 2
# the cluster's own
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.9" # original name
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
`;

test("an air-gapped containerd has the mirror as host and as server, and pushes nowhere", async () => {
  await using dir = await temporaryDir("node");
  put(dir.path, "/etc/containerd/config.toml", configToml);
  await writeMirror(dir.path, "containerd", config);
  assert.equal(
    get(dir.path, defaultHosts),
    `# Written by kubefile; \`kubefile mirror remove\` takes it away.
server = "https://sea.hub:5443"
capabilities = ["pull", "resolve"]

[host."https://sea.hub:5443"]
  capabilities = ["pull", "resolve"]
  dial_timeout = "5s"
`,
  );
  assert.deepEqual(errorsOf(dir.path, "containerd"), []);
  assert.equal(get(dir.path, "/etc/containerd/config.toml"), configToml);
});

test("a connected containerd asks the mirror first and names no server; an authority and a token are told too", async () => {
  await using dir = await temporaryDir("node");
  put(dir.path, "/etc/containerd/config.toml", configToml);
  const own: MirrorConfig = { ...config, profile: "connected", ca: "PEM\n", token: "t0ken" };
  await writeMirror(dir.path, "containerd", own);
  const text = get(dir.path, defaultHosts);
  assert.doesNotMatch(text, /^server/m);
  assert.match(text, /ca = "\/etc\/containerd\/certs\.d\/_default\/ca\.crt"/);
  assert.match(text, /Authorization = "Bearer t0ken"/);
  assert.equal(statSync(path.join(dir.path, defaultHosts)).mode & 0o777, 0o600);
  assert.equal(get(dir.path, "/etc/containerd/certs.d/_default/ca.crt"), "PEM\n");
  assert.deepEqual(errorsOf(dir.path, "containerd", own), []);
});

for (const [title, before, major, header] of [
  ["no config.toml, containerd 1", undefined, 1, '[plugins."io.containerd.grpc.v1.cri".registry]'],
  ["no config.toml, containerd 2", undefined, 2, '[plugins."io.containerd.cri.v1.images".registry]'],
  ["a config.toml of version 3", "version = 3\n", 1, '[plugins."io.containerd.cri.v1.images".registry]'],
  [
    "an empty config_path",
    'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = ""\n',
    2,
    "registry]",
  ],
] as const)
  test(`with ${title}, config_path is set in the right table and all else stays`, async () => {
    await using dir = await temporaryDir("node");
    if (before !== undefined) put(dir.path, "/etc/containerd/config.toml", before);
    await writeMirror(dir.path, "containerd", { ...config, containerdMajor: major });
    const text = get(dir.path, "/etc/containerd/config.toml");
    assert.ok(text.includes(header), text);
    assert.equal(text.match(/config_path/g)?.length, 1);
    assert.match(text, /config_path = "\/etc\/containerd\/certs\.d"/);
    await removeMirror(dir.path, "containerd");
    assert.equal(existsSync(path.join(dir.path, "/etc/containerd/config.toml")), before !== undefined);
    if (before !== undefined) assert.equal(get(dir.path, "/etc/containerd/config.toml"), before);
  });

test("hosts are looked up in the folder that the configuration names already", async () => {
  await using dir = await temporaryDir("node");
  put(dir.path, "/etc/containerd/config.toml", configToml.replace("/etc/containerd/certs.d", "/etc/docker/certs.d"));
  await writeMirror(dir.path, "containerd", config);
  assert.ok(existsSync(path.join(dir.path, "/etc/docker/certs.d/_default/hosts.toml")));
});

const good = 'server = "https://sea.hub:5443"\ncapabilities = ["pull", "resolve"]\n[host."https://sea.hub:5443"]\n';
for (const [title, file, text, expected] of [
  [
    "a server without hosts (trap A)",
    defaultHosts,
    'server = "https://sea.hub:5443"\ncapabilities = ["pull"]\n',
    /no \[host\]/,
  ],
  [
    "a list of folders (trap B)",
    "/etc/containerd/config.toml",
    configToml.replace("certs.d", "certs.d:/etc/docker/certs.d"),
    /several folders/,
  ],
  ["an empty server (trap C)", defaultHosts, good.replace("https://sea.hub:5443", ""), /empty address/],
  [
    "a server that takes pushes (trap E)",
    defaultHosts,
    good.replace('capabilities = ["pull", "resolve"]\n', ""),
    /pushes/,
  ],
  [
    "a server with push among several lines",
    defaultHosts,
    good.replace('["pull", "resolve"]', '[\n "pull", # all\n "push" ]'),
    /pushes/,
  ],
  ["no server where there is no network", defaultHosts, good.split("\n").slice(2).join("\n"), /names no server/],
  [
    "another mirror",
    defaultHosts,
    good.replace('[host."https://sea.hub', '[host."https://other.hub'),
    /None of its hosts/,
  ],
  [
    "the old table of mirrors",
    "/etc/containerd/config.toml",
    `${configToml}[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\n`,
    /does not start/,
  ],
  ["no config_path", "/etc/containerd/config.toml", "version = 2\n", /no config_path/],
] as const)
  test(`checking finds ${title}`, async () => {
    await using dir = await temporaryDir("node");
    put(dir.path, "/etc/containerd/config.toml", configToml);
    put(dir.path, defaultHosts, good);
    assert.deepEqual(
      errorsOf(dir.path, "containerd").filter((each) => expected.test(each)),
      [],
    );
    put(dir.path, file, text);
    assert.ok(
      errorsOf(dir.path, "containerd").some((each) => expected.test(each)),
      errorsOf(dir.path, "containerd").join("\n"),
    );
  });

test("a host's own folder is told of, because it beats the mirror, and that an error names the last place only (trap D)", async () => {
  await using dir = await temporaryDir("node");
  put(dir.path, "/etc/containerd/config.toml", configToml);
  put(dir.path, "/etc/containerd/certs.d/quay.io/hosts.toml", 'server = "https://quay.io"\n');
  await writeMirror(dir.path, "containerd", config);
  const texts = examineMirror(dir.path, "containerd", config).map(({ text }) => text);
  assert.ok(texts.some((text) => text.includes("Images of quay.io do not come from the mirror")));
  assert.ok(texts.some((text) => text.includes("only the last place")));
});

test("a containerd that would not start, or would use no mirror, is refused before anything is written", async () => {
  await using dir = await temporaryDir("node");
  put(dir.path, "/etc/containerd/config.toml", configToml.replace("certs.d", "certs.d:/etc/docker/certs.d"));
  await assert.rejects(writeMirror(dir.path, "containerd", config), { code: "MIRROR_FILE_CONFLICT" });
  assert.equal(existsSync(path.join(dir.path, defaultHosts)), false);
});

test("what stood there comes back byte for byte, with its mode, also after writing twice", async () => {
  await using dir = await temporaryDir("node");
  put(dir.path, "/etc/containerd/config.toml", configToml);
  put(dir.path, defaultHosts, "# mine\n");
  await writeMirror(dir.path, "containerd", config);
  await writeMirror(dir.path, "containerd", { ...config, endpoint: new URL("http://10.0.0.9:5000") });
  assert.match(get(dir.path, defaultHosts), /10\.0\.0\.9/);
  const changes = await removeMirror(dir.path, "containerd");
  assert.deepEqual(changes, [{ path: defaultHosts, done: "restored" }]);
  assert.equal(get(dir.path, defaultHosts), "# mine\n");
  assert.deepEqual(await removeMirror(dir.path, "containerd"), []);
});

test("a file that somebody changed since is left and told, and can be undone once it is put right", async () => {
  await using dir = await temporaryDir("node");
  put(dir.path, "/etc/containerd/config.toml", configToml);
  await writeMirror(dir.path, "containerd", config);
  const written = get(dir.path, defaultHosts);
  put(dir.path, defaultHosts, `${written}# and mine\n`);
  assert.equal((await removeMirror(dir.path, "containerd"))[0]?.done, "left");
  put(dir.path, defaultHosts, written);
  assert.equal((await removeMirror(dir.path, "containerd"))[0]?.done, "removed");
  assert.equal(existsSync(path.join(dir.path, "/etc/containerd/certs.d")), false);
});

test("an older dockerd keeps its settings and gets the mirror first; an HTTP mirror is named insecure", async () => {
  await using dir = await temporaryDir("node");
  put(dir.path, "/etc/docker/daemon.json", '{"log-driver":"json-file","registry-mirrors":["https://old.example"]}');
  await writeMirror(dir.path, "docker-classic", { ...config, endpoint: new URL("http://10.0.0.9:5000") });
  assert.deepEqual(JSON.parse(get(dir.path, "/etc/docker/daemon.json")), {
    "log-driver": "json-file",
    "registry-mirrors": ["http://10.0.0.9:5000", "https://old.example"],
    "insecure-registries": ["10.0.0.9:5000"],
  });
  assert.ok(
    examineMirror(dir.path, "docker-classic", config).some(({ text }) => text.includes("docker.io's images only")),
  );
  await removeMirror(dir.path, "docker-classic");
  assert.equal(
    get(dir.path, "/etc/docker/daemon.json"),
    '{"log-driver":"json-file","registry-mirrors":["https://old.example"]}',
  );
});

test("a daemon.json that is no JSON is refused and left", async () => {
  await using dir = await temporaryDir("node");
  put(dir.path, "/etc/docker/daemon.json", "{,}");
  await assert.rejects(writeMirror(dir.path, "docker-classic", config), { code: "MIRROR_FILE_CONFLICT" });
  assert.equal(get(dir.path, "/etc/docker/daemon.json"), "{,}");
});

test("a dockerd whose containerd store is off is told that hosts.toml is not read", async () => {
  await using dir = await temporaryDir("node");
  put(dir.path, "/etc/docker/daemon.json", '{"features":{"containerd-snapshotter":false}}');
  await writeMirror(dir.path, "docker", config);
  assert.match(errorsOf(dir.path, "docker").join(), /reads no hosts\.toml/);
  put(dir.path, "/etc/docker/daemon.json", '{"features":{"containerd-snapshotter":true}}');
  assert.deepEqual(errorsOf(dir.path, "docker"), []);
});

test("podman and CRI-O get a block for each host, which goes nowhere else when there is no network", async () => {
  await using dir = await temporaryDir("node");
  await writeMirror(dir.path, "podman", config);
  assert.equal(
    get(dir.path, "/etc/containers/registries.conf.d/00-kubefile-mirror.conf"),
    `# Written by kubefile; \`kubefile mirror remove\` takes it away.

[[registry]]
prefix = "docker.io"
location = "sea.hub:5443/docker.io"
insecure = false

[[registry]]
prefix = "quay.io"
location = "sea.hub:5443/quay.io"
insecure = false

[[registry]]
prefix = "reg.example:5000"
location = "sea.hub:5443/reg.example_5000_"
insecure = false
`,
  );
  await writeMirror(dir.path, "crio", { ...config, profile: "connected", hosts: ["quay.io"] });
  assert.match(
    get(dir.path, "/etc/containers/registries.conf.d/00-kubefile-mirror.conf"),
    /location = "quay\.io"\n\n\[\[registry\.mirror\]\]\nlocation = "sea\.hub:5443\/quay\.io"/,
  );
  await assert.rejects(writeMirror(dir.path, "podman", { ...config, hosts: [] }), { code: "MIRROR_FILE_CONFLICT" });
});

test("k3s keeps its other mirrors, its comments and its logins", async () => {
  await using dir = await temporaryDir("node");
  const before = `# ours
mirrors:
  example.com:
    endpoint: [https://example.com]
configs:
  example.com:
    auth: {username: a} # keep
`;
  put(dir.path, "/etc/rancher/k3s/registries.yaml", before);
  await writeMirror(dir.path, "k3s", { ...config, ca: "PEM\n" });
  const text = get(dir.path, "/etc/rancher/k3s/registries.yaml");
  assert.match(text, /# ours/);
  assert.match(text, /username: a } # keep|username: a} # keep/);
  assert.match(text, /"\*":\n\s+endpoint:\n\s+- https:\/\/sea\.hub:5443/);
  assert.match(text, /sea\.hub:5443:\n\s+tls:\n\s+ca_file: \/etc\/rancher\/k3s\/kubefile-mirror-ca\.crt/);
  assert.deepEqual(errorsOf(dir.path, "k3s", { ...config, ca: "PEM\n" }), []);
  await removeMirror(dir.path, "k3s");
  assert.equal(get(dir.path, "/etc/rancher/k3s/registries.yaml"), before);
});

test("what k3s made of its file is looked at (trap C)", async () => {
  await using dir = await temporaryDir("node");
  await writeMirror(dir.path, "k3s", config);
  put(
    dir.path,
    "/var/lib/rancher/k3s/agent/etc/containerd/certs.d/_default/hosts.toml",
    'server = ""\n[host."https://sea.hub:5443"]\n',
  );
  assert.match(errorsOf(dir.path, "k3s").join(), /empty address/);
});

for (const [major, header] of [
  [1, 'version = 2\n\n[plugins."io.containerd.grpc.v1.cri".registry]'],
  [2, "version = 3\n\n[plugins.'io.containerd.cri.v1.images'.registry]"],
] as const)
  test(`k0s with containerd ${major} gets a drop-in in the syntax it takes`, async () => {
    await using dir = await temporaryDir("node");
    await writeMirror(dir.path, "k0s", { ...config, containerdMajor: major });
    assert.ok(get(dir.path, "/etc/k0s/containerd.d/kubefile-mirror.toml").includes(header));
    assert.deepEqual(errorsOf(dir.path, "k0s"), []);
    assert.ok(existsSync(path.join(dir.path, "/etc/k0s/containerd.d/certs.d/_default/hosts.toml")));
  });

for (const runtime of Object.keys(mirrorRuntimes) as MirrorRuntimeName[])
  test(`${runtime}: writing, writing again and removing leave an empty node as it was`, async () => {
    await using dir = await temporaryDir("node");
    await writeMirror(dir.path, runtime, config);
    const again = await writeMirror(dir.path, runtime, config);
    assert.ok(
      again.every(({ done }) => done === "unchanged"),
      JSON.stringify(again),
    );
    const changes = await removeMirror(dir.path, runtime);
    assert.ok(
      changes.every(({ done }) => done === "removed"),
      JSON.stringify(changes),
    );
  });

test("tables of TOML are read with quotes, comments and arrays over lines", () => {
  const tables = readTomlTables(`a = "1 # no comment" # comment
[x."y.z".'w']
list = [
  "a", # one
  "b]" ]
"quoted key" = 'lit\\eral'
[[many]]
b = 2
`);
  assert.deepEqual(
    tables.map(({ name }) => name),
    [[], ["x", "y.z", "w"], ["many"]],
  );
  assert.equal(tomlString(tables[0]?.values.get("a")), "1 # no comment");
  assert.match(tables[1]?.values.get("list") ?? "", /"a", {2}"b\]" \]|"a", "b\]" \]/);
  assert.equal(tomlString(tables[1]?.values.get("quoted key")), "lit\\eral");
});

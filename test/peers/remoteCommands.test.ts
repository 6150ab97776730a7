import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { suite, test } from "node:test";
import { openStore } from "../../engine/store/store.ts";
import { startDockerRegistry } from "../support/dockerRegistry.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryDir } from "../support/temporary.ts";
import { tagTestImage, tagTestIndex } from "../support/testImages.ts";

const signal = AbortSignal.timeout(120_000);
const cli = path.resolve(import.meta.dirname, "../../engine/cli.ts");

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** The command line on a store and a home of its own. */
async function place() {
  const dir = await temporaryDir("commands");
  const store = path.join(dir.path, "store");
  const home = path.join(dir.path, "home");
  await mkdir(home);
  const kubefile = (args: readonly string[], input = ""): Promise<Ran> =>
    new Promise((resolve, reject) => {
      const env = { PATH: process.env["PATH"], HOME: home, KUBEFILE_STORE: store };
      const child = spawn(process.execPath, [cli, ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
      let out = "";
      let err = "";
      child.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString("utf8");
      });
      child.stderr.on("data", (chunk: Buffer) => {
        err += chunk.toString("utf8");
      });
      child.once("error", reject);
      child.once("close", (status) => resolve({ status: status ?? -1, out, err }));
      child.stdin.end(input);
    });
  const done = async (args: readonly string[], input = ""): Promise<string> => {
    const { status, out, err } = await kubefile(args, input);
    assert.equal(status, 0, `${args.join(" ")}: ${err}`);
    return out;
  };
  return { path: dir.path, home, store, kubefile, done, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

async function fill(dir: string, act: (store: ReturnType<typeof openStore>) => Promise<unknown>): Promise<void> {
  await using store = openStore({ dir, now: Date.now });
  await act(store);
}

suite("the command line shares images", { skip: skipWithoutProgram("docker-registry") }, () => {
  test("push, search, pull and copy", async () => {
    await using registry = await startDockerRegistry();
    await using here = await place();
    await using there = await place();
    await fill(here.store, (store) => tagTestImage(store, "test.example/shop:1", signal));
    const name = `${registry.host}/shop:1`;
    const pushed = JSON.parse(await here.done(["push", "--json", "test.example/shop:1", name]));
    assert.deepEqual(pushed.blobs, { present: 0, mounted: 0, uploaded: 3 });
    assert.match(await there.done(["search", `${registry.host}/shop`]), /shop +1$/m);
    assert.equal((await there.done(["pull", "--quiet", name])).trim(), pushed.digest);
    assert.equal(JSON.parse(await there.done(["pull", "--json", name])).how, "present");
    assert.equal((await there.done(["copy", "--quiet", name, `${registry.host}/copied:1`])).trim(), pushed.digest);
    const failed = await there.kubefile(["pull", `${registry.host}/nothing:1`]);
    assert.equal(failed.status, 1);
    assert.match(failed.err, /does not have it.*\[REMOTE_NOT_FOUND\]/);
    assert.equal((await there.kubefile(["pull", "--policy", "sometimes", name])).status, 2);
  });

  test("a list of two platforms is made, pushed and pulled", async () => {
    await using registry = await startDockerRegistry();
    await using here = await place();
    await using there = await place();
    await fill(here.store, (store) => tagTestIndex(store, "test.example/both:1", signal));
    const list = `${registry.host}/list:1`;
    await here.done(["manifest", "create", list, "test.example/both:1"]);
    const { manifests } = JSON.parse(await here.done(["manifest", "inspect", list]));
    assert.equal(manifests.length, 2);
    await here.done(["manifest", "push", "--all", list]);
    const pulled = JSON.parse(await there.done(["pull", "--json", "--all-platforms", list]));
    assert.match(await there.done(["inspect", list]), /linux\/amd64[\s\S]*linux\/arm64/);
    await there.done([
      "manifest",
      "remove",
      list,
      JSON.parse(await there.done(["manifest", "inspect", list])).manifests[1].digest,
    ]);
    assert.notEqual(JSON.parse(await there.done(["manifest", "inspect", list, "--json"])).manifests.length, 2);
    assert.match(pulled.digest, /^sha256:/);
    assert.equal((await there.kubefile(["manifest", "explode", list])).status, 2);
  });

  test("login keeps a password in the user's docker configuration, never shows it, and logout forgets it", {
    skip: skipWithoutProgram("htpasswd", "apache2-utils"),
  }, async () => {
    await using dir = await temporaryDir("htpasswd");
    const { spawnSync } = await import("node:child_process");
    const { stdout } = spawnSync("htpasswd", ["-Bbn", "-C", "4", "alice", "s3cret-p4ss"]);
    await writeFile(path.join(dir.path, "htpasswd"), stdout);
    await using registry = await startDockerRegistry({ htpasswd: path.join(dir.path, "htpasswd") });
    await using here = await place();
    await fill(here.store, (store) => tagTestImage(store, `${registry.host}/shop:1`, signal));
    const wrong = await here.kubefile(["login", "-u", "alice", "--password-stdin", registry.host], "guess\n");
    assert.equal(wrong.status, 1);
    assert.doesNotMatch(wrong.err + wrong.out, /guess/);
    const right = await here.kubefile(["login", "-u", "alice", "--password-stdin", registry.host], "s3cret-p4ss\n");
    assert.equal(right.status, 0, right.err);
    assert.doesNotMatch(right.err + right.out, /s3cret/);
    const file = path.join(here.home, ".docker", "config.json");
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    await here.done(["push", `${registry.host}/shop:1`]);
    assert.match(await here.done(["logout", registry.host]), /logged out/);
    assert.doesNotMatch(await readFile(file, "utf8"), /127\.0\.0\.1/);
    const out = await here.kubefile(["push", `${registry.host}/shop:1`]);
    assert.equal(out.status, 1);
    assert.match(out.err, /no credentials for it are known/);
  });

  test("diff, merge and mount", async () => {
    await using here = await place();
    await fill(here.store, async (store) => {
      await tagTestImage(store, "test.example/shop:1", signal);
      await tagTestIndex(store, "test.example/both:1", signal);
    });
    const diff = await here.done(["diff", "--platform", "linux/amd64", "test.example/shop:1", "test.example/both:1"]);
    assert.match(diff, /^ {2}- etc\/kubeadm\.yml$/m);
    assert.match(diff, /^ {2}\+ bin\/kubelet$/m);
    await here.done(["merge", "-t", "test.example/merged:1", "test.example/shop:1", "test.example/both:1"]);
    const root = path.join(here.path, "rootfs");
    await here.done(["mount", "test.example/merged:1", root]);
    assert.equal(await readFile(path.join(root, "etc/kubeadm.yml"), "utf8"), "kind: ClusterConfiguration\n");
    assert.match(await readFile(path.join(root, "bin/kubelet"), "utf8"), /amd64/);
  });

  test("a build takes a base image the store does not have from its registry", async () => {
    await using registry = await startDockerRegistry();
    await using here = await place();
    await using there = await place();
    const name = `${registry.host}/base:1`;
    await fill(here.store, (store) => tagTestImage(store, name, signal));
    await here.done(["push", name]);
    const context = path.join(there.path, "context");
    await mkdir(context);
    await writeFile(path.join(context, "Kubefile"), `FROM ${name}\nCOPY hello.yaml manifests/\n`);
    await writeFile(path.join(context, "hello.yaml"), "kind: ConfigMap\n");
    await there.done(["build", "-t", "test.example/built:1", context]);
    const root = path.join(there.path, "rootfs");
    await there.done(["mount", "test.example/built:1", root]);
    assert.equal(await readFile(path.join(root, "manifests/hello.yaml"), "utf8"), "kind: ConfigMap\n");
    assert.equal(await readFile(path.join(root, "etc/kubeadm.yml"), "utf8"), "kind: ClusterConfiguration\n");
  });
});

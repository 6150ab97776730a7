import assert from "node:assert/strict";
import { chmod, lstat, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import type { Credential } from "../../../engine/remote/credentials.ts";
import { dockerConfig } from "../../../engine/remote/dockerConfig.ts";
import { temporaryDir } from "../../support/temporary.ts";

const signal = AbortSignal.timeout(30_000);
const basic = (text: string) => Buffer.from(text).toString("base64");
const alice: Credential = { kind: "password", username: "alice", password: "pa:ss" };

async function withConfig(
  config: unknown,
  act: (
    file: string,
    find: (registry: string, repository?: string) => Promise<Credential | undefined>,
  ) => Promise<void>,
  environment: Record<string, string | undefined> = {},
): Promise<void> {
  await using dir = await temporaryDir("config");
  const file = path.join(dir.path, "config.json");
  await writeFile(file, typeof config === "string" ? config : JSON.stringify(config));
  const source = dockerConfig(file, environment);
  await act(file, (registry, repository) => source.find(registry, repository, signal));
}

/** A stand-in for a helper: a shell script that keeps one file for each server. */
async function writeHelper(dir: string, name: string): Promise<Record<string, string>> {
  const bin = path.join(dir, "bin");
  const kept = path.join(dir, "kept");
  await mkdir(bin, { recursive: true });
  await mkdir(kept, { recursive: true });
  const script = `#!/bin/sh
read -r line
case "$1" in
  get) f="$KEPT/$(printf %s "$line" | tr '/:' '__')"; [ -f "$f" ] && cat "$f" || { echo "credentials not found in native keychain"; exit 1; } ;;
  store) url=$(printf %s "$line" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/'); printf %s "$line" > "$KEPT/$(printf %s "$url" | tr '/:' '__')" ;;
  erase) rm "$KEPT/$(printf %s "$line" | tr '/:' '__')" ;;
esac
`;
  await writeFile(path.join(bin, `docker-credential-${name}`), script);
  await chmod(path.join(bin, `docker-credential-${name}`), 0o755);
  return { PATH: `${bin}:/usr/bin:/bin`, KEPT: kept };
}

test("a password may hold a colon, and an absent file knows nobody", async () => {
  await withConfig({ auths: { "r.example:5000": { auth: basic("alice:pa:ss") } } }, async (_, find) => {
    assert.deepEqual(await find("r.example:5000", "a/b"), alice);
    assert.equal(await find("r.example", "a/b"), undefined);
  });
  assert.equal(await dockerConfig("/nonexistent/config.json", {}).find("r.example", undefined, signal), undefined);
});

test("Docker Hub is found under its oldest key and its newer ones", async () => {
  for (const key of [
    "https://index.docker.io/v1/",
    "docker.io",
    "index.docker.io",
    "https://registry-1.docker.io/v2/",
  ]) {
    await withConfig({ auths: { [key]: { auth: basic("alice:pa:ss") } } }, async (_, find) => {
      assert.deepEqual(await find("docker.io", "library/nginx"), alice, key);
    });
  }
});

test("the entry for the longest part of a repository's path wins", async () => {
  const auths = {
    "quay.io": { auth: basic("host:1") },
    "quay.io/team": { auth: basic("team:2") },
    "quay.io/team/app": { auth: basic("app:3") },
  };
  await withConfig({ auths }, async (_, find) => {
    const userOf = async (repository?: string) =>
      ((await find("quay.io", repository)) as { username: string }).username;
    assert.equal(await userOf("team/app"), "app");
    assert.equal(await userOf("team/other"), "team");
    assert.equal(await userOf("teamwork/app"), "host");
    assert.equal(await userOf(), "host");
  });
});

test("identity and registry tokens are told apart from passwords", async () => {
  const auths = {
    "a.example": { auth: basic("<token>:"), identitytoken: "refresh" },
    "b.example": { registrytoken: "bearer" },
  };
  await withConfig({ auths }, async (_, find) => {
    assert.deepEqual(await find("a.example"), { kind: "identityToken", token: "refresh" });
    assert.deepEqual(await find("b.example"), { kind: "registryToken", token: "bearer" });
  });
});

test("a file that is not what it should be is named, and what is in it is not quoted", async () => {
  for (const text of [`{"auths": {"r": {"auth": "c2VjcmV0OnZhbHVl" }`, `[]`, `{"auths": []}`]) {
    await withConfig(text, async (file, find) => {
      await assert.rejects(find("r"), (error: Error) => {
        assert.match(error.message, new RegExp(file));
        assert.doesNotMatch(error.message, /c2VjcmV0/);
        return true;
      });
    });
  }
});

test("login writes for the owner only, keeps what else is in the file, and logout takes it away", async () => {
  await withConfig({ proxies: { default: {} }, auths: { "keep.example": { auth: basic("k:k") } } }, async (file) => {
    await chmod(file, 0o644);
    const config = dockerConfig(file, {});
    assert.equal(await config.save("docker.io", alice, signal), file);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const written = JSON.parse(await readFile(file, "utf8"));
    assert.deepEqual(written, {
      proxies: { default: {} },
      auths: { "keep.example": { auth: basic("k:k") }, "https://index.docker.io/v1/": { auth: basic("alice:pa:ss") } },
    });
    assert.deepEqual(await config.find("docker.io", undefined, signal), alice);
    assert.equal(await config.remove("docker.io", signal), true);
    assert.equal(await config.remove("docker.io", signal), false);
    assert.deepEqual(Object.keys(JSON.parse(await readFile(file, "utf8")).auths), ["keep.example"]);
  });
});

test("a configuration that is a symbolic link stays one", async () => {
  await using dir = await temporaryDir("link");
  const real = path.join(dir.path, "real.json");
  const file = path.join(dir.path, "config.json");
  await writeFile(real, "{}");
  await symlink(real, file);
  await dockerConfig(file, {}).save("r.example", alice, signal);
  assert.ok((await lstat(file)).isSymbolicLink());
  assert.match(await readFile(real, "utf8"), /r\.example/);
});

for (const kind of ["credsStore", "credHelpers"] as const) {
  test(`a helper named by ${kind} keeps the secret, and the file only says that there is one`, async () => {
    await using dir = await temporaryDir("helper");
    const environment = await writeHelper(dir.path, "toy");
    const file = path.join(dir.path, "config.json");
    await writeFile(
      file,
      JSON.stringify(kind === "credsStore" ? { credsStore: "toy" } : { credHelpers: { "r.example": "toy" } }),
    );
    const config = dockerConfig(file, environment);
    assert.equal(await config.find("r.example", undefined, signal), undefined);
    assert.equal(await config.save("r.example", alice, signal), "docker-credential-toy");
    assert.doesNotMatch(await readFile(file, "utf8"), /pa:ss|YWxpY2U/);
    assert.deepEqual(await config.find("r.example", "a/b", signal), alice);
    await config.save("r.example", { kind: "identityToken", token: "refresh" }, signal);
    assert.deepEqual(await config.find("r.example", "a/b", signal), { kind: "identityToken", token: "refresh" });
    assert.equal(await config.remove("r.example", signal), true);
    assert.equal(await config.find("r.example", undefined, signal), undefined);
  });
}

test("a helper that is missing or fails is named with what to do", async () => {
  await withConfig({ credsStore: "nowhere" }, async (_, find) => {
    await assert.rejects(find("r.example"), {
      code: "CREDENTIAL_HELPER_FAILED",
      message: /docker-credential-nowhere is not on PATH/,
    });
  });
  await withConfig({ credsStore: "../evil" }, async (_, find) => {
    await assert.rejects(find("r.example"), { code: "CREDENTIAL_HELPER_FAILED", message: /not a plain file name/ });
  });
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { openStore } from "../../engine/store/store.ts";
import { startDockerRegistry } from "../support/dockerRegistry.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryDir } from "../support/temporary.ts";
import { tagTestImage } from "../support/testImages.ts";

const signal = AbortSignal.timeout(120_000);
const cli = path.resolve(import.meta.dirname, "../../engine/cli.ts");

/** Command lines on as many stores as are named, in a folder with the keys of a signer and of a stranger. */
async function place() {
  const dir = await temporaryDir("verify-key");
  for (const name of ["ours", "stranger"]) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(path.join(dir.path, `${name}.key`), privateKey.export({ type: "pkcs8", format: "pem" }));
    writeFileSync(path.join(dir.path, `${name}.pub`), publicKey.export({ type: "spki", format: "pem" }));
  }
  const run = (store: string, args: readonly string[]): Promise<{ status: number | null; out: string; err: string }> =>
    new Promise((resolve, reject) => {
      const env = { PATH: process.env["PATH"], HOME: dir.path, KUBEFILE_STORE: path.join(dir.path, store) };
      const child = spawn(process.execPath, [cli, ...args], { env, cwd: dir.path, stdio: ["ignore", "pipe", "pipe"] });
      const [out, err]: [string[], string[]] = [[], []];
      child.stdout.on("data", (chunk: Buffer) => out.push(chunk.toString("utf8")));
      child.stderr.on("data", (chunk: Buffer) => err.push(chunk.toString("utf8")));
      child.once("error", reject);
      child.once("close", (status) => resolve({ status, out: out.join(""), err: err.join("") }));
    });
  return {
    path: dir.path,
    run,
    done: async (store: string, ...args: string[]): Promise<string> => {
      const { status, out, err } = await run(store, args);
      assert.equal(status, 0, `${args.join(" ")}: ${err}`);
      return out;
    },
    refused: async (code: string, store: string, ...args: string[]): Promise<void> => {
      const { status, err } = await run(store, args);
      assert.equal(status, 1, err);
      assert.match(err, new RegExp(`\\[${code}\\]`));
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

suite("--verify-key lets pass what is signed", { skip: skipWithoutProgram("docker-registry") }, () => {
  test("from registry to store to file to another store, without asking the registry again", async () => {
    await using registry = await startDockerRegistry();
    await using p = await place();
    const name = `${registry.host}/shop:1`;
    {
      await using store = openStore({ dir: path.join(p.path, "builder"), now: Date.now });
      await tagTestImage(store, name, signal);
    }
    const ours = ["--verify-key", "ours.pub"];
    await p.done("builder", "push", name);
    await p.refused("SIGNATURE_MISSING", "depot", "pull", ...ours, name);
    assert.equal(await p.done("depot", "images"), await p.done("empty", "images"), "nothing was named");
    await p.done("builder", "sign", "--key", "ours.key", name);
    await p.refused("SIGNATURE_INVALID", "depot", "pull", "--verify-key", "stranger.pub", name);
    await p.done("depot", "pull", ...ours, name);
    await p.done("depot", "pull", "--policy", "never", ...ours, name);
    await p.refused("SIGNATURE_INVALID", "depot", "pull", "--policy", "never", "--verify-key", "stranger.pub", name);

    await p.done("depot", "prune");
    await p.refused("SIGNATURE_INVALID", "depot", "save", "--verify-key", "stranger.pub", "-o", "no.tar", name);
    assert.equal(existsSync(path.join(p.path, "no.tar")), false);
    await p.done("depot", "save", ...ours, "-o", "out.tar", name);
    await p.refused("SIGNATURE_INVALID", "site", "load", "--verify-key", "stranger.pub", "out.tar");
    assert.equal(await p.done("site", "images"), await p.done("empty", "images"), "nothing was named");
    await p.done("site", "load", "--verify-key", "stranger.pub", ...ours, "out.tar");
    await p.done("site", "mount", ...ours, name, "root");
    await p.refused("SIGNATURE_INVALID", "site", "mount", "--verify-key", "stranger.pub", name, "other");
    assert.equal(existsSync(path.join(p.path, "other")), false);

    const docker = await p.run("depot", ["save", "--format", "docker-archive", "-o", "docker.tar", name]);
    assert.match(docker.err, /no place for its signatures/);
    await p.refused("SIGNATURE_MISSING", "third", "load", ...ours, "docker.tar");
    await p.refused("KEY_UNREADABLE", "site", "load", "--verify-key", "absent.pub", "out.tar");
    await p.refused("KEY_UNREADABLE", "site", "load", "--verify-key", "out.tar", "out.tar");
  });

  test("a signature goes with a push of the image as it is, and is missed with a word when the digest changes", async () => {
    await using registry = await startDockerRegistry();
    await using p = await place();
    const name = `${registry.host}/shop:1`;
    {
      await using store = openStore({ dir: path.join(p.path, "builder"), now: Date.now });
      await tagTestImage(store, name, signal);
    }
    await p.done("builder", "push", "--compression", "none", name);
    await p.done("builder", "sign", "--key", "ours.key", name);
    await p.done("builder", "pull", "--verify-key", "ours.pub", name);
    const same = `${registry.host}/same:1`;
    assert.match(await p.done("builder", "push", "--compression", "none", name, same), /1 referrers/);
    await p.done("other", "verify-signature", "--key", "ours.pub", same);
    const other = await p.run("builder", ["push", name, `${registry.host}/other:1`]);
    assert.match(other.err, /1 signatures did not go along/);
  });
});

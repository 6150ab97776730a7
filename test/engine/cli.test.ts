import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { version } from "../../engine/version.ts";

const rootDir = path.resolve(import.meta.dirname, "../..");
const cli = path.join(rootDir, "engine/cli.ts");

describe("the command line", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-cli-"));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const contextDir = path.join(dir, "context");
  mkdirSync(path.join(contextDir, "app"), { recursive: true });
  writeFileSync(path.join(contextDir, "Kubefile"), "FROM scratch\nAPP web local://app\nLAUNCH web\n");
  writeFileSync(path.join(contextDir, "app/a.yaml"), "kind: ConfigMap\n");
  const env = { PATH: process.env["PATH"], HOME: dir, KUBEFILE_STORE: path.join(dir, "store") };

  function run(...args: string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
    const ended = spawnSync(process.execPath, [cli, ...args], { env, cwd: contextDir });
    return { code: ended.status, out: ended.stdout.toString(), err: ended.stderr.toString() };
  }

  function answer(...args: string[]): Record<string, unknown> {
    const { code, out, err } = run(...args, "--json");
    assert.equal(code, 0, err);
    return JSON.parse(out) as Record<string, unknown>;
  }

  test("builds, and every command that answers something answers in JSON too", () => {
    const built = answer("build", "-t", "web:1", "--build-mode", "lite");
    assert.match(String(built["digest"]), /^sha256:[0-9a-f]{64}$/);
    const plan = answer("plan") as { cachedSteps?: number };
    assert.equal(plan.cachedSteps, 1);
    const [image] = answer("images") as unknown as { references: string[] }[];
    assert.deepEqual(image?.references, ["docker.io/library/web:1"]);
    assert.equal(answer("inspect", "web:1")["digest"], built["digest"]);
    assert.equal((answer("tag", "web:1", "other/web:2") as { reference?: string }).reference, "docker.io/other/web:2");
    assert.equal((answer("history", "web:1") as unknown as unknown[]).length, 1);
    assert.ok(Number(answer("du")["totalBytes"]) > 0);
    assert.equal((answer("builds") as unknown as unknown[]).length, 1);
    assert.equal(answer("prune", "--dry-run")["dryRun"], true);
    assert.deepEqual(answer("verify")["faults"], []);
    const saved = answer("save", "-o", path.join(dir, "web.tar"), "web:1");
    assert.ok(Number(saved["sizeBytes"]) > 0);
    assert.equal((answer("rmi", "other/web:2") as unknown as unknown[]).length, 1);
    assert.deepEqual(answer("check")["problems"], []);
    assert.deepEqual(answer("format", "--check")["changed"], []);
  });

  test("the digest alone is on standard output, progress is beside it", () => {
    const { code, out, err } = run("build", "-t", "web:1", "--build-mode", "lite");
    assert.equal(code, 0);
    assert.match(out, /^sha256:[0-9a-f]{64}\n$/);
    assert.match(err, /APP web local:\/\/app\n.*→ cached, /s);
    assert.equal(run("build", "-q", "-t", "web:1", "--build-mode", "lite").err, "");
  });

  test("exit codes tell failure from wrong usage", () => {
    const failed = run("build", "-t", "x:1", "-f", "missing");
    assert.equal(failed.code, 1);
    assert.match(failed.err, /missing: there is no such file.*\[KUBEFILE_MISSING\]/);
    for (const args of [
      ["nonsense"],
      ["build"],
      ["build", "--nonsense"],
      ["tag", "one"],
      ["build", "-t", "a:1", "--pull=maybe"],
      ["prune", "--keep-time=soon"],
    ]) {
      const { code, err } = run(...args);
      assert.equal(code, 2, `${args.join(" ")}: ${err}`);
      assert.match(err, /See: kubefile .*--help/);
    }
    assert.equal(run("inspect", "nothing:1").code, 1);
  });

  test("an error in JSON carries code, facts and line", () => {
    writeFileSync(path.join(contextDir, "Broken"), "FROM scratch\nCOPY none /\n");
    const { code, err } = run("build", "--json", "-t", "x:1", "-f", "Broken");
    assert.equal(code, 1);
    const { error } = JSON.parse(err.trim().split("\n").at(-1) ?? "") as {
      error: { code: string; at: { line: number }; facts: object };
    };
    assert.equal(error.code, "COPY_SOURCE_MISSING");
    assert.equal(error.at.line, 2);
    assert.deepEqual(error.facts, { instruction: "COPY", source: "none", reason: "it is not in the build context" });
  });

  test("check prints places, exits with 1 for errors, writes SARIF and applies safe fixes", () => {
    writeFileSync(path.join(contextDir, "Wrong"), "from scratch\nCOPPY a b\n");
    const text = run("check", "Wrong");
    assert.equal(text.code, 1);
    assert.match(text.out, /^Wrong:2:1: error: .*\[KF\d{3}\]$/m);
    const sarif = JSON.parse(run("check", "--format", "sarif", "Wrong").out) as {
      runs: { results: { ruleId: string }[] }[];
    };
    assert.ok(sarif.runs[0]?.results.some(({ ruleId }) => ruleId === "KF001"));
    assert.equal(run("check", "nowhere").code, 1);
    writeFileSync(path.join(contextDir, "Fixable"), "from scratch\nLABEL a=b\n");
    assert.equal(run("check", "--fix", "--dialect", "sealer", "Fixable").code, 0);
    assert.equal(readFileSync(path.join(contextDir, "Fixable"), "utf8"), "FROM scratch\nLABEL a=b\n");
  });

  test("format writes, and says with --check what it would write", () => {
    const file = path.join(contextDir, "Untidy");
    writeFileSync(file, "from   scratch\n\n\n\ncopy a b");
    assert.equal(run("format", "--check", "Untidy").code, 1);
    assert.equal(readFileSync(file, "utf8"), "from   scratch\n\n\n\ncopy a b");
    assert.equal(run("format", "Untidy").code, 0);
    assert.equal(run("format", "--check", "Untidy").code, 0);
  });

  test("Ctrl-C ends a build as interrupted and leaves nothing", async () => {
    const big = path.join(dir, "big");
    mkdirSync(big);
    for (let index = 0; index < 8; index++)
      writeFileSync(path.join(big, `f${index}`), Buffer.alloc(32 * 1024 * 1024, index));
    writeFileSync(path.join(big, "Kubefile"), "FROM scratch\nCOPY . /\n");
    const child = spawn(
      process.execPath,
      [cli, "build", "-t", "big:1", "--build-mode", "lite", big, "-f", path.join(big, "Kubefile")],
      { env },
    );
    child.stderr.on("data", (text: Buffer) => {
      if (text.includes("COPY")) child.kill("SIGINT");
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    assert.equal(code, 130);
    assert.equal(run("inspect", "big:1").code, 1);
    assert.deepEqual(answer("verify")["faults"], []);
    rmSync(big, { recursive: true });
  });

  test("help names every command, and a command's help its options", () => {
    assert.match(run("--help").out, /^ {2}build +Build a cluster image/m);
    assert.match(run("build", "--help").out, /--platform OS\/ARCH/);
    assert.equal(run("--version").out, `kubefile ${version}\n`);
  });

  test("the version is the package's", () => {
    const manifest = JSON.parse(readFileSync(path.join(rootDir, "package.json"), "utf8")) as { version: string };
    assert.equal(version, manifest.version);
  });

  test("the launcher finds its checkout through links and says what it needs", () => {
    const link = path.join(dir, "kubefile");
    symlinkSync(path.join(rootDir, "bin/kubefile"), link);
    const linked = spawnSync("sh", [link, "--version"], { env });
    assert.equal(linked.stdout.toString(), `kubefile ${version}\n`);

    const bare = path.join(dir, "bare/bin");
    mkdirSync(bare, { recursive: true });
    writeFileSync(path.join(bare, "kubefile"), readFileSync(path.join(rootDir, "bin/kubefile")));
    writeFileSync(path.join(bare, "node"), "#!/bin/sh\necho v18.0.0\n", { mode: 0o755 });
    const old = spawnSync("/bin/sh", [path.join(bare, "kubefile")], { env: { PATH: `${bare}:/usr/bin:/bin` } });
    assert.equal(old.status, 1);
    assert.match(old.stderr.toString(), /v18\.0\.0, and 24\.0 or newer is needed/);
  });
});

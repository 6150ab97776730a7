import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { openStore } from "../../engine/store/store.ts";

/**
 * Builds are killed at random moments, and several processes build, name and prune one store together. `CRASH_ROUNDS` says how often
 * (20 when absent; 200 is what was promised).
 */
const rounds = Number(process.env["CRASH_ROUNDS"] ?? 20);
const cli = path.resolve(import.meta.dirname, "../../engine/cli.ts");

describe("a store that is built into by processes that die", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-crash-"));
  after(() => rmSync(dir, { recursive: true, force: true }));

  function makeContext(name: string, files: number): string {
    const contextDir = path.join(dir, name);
    for (let index = 0; index < files; index++) {
      const file = path.join(contextDir, `d${index % 9}`, `f${index}`);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, Buffer.alloc(20_000, index % 251));
    }
    writeFileSync(
      path.join(contextDir, "Kubefile"),
      "FROM scratch\nCOPY d0 /d0/\nCOPY d1 /d1/\nCOPY . /all/\nWORKDIR /w\n",
    );
    return contextDir;
  }

  /** Runs the command line; resolves with its exit code, or the signal that ended it. */
  function run(args: readonly string[], killAfterMs?: number): Promise<number | string> {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    let complaint = "";
    child.stderr.on("data", (text: Buffer) => {
      complaint += text.toString();
    });
    const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    return new Promise((resolve, reject) => {
      child.once("close", (code, signal) => {
        clearTimeout(timer);
        if (code === 0 || signal === "SIGKILL") resolve(code ?? signal ?? "");
        else reject(new Error(`${args[0]} ended with ${code}: ${complaint}`));
      });
    });
  }

  async function checkWhole(storeDir: string, names: readonly string[]): Promise<void> {
    await using store = openStore({ dir: storeDir, now: Date.now });
    const report = await store.verify(new AbortController().signal);
    assert.deepEqual(report.damaged, []);
    for (const name of names) assert.ok(store.lookup(name) !== undefined, `${name} is lost`);
  }

  test(`killed ${rounds} times, it stays whole, loses no name, and the build succeeds`, {
    timeout: rounds * 5000 + 60_000,
  }, async () => {
    const contextDir = makeContext("context", 400);
    const storeDir = path.join(dir, "store");
    const build = (tag: string): string[] => [
      "build",
      "-q",
      "--store",
      storeDir,
      "--build-mode",
      "lite",
      "-t",
      tag,
      "-f",
      path.join(contextDir, "Kubefile"),
      contextDir,
    ];
    const startedAt = performance.now();
    await run(build("first:1"));
    const wholeMs = performance.now() - startedAt;
    const named = ["docker.io/library/first:1"];
    let killed = 0;
    for (let round = 0; round < rounds; round++) {
      appendFileSync(path.join(contextDir, `d${round % 9}`, `f${round % 9}`), `${round}`);
      const outcome = await run(build(`round:${round}`), Math.random() * wholeMs * 1.1);
      if (outcome === 0) named.push(`docker.io/library/round:${round}`);
      else killed++;
      if (round % 5 === 4) await run(["prune", "--store", storeDir], Math.random() * 300);
    }
    assert.ok(killed > 0, "no build was killed: the moments were chosen badly");
    await checkWhole(storeDir, named);
    await run(build("last:1"));
    await run(["prune", "--all", "--store", storeDir]);
    await checkWhole(storeDir, [...named, "docker.io/library/last:1"]);
  });

  test("four processes build, name and prune one store at once", { timeout: 240_000 }, async () => {
    const storeDir = path.join(dir, "shared");
    const contexts = ["one", "two", "three"].map((name) => makeContext(name, 120));
    const builders = contexts.map(async (contextDir, index) => {
      for (let round = 0; round < 5; round++) {
        appendFileSync(path.join(contextDir, "d0", "f0"), `${round}`);
        await run([
          "build",
          "-q",
          "--store",
          storeDir,
          "--build-mode",
          "lite",
          "-t",
          `image${index}:${round}`,
          "-f",
          path.join(contextDir, "Kubefile"),
          contextDir,
        ]);
      }
    });
    let building = true;
    const pruner = (async () => {
      while (building) await run(["prune", "--all", "--store", storeDir]);
    })();
    try {
      await Promise.all(builders);
    } finally {
      building = false;
      await pruner;
    }
    const names = contexts.flatMap((_, index) =>
      [0, 1, 2, 3, 4].map((round) => `docker.io/library/image${index}:${round}`),
    );
    await checkWhole(storeDir, names);
  });
});

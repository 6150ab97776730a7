import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { skipUnless } from "../../support/requirement.ts";
import { Bench } from "./fixture.ts";

const busybox = ["/bin/busybox", "/usr/bin/busybox"].find((file) => existsSync(file));

describe("RUN in a build", {
  skip: skipUnless(
    busybox !== undefined && process.platform === "linux",
    "busybox is not installed (Debian package busybox-static)",
  ),
}, () => {
  /** A bench whose context has a small root file system. */
  function bench(): Bench {
    const made = new Bench();
    const bin = path.join(made.contextDir, "rootfs/bin");
    mkdirSync(bin, { recursive: true });
    copyFileSync(busybox ?? "", path.join(bin, "busybox"));
    for (const name of ["sh", "cat", "echo", "mkdir", "rm", "id", "env", "wc", "grep", "ls"])
      symlinkSync("busybox", path.join(bin, name));
    mkdirSync(path.join(made.contextDir, "rootfs/etc"));
    writeFileSync(
      path.join(made.contextDir, "rootfs/etc/passwd"),
      "root:x:0:0::/root:/bin/sh\nworker:x:12:34::/:/bin/sh\n",
    );
    writeFileSync(path.join(made.contextDir, "rootfs/etc/group"), "root:x:0:\nworkers:x:34:\n");
    return made;
  }

  const base = "FROM scratch\nCOPY rootfs/ /\n";
  const kinds = (made: Bench): readonly string[] =>
    made.outcomes.map((line) => `${line.split(" ")[0]} ${/: (\w+) \(/.exec(line)?.[1]}`);

  test("runs once, then comes from the cache; a change below runs it again and says why", async () => {
    await using made = bench();
    made.write({ a: "a" });
    const kubefile = `${base}COPY a /a\nRUN cat /a > /copy && rm /bin/wc\n`;
    const first = await made.build(kubefile);
    assert.equal((await made.build(kubefile)).digest, first.digest);
    assert.deepEqual(kinds(made), ["COPY cached", "COPY cached", "RUN cached"]);
    made.write({ a: "b" });
    assert.deepEqual(await made.plan(kubefile), [
      "cached",
      "build: file a changed",
      "unknown: line 3 is built before it",
    ]);
    await made.build(kubefile);
    assert.match(made.outcomes.at(-1) ?? "", /built \(what is below it changed\)/);
  });

  test("sees arguments and environment, works where WORKDIR says and as USER says", async () => {
    await using made = bench();
    await made.build(
      `${base}ARG WHO=arg\nENV GREETING="hello there"\nWORKDIR /srv/app\nUSER worker\nRUN echo "$WHO $GREETING $PWD $(id -u):$(id -g)"\n`,
    );
    assert.ok(made.output.includes("arg hello there /srv/app 12:34"), made.output.join("\n"));
  });

  test("a changed argument is the reason", async () => {
    await using made = bench();
    const kubefile = `${base}ARG VERSION=1\nRUN echo $VERSION > /version\n`;
    await made.build(kubefile);
    assert.deepEqual(await made.plan(kubefile, { buildArgs: { VERSION: "2" } }), [
      "cached",
      "build: ARG VERSION was 1, is 2",
    ]);
  });

  test("a secret reaches the command and nothing else", async () => {
    await using made = bench();
    const value = "a-very-secret-value";
    const kubefile = `${base}RUN --mount=type=secret,id=token cat /run/secrets/token | wc -c > /length\n`;
    await made.build(kubefile, { secrets: [{ id: "token", value }] });
    const again = await made.build(kubefile, { secrets: [{ id: "token", value: "another" }] });
    assert.equal(again.builtSteps, 0);
    const holding = allFiles(made.storeDir).filter((file) => readFileSync(file).includes(value));
    assert.deepEqual(holding, []);
    await assert.rejects(made.build(`${base}RUN --mount=type=secret,id=none,required cat /run/secrets/none\n`), {
      code: "RUN_SECRET_MISSING",
    });
  });

  test("files of the context, of stages and of caches are mounted", async () => {
    await using made = bench();
    made.write({ "data/words": "from the context\n" });
    await made.build(
      `FROM scratch AS tools\nCOPY data/words /words\n${base}RUN --mount=type=bind,source=data,target=/d --mount=type=bind,from=tools,source=/words,target=/w cat /d/words /w\nRUN --mount=type=cache,target=/cache echo kept >> /cache/log\nRUN --mount=type=cache,target=/cache cat /cache/log && echo again\n`,
    );
    assert.deepEqual(made.output, ["from the context", "from the context", "kept", "again"]);
    // What was mounted leaves nothing behind, so these steps made no layer.
    const layers = made.engine.inspect("test:1").images[0]?.layers ?? [];
    assert.deepEqual(
      layers.map(({ createdBy }) => createdBy),
      ["COPY rootfs/ /"],
    );
  });

  test("heredocs are scripts", async () => {
    await using made = bench();
    await made.build(`${base}RUN <<EOF\necho one\necho two\nEOF\nRUN cat <<A\ntext for $0\nA\n`);
    assert.deepEqual(made.output.slice(0, 2), ["one", "two"]);
    assert.match(made.output[2] ?? "", /^text for /);
  });

  test("a failing command is told with its exit code and line, and leaves no image", async () => {
    await using made = bench();
    await assert.rejects(made.build(`${base}RUN echo before; exit 7\n`), { code: "RUN_FAILED", message: /7/ });
    assert.deepEqual(made.engine.images(), []);
    const [record] = made.engine.builds(1);
    assert.equal(record?.error?.at?.line, 3);
    assert.deepEqual(
      record?.steps.map(({ outcome }) => outcome),
      ["metadata", "built", "failed"],
    );
  });

  test("owners by name are those of the image below", async () => {
    await using made = bench();
    made.write({ a: "a" });
    await made.build(`${base}COPY --chown=worker:workers a /owned\nRUN ls -ln /owned\n`);
    assert.match(made.output.join("\n"), / 12 +34 /);
    await assert.rejects(made.build(`${base}COPY --chown=nobody a /owned\n`), {
      code: "OWNER_UNKNOWN",
      message: /\/etc\/passwd/,
    });
  });

  test("a prune takes the layers that were unpacked for it", async () => {
    await using made = bench();
    await made.build(`${base}RUN echo x > /x\n`);
    const { signal } = new AbortController();
    await made.engine.prune({ dryRun: false, all: true }, signal);
    const layers = path.join(made.storeDir, "rootfs/layers");
    assert.deepEqual(existsSync(layers) ? readdirSync(layers) : [], []);
    await made.build(`${base}RUN echo y > /y\n`);
  });
});

function allFiles(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { isEngineError } from "../../../engine/errors.ts";
import { placeOf } from "../../../engine/operations/errorPlace.ts";
import { treeLines } from "../../peers/treeOf.ts";
import { Bench } from "./fixture.ts";

/** Builds what cannot be built, and checks that there is one error with its code, and that store and context stay as they were. */
async function refused(bench: Bench, kubefile: string, code: string, message: RegExp, line?: number): Promise<void> {
  const context = treeLines(bench.contextDir);
  const error: unknown = await bench.build(kubefile).then(
    () => assert.fail("it was built"),
    (reason: unknown) => reason,
  );
  assert.ok(isEngineError(error), String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  if (line !== undefined) assert.equal(placeOf(error)?.line, line);
  assert.deepEqual(treeLines(bench.contextDir), context);
  assert.deepEqual(bench.engine.images(), []);
  assert.deepEqual(readdirSync(path.join(bench.storeDir, "store-v1/tmp")), []);
}

test("an empty Kubefile says how to begin", async () => {
  await using bench = new Bench();
  await refused(bench, "", "KUBEFILE_EMPTY", /Start it with FROM scratch/);
  await refused(bench, "# only a comment\n\n", "KUBEFILE_EMPTY", /no FROM/);
});

test("binary and oversized Kubefiles are refused for what they are", async () => {
  await using bench = new Bench();
  await refused(bench, "FROM scratch\n\0\n", "KUBEFILE_NOT_TEXT", /not text.*--file/);
  await refused(bench, "x".repeat(10 * 1024 * 1024), "KUBEFILE_TOO_LARGE", /10485760 bytes are too many/);
  writeFileSync(path.join(bench.contextDir, "Kubefile"), Buffer.from([0x46, 0x52, 0xff, 0xfe]));
  await assert.rejects(
    bench.engine.build({ buildId: "b", contextDir: bench.contextDir, tags: ["b:1"] }, silent, signal),
    {
      code: "KUBEFILE_NOT_TEXT",
      facts: { path: path.join(bench.contextDir, "Kubefile"), offset: 2 },
    },
  );
});

test("CRLF line ends and a byte order mark change nothing", async () => {
  await using bench = new Bench();
  bench.write({ a: "a" });
  const plain = await bench.build("FROM scratch\nENV X=1\nCOPY a /x/\n");
  const dressed = await bench.build("\ufeffFROM scratch\r\nENV X=1\r\nCOPY a /x/\r\n");
  assert.equal(dressed.digest, plain.digest);
});

test("a missing Kubefile, context or stage is named", async () => {
  await using bench = new Bench();
  const build = (more: object): Promise<unknown> =>
    bench.engine.build({ buildId: "b", contextDir: bench.contextDir, tags: ["b:1"], ...more }, silent, signal);
  await assert.rejects(build({}), { code: "KUBEFILE_MISSING" });
  await assert.rejects(build({ contextDir: path.join(bench.dir, "nowhere") }), { code: "CONTEXT_MISSING" });
  await assert.rejects(bench.build("FROM scratch AS one\n", { target: "two" }), {
    code: "TARGET_MISSING",
    message: /one of one/,
  });
  await assert.rejects(bench.build("FROM nothing/like/it:1\n"), { code: "BASE_IMAGE_MISSING" });
});

test("a COPY of a missing file names it and its line", async () => {
  await using bench = new Bench();
  bench.write({ a: "a" });
  await refused(
    bench,
    "FROM scratch\n\nCOPY a b.yaml /\n",
    "COPY_SOURCE_MISSING",
    /b\.yaml: it is not in the build context/,
    3,
  );
  await refused(bench, "FROM scratch\nCOPY none-*.yaml /\n", "COPY_SOURCE_MISSING", /none-\*\.yaml/, 2);
});

test("a COPY of a hidden file names the rule and its line", async () => {
  await using bench = new Bench();
  bench.write({ "a.log": "a", ".kubefileignore": "# logs\n*.log\n", ".dockerignore": "nothing\n" });
  const words = /a\.log: \.kubefileignore line 2 \(\*\.log\) hides it/;
  await refused(bench, "FROM scratch\nCOPY a.log /\n", "COPY_SOURCE_MISSING", words, 2);
});

test("only the first ignore file counts", async () => {
  await using bench = new Bench();
  bench.write({ a: "a", b: "b", c: "c", ".kubefileignore": "a\n", ".containerignore": "b\n", ".dockerignore": "c\n" });
  await bench.build("FROM scratch\nCOPY b c /x/\n");
  await refused0(bench.build("FROM scratch\nCOPY a /x/\n"), "COPY_SOURCE_MISSING");
});

test("links that lead in circles are an error where they must be followed, and files where they are copied", async () => {
  await using bench = new Bench();
  bench.write({ "dir/file": "x" });
  symlinkSync("loop-b", path.join(bench.contextDir, "loop-a"));
  symlinkSync("loop-a", path.join(bench.contextDir, "loop-b"));
  symlinkSync("..", path.join(bench.contextDir, "dir/up"));
  await refused(bench, "FROM scratch\nCOPY loop-a /x\n", "CONTEXT_LINK_LOOP", /more than 40 symbolic links/, 2);
  await bench.build("FROM scratch\nCOPY . /\n");
});

test("nothing outside the context is ever copied", async () => {
  await using bench = new Bench();
  writeFileSync(path.join(bench.dir, "secret"), "secret");
  bench.write({ inside: "i" });
  symlinkSync("../secret", path.join(bench.contextDir, "relative"));
  symlinkSync(path.join(bench.dir, "secret"), path.join(bench.contextDir, "absolute"));
  symlinkSync("..", path.join(bench.contextDir, "parent"));
  for (const source of ["../secret", "relative", "absolute", "parent/secret", "/../secret", "./../../secret"]) {
    await refused0(bench.build(`FROM scratch\nCOPY ${source} /x\n`), "COPY_SOURCE_MISSING");
  }
});

test("names that mean deletions inside images are refused", async () => {
  await using bench = new Bench();
  bench.write({ "d/.wh.passwd": "" });
  await refused(bench, "FROM scratch\nCOPY d /etc/\n", "COPY_NAME_RESERVED", /\.wh\.passwd/, 2);
});

test("a file that cannot be read is named", async () => {
  await using bench = new Bench();
  bench.write({ locked: "x", Kubefile: "FROM scratch\nCOPY . /\n" });
  chmodSync(path.join(bench.contextDir, "locked"), 0);
  // Root may read everything, so somebody else builds.
  const isRoot = process.geteuid?.() === 0;
  chmodSync(bench.dir, 0o755);
  const store = path.join(bench.dir, "theirs");
  mkdirSync(store);
  if (isRoot) chownSync(store, 12345, 12345);
  const cli = path.resolve(import.meta.dirname, "../../../engine/cli.ts");
  const args = [
    cli,
    "build",
    "--json",
    "--store",
    store,
    "-t",
    "t:1",
    "-f",
    path.join(bench.contextDir, "Kubefile"),
    bench.contextDir,
  ];
  const built = spawnSync(process.execPath, args, {
    ...(isRoot ? { uid: 12345, gid: 12345 } : {}),
    env: { HOME: store },
  });
  assert.equal(built.status, 1, built.stderr.toString());
  const last = built.stderr.toString().trim().split("\n").at(-1) ?? "";
  const { error } = JSON.parse(last) as { error: { code: string; message: string; at: { line: number } } };
  assert.equal(error.code, "CONTEXT_UNREADABLE");
  assert.match(error.message, /locked cannot be read \(EACCES\)/);
  assert.equal(error.at.line, 2);
});

test("a context that changes while it is read is never packed half old, half new", async () => {
  await using bench = new Bench();
  const log = path.join(bench.contextDir, "growing.log");
  writeFileSync(log, Buffer.alloc(48 * 1024 * 1024, "x"));
  // Another process appends all the time, so the file is different at its end from what the walk saw.
  const writer = spawn("sh", ["-c", 'while :; do echo more >> "$1"; done', "sh", log], { stdio: "ignore" });
  try {
    const error: unknown = await bench.build("FROM scratch\nCOPY . /\n").then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(isEngineError(error, "CONTEXT_CHANGED"), String(error));
    assert.match(error.message, /growing\.log changed while it was read/);
    assert.equal(error.retryable, true);
  } finally {
    writer.kill("SIGKILL");
  }
  assert.deepEqual(bench.engine.images(), []);
  appendFileSync(log, "");
  await new Promise((resolve) => setTimeout(resolve, 50));
  await bench.build("FROM scratch\nCOPY . /\n");
  assert.deepEqual((await bench.engine.verify(signal)).faults, []);
});

test("mistakes in instructions are told with their line", async () => {
  await using bench = new Bench();
  bench.write({ "app/a.yaml": "a", "mixed/a.yaml": "a", "mixed/b.sh": "b" });
  const cases: readonly (readonly [string, RegExp, number])[] = [
    ["FROM scratch\nCOPPY a b\n", /COPPY is not an instruction/, 2],
    ["FROM scratch\nAPP hello app\n", /local:\/\/, http:\/\/ or https:\/\//, 2],
    ["FROM scratch\nAPP hello local://app\nLAUNCH other\n", /"other" is not declared/, 3],
    ["FROM scratch\nAPP hello local://app\nCMD x\nLAUNCH hello\n", /exclude each other/, 4],
    ["FROM scratch\nAPP hello local://app\nAPPCMDS hello run.sh\n", /JSON array of strings/, 3],
    ["FROM scratch\nAPP ../x local://app\n", /cannot name an application/, 2],
    ["FROM scratch\nARG A\nCOPY ${A:?give-it} /x\n", /give-it/, 3],
    ["COPY a b\nFROM scratch\n", /before FROM/, 1],
    ["FROM ${NOTHING}\n", /is empty/, 1],
    ["FROM scratch\nEXPOSE http\n", /not a port/, 2],
    ["FROM scratch\nCOPY --chmod=rwx app /x\n", /octal/, 2],
    ["FROM scratch\nCOPY --from=9 app /x\n", /no stage 9/, 2],
  ];
  for (const [kubefile, words, line] of cases) await refused(bench, kubefile, "KUBEFILE_INVALID", words, line);
  await refused(bench, "FROM scratch\nAPP m local://mixed\n", "APP_TYPE_UNKNOWN", /mixes YAML .* APPCMDS m/);
});

const silent = {
  planned: () => undefined,
  started: () => undefined,
  progress: () => undefined,
  output: () => undefined,
  finished: () => undefined,
  failed: () => undefined,
  warning: () => undefined,
  containerImages: () => undefined,
};
const { signal } = new AbortController();

async function refused0(building: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(building, { code });
}

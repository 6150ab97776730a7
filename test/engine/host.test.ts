import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, beforeEach, describe, test } from "node:test";
import {
  CancellationTokenSource,
  createMessageConnection,
  type MessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import * as protocol from "../../engine/protocol.ts";

const hostFile = path.resolve(import.meta.dirname, "../../engine/host.ts");

describe("the engine process", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-host-"));
  const contextDir = path.join(dir, "context");
  after(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(contextDir);
  writeFileSync(path.join(contextDir, "Kubefile"), "FROM scratch\nCOPY a.yaml manifests/\nENV A=1\n");
  writeFileSync(path.join(contextDir, "a.yaml"), "a: 1\n");

  let child: ChildProcess;
  let rpc: MessageConnection;
  const progress: protocol.BuildProgress[] = [];
  const changes: string[] = [];

  beforeEach(() => {
    progress.length = 0;
    changes.length = 0;
    child = spawn(process.execPath, [hostFile], { stdio: ["pipe", "pipe", "inherit"] });
    assert.ok(child.stdout !== null && child.stdin !== null);
    rpc = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    rpc.onNotification(protocol.buildProgress, (step) => {
      progress.push(step);
    });
    rpc.onNotification(protocol.storeChanged, ({ what }) => {
      changes.push(what);
    });
    rpc.listen();
  });

  afterEach(async () => {
    const closed = new Promise((resolve) => child.once("exit", resolve));
    child.stdin?.end();
    await closed;
    rpc.dispose();
  });

  const open = (storeDir: string): Promise<protocol.InitializeResult> =>
    rpc.sendRequest(protocol.initialize, {
      protocolVersion: protocol.protocolVersion,
      storeDir: path.join(dir, storeDir),
      client: "test",
    });
  const params = (buildId: string): protocol.BuildParams => ({ buildId, contextDir, tags: ["host:1"] });

  test("refuses a client of another version, and everything before it was initialized", async () => {
    await assert.rejects(rpc.sendRequest(protocol.images), hasCode("NOT_INITIALIZED"));
    const old = { protocolVersion: 99, storeDir: path.join(dir, "s0"), client: "test" };
    await assert.rejects(rpc.sendRequest(protocol.initialize, old), hasCode("PROTOCOL_MISMATCH"));
  });

  test("builds with a message per step, then takes the steps from the cache", async () => {
    await open("s1");
    const first = await rpc.sendRequest(protocol.build, params("one"));
    assert.deepEqual(first.references, ["docker.io/library/host:1"]);
    assert.deepEqual(
      progress.filter(({ kind }) => kind === "stepFinished").map((step) => "outcome" in step && step.outcome),
      ["metadata", "built", "metadata"],
    );
    assert.ok(progress.every(({ buildId }) => buildId === "one"));
    progress.length = 0;
    const second = await rpc.sendRequest(protocol.build, params("two"));
    assert.equal(second.digest, first.digest);
    assert.equal(second.writtenBytes, 0);
    assert.equal(second.cachedSteps, 1);
    const [image] = await rpc.sendRequest(protocol.images);
    assert.equal(image?.digest, first.digest);
    const details = await rpc.sendRequest(protocol.inspectImage, { reference: "host:1" });
    assert.deepEqual(
      details.images[0]?.layers.map(({ createdBy, at, cached }) => [createdBy, at?.line, cached]),
      [["COPY a.yaml manifests/", 2, true]],
    );
    const history = await rpc.sendRequest(protocol.builds, { limit: 10 });
    assert.deepEqual(
      history.map(({ buildId, outcome }) => [buildId, outcome]),
      [
        ["two", "succeeded"],
        ["one", "succeeded"],
      ],
    );
  });

  test("plans an unsaved text and says why", async () => {
    await open("s2");
    await rpc.sendRequest(protocol.build, params("one"));
    const plan = await rpc.sendRequest(protocol.plan, { contextDir, text: "FROM scratch\nCOPY a.yaml other/\n" });
    assert.deepEqual(
      plan.steps.map(({ status }) => status),
      ["metadata", "build"],
    );
    const same = await rpc.sendRequest(protocol.plan, { contextDir });
    assert.deepEqual(
      same.steps.map(({ status }) => status),
      ["metadata", "cached", "metadata"],
    );
  });

  test("an error carries its code, its facts and its line", async () => {
    await open("s3");
    const broken = path.join(dir, "broken");
    mkdirSync(broken, { recursive: true });
    writeFileSync(path.join(broken, "Kubefile"), "FROM scratch\n\nCOPY missing.yaml /\n");
    const failure = await rpc
      .sendRequest(protocol.build, { ...params("x"), contextDir: broken })
      .catch((error: unknown) => error);
    assert.ok(failure instanceof ResponseError);
    const data = failure.data as protocol.ProtocolError;
    assert.equal(data.code, "COPY_SOURCE_MISSING");
    assert.equal(data.facts["source"], "missing.yaml");
    assert.equal(data.at?.line, 3);
    const [record] = await rpc.sendRequest(protocol.builds, { limit: 1 });
    assert.equal(record?.outcome, "failed");
    assert.equal(record?.error?.at?.line, 3);
  });

  test("a cancelled build ends as cancelled and leaves no image", async () => {
    await open("s4");
    const big = path.join(dir, "big");
    mkdirSync(big, { recursive: true });
    writeFileSync(path.join(big, "Kubefile"), "FROM scratch\nCOPY . /\n");
    for (let index = 0; index < 8; index++)
      writeFileSync(path.join(big, `f${index}`), Buffer.alloc(32 * 1024 * 1024, index));
    const source = new CancellationTokenSource();
    const building = rpc.sendRequest(protocol.build, { ...params("c"), contextDir: big }, source.token);
    building.catch(() => undefined);
    while (!progress.some(({ kind }) => kind === "stepProgress"))
      await new Promise((resolve) => setTimeout(resolve, 5));
    source.cancel();
    await assert.rejects(building, hasCode("CANCELLED"));
    assert.deepEqual(await rpc.sendRequest(protocol.images), []);
    assert.equal((await rpc.sendRequest(protocol.builds, { limit: 1 }))[0]?.outcome, "cancelled");
    const verified = await rpc.sendRequest(protocol.verify);
    assert.deepEqual(verified.faults, []);
    rmSync(big, { recursive: true });
  });

  test("tells the container images of a context, from unsaved text too, and its lock is written on request", async () => {
    await open("s-images");
    const images = path.join(dir, "images");
    mkdirSync(images);
    writeFileSync(path.join(images, "Kubefile"), "FROM scratch\nCOPY pod.yaml manifests/\n");
    const file = path.join(images, "pod.yaml");
    const text = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: nginx:1\n";
    writeFileSync(file, "apiVersion: v1\nkind: Pod\n");
    const saved = await rpc.sendRequest(protocol.discover, { contextDir: images });
    assert.deepEqual(saved.images, []);
    const lock = { buildId: "lock", contextDir: images, update: false, check: false };
    const written = await rpc.sendRequest(protocol.lock, lock);
    assert.equal(written.path, path.join(images, "kubefile.lock"));
    assert.equal(written.changed, true);
    const unsaved = await rpc.sendRequest(protocol.discover, { contextDir: images, files: [{ path: file, text }] });
    assert.deepEqual(
      unsaved.places.map((place) => [place.image, place.file, place.line, place.packed]),
      [["docker.io/library/nginx:1", "pod.yaml", 5, "yes"]],
    );
    assert.equal(unsaved.images[0]?.problem, "notLocked");
    const source = new CancellationTokenSource();
    const cancelled = rpc.sendRequest(protocol.discover, { contextDir: images }, source.token);
    source.cancel();
    const end = await cancelled.then(
      () => "answered before it heard of it",
      (error: unknown) => (hasCode("CANCELLED")(error) ? "cancelled" : error),
    );
    assert.match(String(end), /^(?:cancelled|answered before it heard of it)$/);
  });

  test("tells when another process changes the names", async () => {
    const { storeDir } = await open("s5");
    const { openStore } = await import("../../engine/store/store.ts");
    await rpc.sendRequest(protocol.build, params("one"));
    await new Promise((resolve) => setTimeout(resolve, 200));
    changes.length = 0;
    await using store = openStore({ dir: storeDir, now: Date.now });
    await store.untag("docker.io/library/host:1");
    for (let waited = 0; changes.length === 0 && waited < 3000; waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(changes.includes("images"));
  });
});

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ResponseError && (error.data as protocol.ProtocolError).code === code;
}

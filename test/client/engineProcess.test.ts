import assert from "node:assert/strict";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { CancellationTokenSource, ResponseError } from "vscode-jsonrpc";
import {
  EngineProcess,
  type EngineProcessOptions,
  type EngineState,
  EngineUnavailable,
} from "../../client/engineProcess.ts";
import { build, buildProgress, images, inspectImage, plan } from "../../engine/protocol.ts";

const standIn = path.join(import.meta.dirname, "engineHost.standIn.ts");

test("the first question starts the process, the next ones use it", async () => {
  using watched = startEngine({});
  assert.deepEqual(await watched.engine.ask(images), []);
  assert.deepEqual(await watched.engine.ask(images), []);
  assert.deepEqual(watched.kinds(), ["starting", "ready"]);
});

test("a process that dies fails what was asked of it and is started again after a moment", async () => {
  using watched = startEngine({ restartDelaysMs: [10] });
  const { engine } = watched;
  await engine.ask(images);
  const before = processId(engine.state);
  await assert.rejects(engine.request(inspectImage, { reference: "a" }), EngineUnavailable);
  await watched.reached("ready", 2);
  assert.notEqual(processId(engine.state), before);
  assert.deepEqual(await engine.ask(images), []);
  assert.deepEqual(watched.kinds(), ["starting", "ready", "waiting", "starting", "ready"]);
});

test("one that keeps dying is left alone until somebody restarts it", async () => {
  using watched = startEngine({ restartDelaysMs: [] });
  const { engine } = watched;
  await assert.rejects(engine.request(inspectImage, { reference: "a" }), EngineUnavailable);
  await watched.reached("failed", 1);
  await assert.rejects(engine.ask(images), /ended unexpectedly \(exit code 9\)/);
  await engine.restart();
  assert.deepEqual(await engine.ask(images), []);
});

test("a process that ends before it answers says so, and is not tried in a loop", async () => {
  using watched = startEngine({ env: { ...process.env, KUBEFILE_STAND_IN: "die" } });
  await assert.rejects(watched.engine.ask(images), EngineUnavailable);
  assert.equal(watched.engine.state.kind, "failed");
});

test("a refused start keeps the engine's own words", async () => {
  using watched = startEngine({ env: { ...process.env, KUBEFILE_STAND_IN: "refuse" } });
  await assert.rejects(watched.engine.ask(images), ResponseError);
  assert.equal(watched.engine.state.kind, "failed");
  assert.match(watched.engine.state.kind === "failed" ? watched.engine.state.reason : "", /newer than this engine/);
});

test("a program that does not exist is a state, not an exception", async () => {
  using watched = startEngine({ nodeFile: "/nonexistent/node" });
  await assert.rejects(watched.engine.ask(images), /could not be started/);
  assert.equal(watched.engine.state.kind, "failed");
});

test("cancelling a token ends the question", async () => {
  using watched = startEngine({});
  const source = new CancellationTokenSource();
  const asked = watched.engine.request(plan, { contextDir: "/" }, source.token);
  await watched.reached("ready", 1);
  setImmediate(() => source.cancel());
  await assert.rejects(asked, (error: unknown) => error instanceof ResponseError && error.code === -32800);
});

test("notifications reach whoever asked for their type, across restarts", async () => {
  using watched = startEngine({});
  const { engine } = watched;
  const heard: string[] = [];
  engine.onNotification(buildProgress, (progress) => heard.push(progress.buildId));
  await engine.request(build, { buildId: "one", contextDir: "/", tags: [] });
  await engine.restart();
  await engine.request(build, { buildId: "two", contextDir: "/", tags: [] });
  assert.deepEqual(heard, ["one", "two"]);
});

test("after disposal there is no process and no answer", async () => {
  const watched = startEngine({});
  await watched.engine.ask(images);
  const pid = processId(watched.engine.state);
  watched[Symbol.dispose]();
  await assert.rejects(watched.engine.ask(images), EngineUnavailable);
  await until(() => !isAlive(pid));
});

interface Watched extends Disposable {
  readonly engine: EngineProcess;
  kinds(): readonly EngineState["kind"][];
  reached(kind: EngineState["kind"], times: number): Promise<void>;
}

function startEngine(options: Partial<EngineProcessOptions>): Watched {
  const engine = new EngineProcess({
    nodeFile: process.execPath,
    hostFile: standIn,
    storeDir: () => "/store",
    client: "test",
    env: process.env,
    log: () => {},
    restartDelaysMs: [10, 10],
    calmMs: 60_000,
    ...options,
  });
  const kinds: EngineState["kind"][] = [];
  engine.onState(({ kind }) => kinds.push(kind));
  return {
    engine,
    kinds: () => kinds,
    reached: (kind, times) => until(() => kinds.filter((one) => one === kind).length >= times),
    [Symbol.dispose]: () => engine[Symbol.dispose](),
  };
}

function processId(state: EngineState): number {
  assert.equal(state.kind, "ready");
  return state.kind === "ready" ? state.engine.processId : 0;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error("waited 20 s in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

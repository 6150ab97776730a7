import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { suite, test } from "node:test";
import { CancellationTokenSource, ResponseError } from "vscode-jsonrpc";
import { EngineProcess } from "../../client/engineProcess.ts";
import { type TransferState, Transfers } from "../../client/transfers.ts";
import * as protocol from "../../engine/protocol.ts";
import { startDockerRegistry } from "../support/dockerRegistry.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryDir } from "../support/temporary.ts";

const hostFile = path.resolve(import.meta.dirname, "../../engine/host.ts");
const never = new CancellationTokenSource().token;
const alice = { username: "alice", password: "s3cret-p4ss" };

interface Editor extends AsyncDisposable {
  readonly engine: EngineProcess;
  readonly transfers: Transfers;
  /** Registries the engine asked the editor about. */
  readonly asked: string[];
  readonly logins: Map<string, protocol.LoginParams>;
  /** All the engine logged. */
  readonly log: string[];
}

/** The client's side of an engine process on an empty store and an empty home. */
function openEditor(dir: string, storeName: string): Editor {
  const log: string[] = [];
  const asked: string[] = [];
  const logins = new Map<string, protocol.LoginParams>();
  const engine = new EngineProcess({
    nodeFile: process.execPath,
    hostFile,
    storeDir: () => path.join(dir, storeName),
    client: "test",
    env: { PATH: process.env["PATH"], HOME: dir },
    log: (_, text) => log.push(text),
    restartDelaysMs: [],
    calmMs: 0,
  });
  engine.onRequest(protocol.credentials, async ({ registry }) => {
    asked.push(registry);
    return logins.get(registry) ?? null;
  });
  return {
    engine,
    transfers: new Transfers(engine, Date.now),
    asked,
    logins,
    log,
    async [Symbol.asyncDispose]() {
      engine[Symbol.dispose]();
      while (engine.state.kind !== "stopped") await new Promise((resolve) => setTimeout(resolve, 10));
    },
  };
}

/** A context with one incompressible file, so that bytes can be counted. */
async function makeContext(dir: string, sizeBytes: number): Promise<string> {
  const contextDir = path.join(dir, "context");
  await mkdir(contextDir, { recursive: true });
  await writeFile(path.join(contextDir, "Kubefile"), "FROM scratch\nCOPY data.bin /\n");
  await writeFile(path.join(contextDir, "data.bin"), randomBytes(sizeBytes));
  return contextDir;
}

function build(editor: Editor, contextDir: string, tag: string): Promise<protocol.BuildResult> {
  return editor.engine.request(protocol.build, { buildId: tag, contextDir, tags: [tag], buildMode: "lite" });
}

suite("transfers of an editor", { skip: skipWithoutProgram("docker-registry") }, () => {
  test("an image is pushed with progress, pulled into another store, and is up to date the second time", async () => {
    await using registry = await startDockerRegistry();
    await using dir = await temporaryDir("transfers");
    await using here = openEditor(dir.path, "here");
    await using there = openEditor(dir.path, "there");
    const sizeBytes = 24 * 1024 * 1024;
    await build(here, await makeContext(dir.path, sizeBytes), "shop:1");
    const reference = `${registry.host}/shop/cluster:1`;

    const seen: TransferState[] = [];
    const pushed = await here.transfers.run(
      protocol.push,
      (transferId) => ({ transferId, image: "shop:1", destination: reference }),
      (state) => seen.push(state),
      never,
    );
    assert.equal(pushed.reference, reference);
    assert.ok(pushed.movedBytes >= sizeBytes, `${pushed.movedBytes}`);
    assert.ok(pushed.blobs.uploaded >= 2);
    const last = seen.at(-1);
    assert.ok(seen.length >= 2, "told more than once");
    assert.equal(last?.doneBytes, last?.totalBytes);
    assert.equal(last?.movedBytes, pushed.movedBytes);

    const params = (transferId: string): protocol.PullParams => ({ transferId, reference });
    const pulledSeen: TransferState[] = [];
    const pulled = await there.transfers.run(protocol.pull, params, (state) => pulledSeen.push(state), never);
    assert.deepEqual([pulled.how, pulled.reference, pulled.digest], ["pulled", reference, pushed.digest]);
    assert.ok(pulled.movedBytes >= sizeBytes);
    assert.equal(pulledSeen.at(-1)?.movedBytes, pulled.movedBytes);
    const again = await there.transfers.run(protocol.pull, params, () => undefined, never);
    assert.deepEqual([again.how, again.movedBytes], ["present", 0]);
    const once = await here.transfers.run(
      protocol.push,
      (transferId) => ({ transferId, image: "shop:1", destination: reference }),
      () => undefined,
      never,
    );
    assert.deepEqual([once.movedBytes, once.blobs.uploaded], [0, 0]);
    assert.deepEqual(here.asked, [], "a registry that lets everybody in asks for no login");
  });

  test("a cancelled pull ends as cancelled and names nothing", async () => {
    await using registry = await startDockerRegistry();
    await using dir = await temporaryDir("transfers");
    await using here = openEditor(dir.path, "here");
    await using there = openEditor(dir.path, "there");
    await build(here, await makeContext(dir.path, 48 * 1024 * 1024), "shop:1");
    const reference = `${registry.host}/shop:1`;
    await here.engine.request(protocol.push, { transferId: "push", image: "shop:1", destination: reference });
    const source = new CancellationTokenSource();
    const pulling = there.transfers.run(
      protocol.pull,
      (transferId) => ({ transferId, reference }),
      ({ totalBytes }) => {
        if (totalBytes > 0) source.cancel();
      },
      source.token,
    );
    await assert.rejects(pulling, hasCode("CANCELLED"));
    assert.deepEqual(await there.engine.ask(protocol.images), []);
    const second = await there.engine.request(protocol.pull, { transferId: "again", reference });
    assert.equal(second.how, "pulled");
    assert.deepEqual((await there.engine.ask(protocol.verify)).faults, []);
  });

  test("a saved archive is loaded with progress, and a file that is none is refused by name", async () => {
    await using dir = await temporaryDir("transfers");
    await using here = openEditor(dir.path, "here");
    await using there = openEditor(dir.path, "there");
    const { digest } = await build(here, await makeContext(dir.path, 1024 * 1024), "shop:1");
    const archive = path.join(dir.path, "shop.tar");
    await here.engine.request(protocol.saveImage, { reference: "shop:1", path: archive, format: "oci-archive" });
    const seen: TransferState[] = [];
    const loaded = await there.transfers.run(
      protocol.load,
      (transferId) => ({ transferId, path: archive }),
      (state) => seen.push(state),
      never,
    );
    assert.deepEqual(loaded.images, [{ references: ["docker.io/library/shop:1"], digest }]);
    assert.deepEqual(loaded.warnings, []);
    assert.equal(seen.at(-1)?.doneBytes, seen.at(-1)?.totalBytes);
    const failure = await there.engine
      .request(protocol.load, { transferId: "x", path: path.join(dir.path, "context", "data.bin") })
      .catch((error: unknown) => error);
    assert.match(String(failure), /data\.bin/);
  });
});

suite("logins an editor keeps", {
  skip: skipWithoutProgram("docker-registry") || skipWithoutProgram("htpasswd", "apache2-utils"),
}, () => {
  test("a login is tried where it counts, given to the engine when a registry asks, and written nowhere", async () => {
    await using dir = await temporaryDir("logins");
    const htpasswd = path.join(dir.path, "htpasswd");
    await writeFile(htpasswd, execFileSync("htpasswd", ["-Bbn", alice.username, alice.password]));
    await using registry = await startDockerRegistry({ htpasswd });
    await using editor = openEditor(dir.path, "store");
    const { engine, logins, asked, log } = editor;
    await build(editor, await makeContext(dir.path, 1024), "shop:1");
    const push = { transferId: "p", image: "shop:1", destination: `${registry.host}/shop:1` };

    await assert.rejects(engine.request(protocol.push, push), hasCode("REMOTE_UNAUTHORIZED"));
    assert.ok(asked.includes(registry.host));
    const wrong = await engine
      .request(protocol.login, { registry: registry.host, username: "alice", password: "not-the-one" })
      .catch((error: unknown) => error);
    assert.ok(hasCode("REMOTE_UNAUTHORIZED")(wrong));
    assert.ok(!JSON.stringify([wrong, (wrong as ResponseError<unknown>).data]).includes("not-the-one"));
    const login = { registry: registry.host, ...alice };
    assert.deepEqual(await engine.request(protocol.login, login), { verified: true });

    logins.set(registry.host, login);
    const pushed = await engine.request(protocol.push, push);
    assert.equal(pushed.reference, push.destination);
    const pulled = await engine.request(protocol.pull, { transferId: "q", reference: push.destination });
    assert.equal(pulled.digest, pushed.digest);

    logins.clear();
    assert.deepEqual(await engine.request(protocol.logout, { registry: registry.host }), { knownElsewhere: false });
    await assert.rejects(engine.request(protocol.push, push), hasCode("REMOTE_UNAUTHORIZED"));
    assert.ok(!existsSync(path.join(dir.path, ".docker", "config.json")), "no file got the login");
    for (const secret of [alice.password, Buffer.from(`alice:${alice.password}`).toString("base64")])
      assert.ok(!log.join("\n").includes(secret), "the log has no secret");
    const grep = spawnSync("grep", ["-rlF", alice.password, path.join(dir.path, "store")], { encoding: "utf8" });
    assert.deepEqual([grep.status, grep.stdout], [1, ""], "the store has no secret");
  });

  test("logging out tells of a login that docker's own file still has", async () => {
    await using dir = await temporaryDir("logins");
    await mkdir(path.join(dir.path, ".docker"));
    const auth = Buffer.from(`${alice.username}:${alice.password}`).toString("base64");
    const config = JSON.stringify({ auths: { "registry.example.com": { auth } } });
    await writeFile(path.join(dir.path, ".docker", "config.json"), config);
    await using editor = openEditor(dir.path, "store");
    const ask = (registry: string) => editor.engine.request(protocol.logout, { registry });
    assert.deepEqual(await ask("registry.example.com"), { knownElsewhere: true });
    assert.deepEqual(await ask("other.example.com"), { knownElsewhere: false });
  });
});

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ResponseError && (error.data as protocol.ProtocolError).code === code;
}

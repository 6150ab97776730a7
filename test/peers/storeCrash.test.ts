import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../engine/store/contract.ts";
import { openStore } from "../../engine/store/store.ts";
import { tagImage } from "../engine/store/support.ts";

const actor = path.join(import.meta.dirname, "storeActor.ts");
const never = new AbortController().signal;

/** How often each act is killed; the full proof is 200. */
const kills = Number(process.env["KUBEFILE_STORE_KILLS"] ?? 25);

/** What a process has said of its names. */
class Story {
  readonly acknowledged = new Map<string, string>();
  readonly begun = new Map<string, string>();
  prunes = 0;
  removed = 0;
  spared = 0;
  #rest = "";

  hear(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#hearLine(line);
  }

  #hearLine(line: string): void {
    const [sign, name = "", digest = ""] = line.split(" ");
    if (sign === "?") this.begun.set(name, digest);
    if (sign === "+" || sign === "-") {
      this.begun.delete(name);
      this.acknowledged.set(name, sign === "+" ? digest : "-");
    }
    const pruned = /^# pruned (\d+), spared (\d+)$/.exec(line);
    if (pruned === null) return;
    this.prunes += 1;
    this.removed += Number(pruned[1]);
    this.spared += Number(pruned[2]);
  }
}

interface Actor {
  readonly child: ChildProcess;
  readonly story: Story;
  readonly errors: () => string;
  readonly ready: Promise<unknown>;
  readonly ended: Promise<unknown>;
}

function start(role: string, dir: string, self: string, seconds: number): Actor {
  const child = spawn(process.execPath, [actor, role, dir, self, String(seconds)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const story = new Story();
  let errors = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => story.hear(text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const ready = once(child.stdout ?? child, "data");
  return { child, story, errors: () => errors, ready, ended: once(child, "close") };
}

/** Every acknowledged change is there; one that had begun may be there instead. */
function assertNamesKept(store: Store, story: Story): void {
  for (const [name, digest] of story.acknowledged) {
    const found = store.lookup(name)?.target.digest ?? "-";
    assert.ok(found === digest || found === story.begun.get(name), `${name}: ${found}, acknowledged ${digest}`);
  }
}

async function assertWhole(store: Store): Promise<void> {
  const { damaged } = await store.verify(never);
  assert.deepEqual(damaged, []);
}

/** The act that was killed succeeds when it is tried again, and no lock stands in its way. */
async function assertUsable(store: Store): Promise<void> {
  await tagImage(store, "localhost/again:1", `again ${Math.random()}`);
  await store.prune({}, AbortSignal.timeout(10_000));
  assert.equal((await store.planPrune({}, never)).items.length, 0, "a second prune has nothing to do");
}

test("four processes build, tag, untag, read and prune one store at once", { timeout: 120_000 }, async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-store-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const actors = ["a", "b", "c", "d"].map((self) => start("mix", dir, self, 6));
  await Promise.all(actors.map((one) => one.ended));
  await using store = openStore({ dir, now: () => Date.now() });
  for (const { child, story, errors } of actors) {
    assert.equal(child.exitCode, 0, errors());
    assert.ok(story.acknowledged.size > 0);
    assertNamesKept(store, story);
  }
  const sum = (of: (story: Story) => number): number => actors.reduce((total, one) => total + of(one.story), 0);
  t.diagnostic(
    `${sum((s) => s.prunes)} prunes removed ${sum((s) => s.removed)} files and spared ${sum((s) => s.spared)}`,
  );
  assert.ok(sum((story) => story.removed) > 0, "prunes had something to do");
  await assertWhole(store);
  await assertUsable(store);
});

for (const [role, what] of [
  ["build", "writing and tagging"],
  ["mix", "anything, a prune as often as not"],
] as const) {
  test(`${kills} SIGKILLs while ${what}: no acknowledged name is lost, the store is whole, nothing blocks`, {
    timeout: 1_200_000,
  }, async (t) => {
    const dir = mkdtempSync(path.join(tmpdir(), "kubefile-store-"));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    // Names stay from round to round, so what a kill loses later is seen as well.
    const story = new Story();
    let acts = 0;
    for (let round = 0; round < kills; round++) {
      const one = start(role, dir, "x", 60);
      one.child.stdout?.on("data", (text: string) => story.hear(text));
      await one.ready;
      await sleep(Math.random() * 120);
      one.child.kill("SIGKILL");
      await one.ended;
      assert.equal(one.errors(), "");
      acts += one.story.acknowledged.size;
      await using store = openStore({ dir, now: () => Date.now() });
      assertNamesKept(store, story);
      await assertWhole(store);
      await assertUsable(store);
      settle(store, story);
    }
    t.diagnostic(`${kills} kills, ${acts} names acknowledged before them`);
  });
}

test(`${kills} SIGKILLs in the middle of a prune: what is named is whole, and the next prune finishes the work`, {
  timeout: 1_200_000,
}, async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-store-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  let halfWay = 0;
  for (let round = 0; round < kills; round++) {
    await using store = openStore({ dir, now: () => Date.now() });
    for (let i = 0; i < 40; i++) await tagImage(store, `localhost/x:${i}`, `layer ${i} of round ${round}`);
    for (let i = 4; i < 40; i++) await store.untag(`localhost/x:${i}`);
    const before = (await store.planPrune({}, never)).items.length;
    const one = start("prune", dir, "x", 60);
    await one.ready;
    await sleep(Math.random() * 25);
    one.child.kill("SIGKILL");
    await one.ended;
    assert.equal(one.errors(), "");
    const after = (await store.planPrune({}, never)).items.filter((item) => item.type !== "leftover").length;
    if (after > 0 && after < before) halfWay += 1;
    await assertWhole(store);
    for (let i = 0; i < 4; i++) assert.ok(store.lookup(`localhost/x:${i}`));
    await assertUsable(store);
    assert.equal(store.list().length, 5);
  }
  t.diagnostic(`${kills} kills, ${halfWay} of them with the sweep half done`);
});

/** What was under way when the process died is decided now: from here on it is as good as acknowledged. */
function settle(store: Store, story: Story): void {
  for (const name of story.begun.keys()) story.acknowledged.set(name, store.lookup(name)?.target.digest ?? "-");
  story.begun.clear();
}

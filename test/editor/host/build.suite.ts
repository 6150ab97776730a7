import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { KubefileApi } from "../../../client/extension.ts";
import type { BuildResult, PlannedStep } from "../../../engine/protocol.ts";
import { activated, closeAll, eventually, fileUri, open } from "./support.ts";

const settings = (): vscode.Uri => fileUri("config/settings.yaml");

describe("building", () => {
  let api: KubefileApi;
  before(async () => {
    api = await activated();
  });
  afterEach(closeAll);

  it("the command builds the Kubefile it is called on", async () => {
    const result = await build();
    assert.match(result.digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(result.references.length, 1);
    assert.equal(api.engineState().kind, "ready");
  });

  it("the same build again takes every layer from the cache and gives the same digest", async () => {
    const first = await build();
    const again = await build();
    assert.equal(again.builtSteps, 0);
    assert.equal(again.digest, first.digest);
  });

  it("an edited file changes the status of the instruction that copies it, and of no other before it", async () => {
    await build();
    await open("Kubefile");
    await statusOf("COPY", (step) => step.status === "cached");
    await vscode.workspace.fs.writeFile(settings(), Buffer.from("currency: CNY\n"));
    const step = await statusOf("COPY", ({ status }) => status === "build");
    assert.match(step.reason, /settings\.yaml/, "the reason names the file");
    await build();
    await statusOf("COPY", (after) => after.status === "cached");
  });

  it("an edit that is not saved counts too", async () => {
    const editor = await open("Kubefile");
    await statusOf("COPY", (step) => step.status === "cached");
    const line = editor.document
      .getText()
      .split("\n")
      .findIndex((text) => text.startsWith("COPY"));
    await editor.edit((edit) =>
      edit.replace(editor.document.lineAt(line).range, "COPY config/settings.yaml etc/other.yaml"),
    );
    await statusOf("COPY", (step) => step.status === "build");
    await vscode.commands.executeCommand("workbench.action.files.revert");
  });

  it("a missing source is an error at its line, in Problems too", async () => {
    const kubefile = fileUri("missing.kubefile");
    await vscode.workspace.fs.writeFile(kubefile, Buffer.from("FROM scratch\nCOPY nowhere etc/\n"));
    const result = await vscode.commands.executeCommand("kubefile.buildImage", kubefile, { tags: ["missing:1"] });
    assert.equal(result, undefined);
    const found = await eventually("the build's problem", () =>
      vscode.languages.getDiagnostics(kubefile).find(({ source }) => source === "kubefile build"),
    );
    assert.equal(found.range.start.line, 1);
    await vscode.workspace.fs.delete(kubefile);
  });

  it("the build task of a Kubefile ends with exit code 0", async () => {
    const offered = await vscode.tasks.fetchTasks({ type: "kubefile" });
    const task = offered.find(({ definition }) => definition["kubefile"] === "Kubefile");
    assert.ok(task, `offered: ${offered.map(({ name }) => name).join(", ")}`);
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const listener = vscode.tasks.onDidEndTaskProcess((ended) => {
      if (ended.execution.task.name === task.name) resolve(ended.exitCode);
    });
    await vscode.tasks.executeTask(task);
    assert.equal(await promise, 0);
    listener.dispose();
  });

  it("the engine comes back by itself after it was killed", async () => {
    await build();
    const before = api.engineState();
    assert.equal(before.kind, "ready");
    if (before.kind !== "ready") return;
    process.kill(before.engine.processId, "SIGKILL");
    await eventually("a new engine process", () => {
      const now = api.engineState();
      return now.kind === "ready" && now.engine.processId !== before.engine.processId ? now : undefined;
    });
    assert.equal((await build()).builtSteps, 0);
  });

  async function build(): Promise<BuildResult> {
    const result = await vscode.commands.executeCommand<BuildResult | undefined>(
      "kubefile.buildImage",
      fileUri("Kubefile"),
      {
        tags: ["shop:1"],
      },
    );
    assert.ok(result, "the build worked");
    return result;
  }

  /** Waits until the plan of the workspace's Kubefile shows an instruction as wanted. */
  function statusOf(instruction: string, isRight: (step: PlannedStep) => boolean): Promise<PlannedStep> {
    return eventually(`the status of ${instruction}`, () => {
      const step = api.planOf(fileUri("Kubefile"))?.steps.find((one) => one.instruction === instruction);
      return step && isRight(step) ? step : undefined;
    });
  }
});

import assert from "node:assert/strict";
import * as vscode from "vscode";
import { activated, closeAll, open } from "./support.ts";

describe("activation", () => {
  after(closeAll);

  it("takes little of the extension host's time", async function () {
    const extension = vscode.extensions.getExtension("kubefile.kubefile");
    assert.ok(extension && !extension.isActive, "nothing activates it but a Kubefile, a view, a command or a task");
    const startedAt = performance.now();
    await extension.activate();
    const tookMs = Math.round(performance.now() - startedAt);
    if (this.test) this.test.title += ` (${tookMs} ms)`;
    // 50 ms on a machine at rest; this one may be busy with everything else.
    assert.ok(tookMs < 500, `${tookMs} ms`);
  });

  it("opening a Kubefile activates the extension", async () => {
    const extension = vscode.extensions.getExtension("kubefile.kubefile");
    assert.ok(extension, "the extension is installed");
    const editor = await open("Kubefile");
    assert.equal(editor.document.languageId, "kubefile");
    await activated();
    assert.ok(extension.isActive);
  });

  it("every command of the manifest is registered", async () => {
    await activated();
    const manifest: { contributes: { commands: { command: string }[] } } =
      vscode.extensions.getExtension("kubefile.kubefile")?.packageJSON;
    const declared = manifest.contributes.commands.map(({ command }) => command);
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      declared.filter((command) => !registered.has(command)),
      [],
    );
  });

  it("names of files decide the language", async () => {
    for (const name of ["Kubefile.edge", "edge.kubefile"]) {
      const document = await vscode.workspace.openTextDocument(
        vscode.Uri.file(`/${name}`).with({ scheme: "untitled" }),
      );
      assert.equal(document.languageId, "kubefile", name);
    }
  });
});

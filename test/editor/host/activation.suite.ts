import assert from "node:assert/strict";
import * as vscode from "vscode";
import { activated, closeAll, open } from "./support.ts";

describe("activation", () => {
  after(closeAll);

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

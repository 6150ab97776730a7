import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { BuildResult } from "../../../engine/protocol.ts";
import { activated, closeAll, eventually, fileUri } from "./support.ts";

describe("files of images", () => {
  before(activated);
  afterEach(closeAll);

  it("a file of a built image opens read-only, with the content of its source", async () => {
    const { digest } = await build("shop:files");
    const source = Buffer.from(await vscode.workspace.fs.readFile(fileUri("config/settings.yaml"))).toString("utf8");
    const uri = inImage(digest, "rootfs/etc/settings.yaml");
    const editor = await vscode.window.showTextDocument(uri, { preview: false });
    assert.equal(editor.document.getText(), source);
    assert.equal(editor.document.languageId, "yaml");
    const { size, type, permissions } = await vscode.workspace.fs.stat(uri);
    assert.deepEqual(
      [size, type, permissions],
      [Buffer.byteLength(source), vscode.FileType.File, vscode.FilePermission.Readonly],
    );
    assert.equal(vscode.workspace.fs.isWritableFileSystem("kubeimage"), false);
    await assert.rejects(async () => vscode.workspace.fs.writeFile(uri, Buffer.from("x")));
    await assert.rejects(async () => vscode.workspace.fs.readFile(inImage(digest, "rootfs/etc/none")), /EntryNotFound/);
  });

  it("an image's folders are its root file system and its layers", async () => {
    const { digest } = await build("shop:files");
    const trees = await vscode.workspace.fs.readDirectory(inImage(digest, ""));
    assert.deepEqual(trees.slice(0, 2), [
      ["rootfs", vscode.FileType.Directory],
      ["layer-1", vscode.FileType.Directory],
    ]);
    const root = await vscode.workspace.fs.readDirectory(inImage(digest, "rootfs"));
    assert.ok(root.some(([name, type]) => name === "etc" && type === vscode.FileType.Directory));
  });

  it("the same file of two images is compared in a diff editor", async () => {
    const first = await build("shop:before");
    const settings = fileUri("config/settings.yaml");
    const old = await vscode.workspace.fs.readFile(settings);
    await vscode.workspace.fs.writeFile(settings, Buffer.from("currency: JPY\n"));
    const second = await build("shop:after");
    await vscode.workspace.fs.writeFile(settings, old);
    const file = (image: string): unknown => ({ item: {}, subject: { file: { image, path: "etc/settings.yaml" } } });
    const [left, right] = [file(first.digest), file(second.digest)];
    await vscode.commands.executeCommand("kubefile.compareFiles", left, [left, right]);
    const input = await eventually("a diff editor", () => {
      const open = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      return open instanceof vscode.TabInputTextDiff ? open : undefined;
    });
    assert.equal(input.original.toString(), inImage(first.digest, "rootfs/etc/settings.yaml").toString());
    assert.equal(input.modified.toString(), inImage(second.digest, "rootfs/etc/settings.yaml").toString());
    const text = async (uri: vscode.Uri): Promise<string> => (await vscode.workspace.openTextDocument(uri)).getText();
    assert.equal(await text(input.modified), "currency: JPY\n");
    assert.equal(await text(input.original), Buffer.from(old).toString("utf8"));
  });

  function inImage(digest: string, path: string): vscode.Uri {
    return vscode.Uri.from({ scheme: "kubeimage", path: `/${digest}/${path}` });
  }

  async function build(tag: string): Promise<BuildResult> {
    const result = await vscode.commands.executeCommand<BuildResult | undefined>(
      "kubefile.buildImage",
      fileUri("Kubefile"),
      { tags: [tag] },
    );
    assert.ok(result, "the build worked");
    return result;
  }
});

import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { KubefileApi } from "../../../client/api.ts";
import type { DiscoverResult } from "../../../engine/protocol.ts";
import { activated, closeAll, diagnosticsOf, eventually, fileUri, open } from "./support.ts";

const manifest = "site/manifests/cart.yaml";
const lock = "site/kubefile.lock";
const values = "site/web/values.yaml";

describe("container images", () => {
  let api: KubefileApi;
  const originals = new Map<string, Uint8Array>();
  before(async () => {
    api = await activated();
    for (const name of [lock, values]) originals.set(name, await vscode.workspace.fs.readFile(fileUri(name)));
  });
  afterEach(async () => {
    await closeAll();
    // The editor of a browser saves by itself after a while.
    for (const [name, bytes] of originals) await vscode.workspace.fs.writeFile(fileUri(name), bytes);
  });

  it("an application's line sums up its images, and a chart's values show the one they name", async () => {
    await open("site/Kubefile");
    assert.match(await lens("site/Kubefile", 1), /2 images · 0 of 2 cached · 1 not in kubefile\.lock/);
    assert.match(await lens("site/Kubefile", 2), /1 image · not cached/);
    await open(values);
    assert.match(await lens(values, 2), /^httpd:2\.4 · not cached · locked$/);
  });

  it("hovering the line of a manifest says why the image is packed", async () => {
    await open(manifest);
    await lens(manifest, 15);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      "vscode.executeHoverProvider",
      fileUri(manifest),
      new vscode.Position(15, 20),
    );
    const text = hovers.flatMap(({ contents }) =>
      contents.map((part) => (typeof part === "string" ? part : part.value)),
    );
    assert.match(text.join("\n"), /docker\.io\/library\/nginx:1\.27[\s\S]*Deployment container[\s\S]*not in the store/);
  });

  it("an image that the lock lacks is a warning at its line; ignoring it in the lock mends that", async () => {
    await open(manifest);
    const found = await diagnosticsOf(fileUri(manifest), (all) => all.some(({ code }) => code === "notLocked"));
    const [problem] = found.filter(({ code }) => code === "notLocked");
    assert.equal(problem?.range.start.line, 17);
    assert.equal(problem?.source, "kubefile images");
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      fileUri(manifest),
      problem?.range,
      vscode.CodeActionKind.QuickFix.value,
    );
    assert.ok(actions.some(({ title }) => title === "Run kubefile lock"));
    const ignore = actions.find(({ title }) => title === "Ignore redis:7.2 in kubefile.lock");
    assert.ok(ignore?.edit, actions.map(({ title }) => title).join("; "));
    await vscode.workspace.applyEdit(ignore.edit);
    // Not saved: what stands in the editor counts.
    await diagnosticsOf(fileUri(manifest), (all) => all.every(({ code }) => code !== "notLocked"));
    const document = await vscode.workspace.openTextDocument(fileUri(lock));
    assert.match(document.getText(), /ignore:\n {2}- image: "docker\.io\/library\/redis:7\.2"/);
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand("workbench.action.files.revert");
  });

  it("the lock is YAML; an image that nothing names any more is a hint in it", async () => {
    const editor = await open(lock);
    assert.equal(editor.document.languageId, "yaml");
    const found = await diagnosticsOf(fileUri(lock), (all) => all.some(({ code }) => code === "unneeded"));
    const hints = found.filter(({ code }) => code === "unneeded");
    assert.deepEqual(
      hints.map(({ range, severity }) => [range.start.line, severity]),
      [[7, vscode.DiagnosticSeverity.Hint]],
    );
  });

  it("an edit of values that is not saved is followed", async () => {
    const editor = await open(values);
    await lens(values, 2);
    await editor.edit((edit) => edit.replace(editor.document.lineAt(3).range, '  tag: "2.5"'));
    const result = await known((one) => one.images.some(({ image }) => image === "docker.io/library/httpd:2.5"));
    assert.ok(!result.images.some(({ image }) => image === "docker.io/library/httpd:2.4"));
    await vscode.commands.executeCommand("workbench.action.files.revert");
  });

  it("the setting takes lenses and problems away", async () => {
    await open(manifest);
    await diagnosticsOf(fileUri(manifest), (all) => all.length > 0);
    const section = vscode.workspace.getConfiguration("kubefile");
    await section.update("containerImages.lenses", false, vscode.ConfigurationTarget.Workspace);
    await diagnosticsOf(fileUri(manifest), (all) => all.length === 0);
    await eventually("no lens", async () => ((await lenses(manifest)).length === 0 ? true : undefined));
    await section.update("containerImages.lenses", undefined, vscode.ConfigurationTarget.Workspace);
    await diagnosticsOf(fileUri(manifest), (all) => all.length > 0);
  });

  function lenses(name: string): Thenable<vscode.CodeLens[]> {
    return vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", fileUri(name), 100);
  }

  /** The title of our lens at a line, 0-based. */
  function lens(name: string, line: number): Promise<string> {
    return eventually(
      `a lens at line ${line} of ${name}`,
      async () =>
        (await lenses(name)).find(
          ({ command, range }) => command?.command === "kubefile.showContainerImages" && range.start.line === line,
        )?.command?.title,
    );
  }

  function known(isRight: (result: DiscoverResult) => boolean): Promise<DiscoverResult> {
    return eventually("what is known of the site", () => {
      const result = api.containerImagesOf(fileUri("site/Kubefile"));
      return result && isRight(result) ? result : undefined;
    });
  }
});

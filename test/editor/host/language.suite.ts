import assert from "node:assert/strict";
import * as vscode from "vscode";
import { activated, closeAll, diagnosticsOf, eventually, fileUri, open, openText } from "./support.ts";

describe("language", () => {
  before(activated);
  afterEach(closeAll);

  it("an unknown instruction and an undeclared application are underlined where they stand", async () => {
    await open("broken/Kubefile");
    const found = await diagnosticsOf(fileUri("broken/Kubefile"), (all) => all.length >= 2);
    const marked = found.map((diagnostic) => [diagnostic.range.start.line, diagnostic.source] as const);
    assert.ok(
      marked.some(([line]) => line === 1),
      `COPI in line 2: ${JSON.stringify(marked)}`,
    );
    assert.ok(
      marked.some(([line]) => line === 3),
      `shopp in line 4: ${JSON.stringify(marked)}`,
    );
    const unknown = found.find((diagnostic) => diagnostic.range.start.line === 1);
    assert.match(unknown?.message ?? "", /COPY/, "says what was meant");
  });

  it("a good Kubefile has no errors", async () => {
    await open("Kubefile");
    await open("broken/Kubefile");
    await diagnosticsOf(fileUri("broken/Kubefile"), (all) => all.length >= 2);
    const errors = vscode.languages
      .getDiagnostics(fileUri("Kubefile"))
      .filter(({ severity }) => severity === vscode.DiagnosticSeverity.Error);
    assert.deepEqual(errors, []);
  });

  it("completion offers instructions at the start of a line, and declared applications after LAUNCH", async () => {
    assert.ok((await completions("FROM scratch\n|")).includes("APP"));
    assert.ok((await completions("FROM scratch\nAPP shop local://a\nLAUNCH |")).includes("shop"));
  });

  it("hovering an instruction explains it", async () => {
    const { document, cursor } = await openText("FROM scratch\nLAU|NCH shop\n");
    const hovers = await eventually("a hover", async () => {
      const found = await vscode.commands.executeCommand<vscode.Hover[]>(
        "vscode.executeHoverProvider",
        document.uri,
        cursor,
      );
      return found.length > 0 ? found : undefined;
    });
    const text = hovers.flatMap(({ contents }) =>
      contents.map((part) => (typeof part === "string" ? part : part.value)),
    );
    assert.match(text.join("\n"), /LAUNCH/);
  });

  it("words have semantic colours", async () => {
    const { document } = await openText("FROM scratch\nAPP shop local://a\nLAUNCH shop\n");
    const tokens = await eventually("semantic tokens", async () => {
      const found = await vscode.commands.executeCommand<vscode.SemanticTokens | undefined>(
        "vscode.provideDocumentSemanticTokens",
        document.uri,
      );
      return found && found.data.length > 0 ? found : undefined;
    });
    assert.equal(tokens.data.length % 5, 0);
  });

  it("renaming an application changes each place that names it", async () => {
    const { document, cursor } = await openText("FROM scratch\nAPP sh|op local://a\nAPPENV shop A=1\nLAUNCH shop\n");
    const edit = await eventually("a rename", async () =>
      vscode.commands
        .executeCommand<vscode.WorkspaceEdit>("vscode.executeDocumentRenameProvider", document.uri, cursor, "store")
        .then(
          (found) => (found.size > 0 ? found : undefined),
          () => undefined,
        ),
    );
    await vscode.workspace.applyEdit(edit);
    assert.equal(document.getText(), "FROM scratch\nAPP store local://a\nAPPENV store A=1\nLAUNCH store\n");
  });

  it("formatting an untidy Kubefile settles", async () => {
    const { document } = await openText("from   scratch\ncopy a    b\n");
    const edits = await eventually("formatting", async () => {
      const found = await formatting(document);
      return found.length > 0 ? found : undefined;
    });
    const edit = new vscode.WorkspaceEdit();
    edit.set(document.uri, [...edits]);
    await vscode.workspace.applyEdit(edit);
    assert.match(document.getText(), /^FROM scratch$/m);
    assert.deepEqual(await formatting(document), []);
  });

  it("a quick fix mends a misspelt instruction", async () => {
    const { document } = await openText("FROM scratch\nCOPI a b\n");
    const [problem] = await diagnosticsOf(document.uri, (all) => all.length > 0);
    assert.ok(problem);
    const actions = await eventually("a quick fix", async () => {
      const found = await vscode.commands.executeCommand<vscode.CodeAction[]>(
        "vscode.executeCodeActionProvider",
        document.uri,
        problem.range,
        vscode.CodeActionKind.QuickFix.value,
      );
      return found.some(({ edit }) => edit) ? found : undefined;
    });
    const fix = actions.find(({ title, edit }) => edit && /COPY/.test(title));
    assert.ok(fix?.edit, `a fix that says COPY among: ${actions.map(({ title }) => title).join("; ")}`);
    await vscode.workspace.applyEdit(fix.edit);
    assert.equal(document.getText(), "FROM scratch\nCOPY a b\n");
  });
});

async function completions(marked: string): Promise<readonly string[]> {
  const { document, cursor } = await openText(marked);
  return eventually(`completions for ${JSON.stringify(marked)}`, async () => {
    const list = await vscode.commands.executeCommand<vscode.CompletionList>(
      "vscode.executeCompletionItemProvider",
      document.uri,
      cursor,
    );
    const labels = list.items.map(({ label }) => (typeof label === "string" ? label : label.label));
    return labels.length > 0 ? labels : undefined;
  });
}

/** The edits that format a document; none when it is as it should be. */
async function formatting(document: vscode.TextDocument): Promise<readonly vscode.TextEdit[]> {
  const edits = await vscode.commands.executeCommand<vscode.TextEdit[] | undefined>(
    "vscode.executeFormatDocumentProvider",
    document.uri,
    { tabSize: 4, insertSpaces: true },
  );
  return edits ?? [];
}

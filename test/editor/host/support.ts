import * as vscode from "vscode";
import type { KubefileApi } from "../../../client/extension.ts";

/** The workspace's folder. */
export function workspaceDir(): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (folder === undefined) throw new Error("the suite needs a folder");
  return folder.uri;
}

/** A file of the workspace. */
export function fileUri(name: string): vscode.Uri {
  return vscode.Uri.joinPath(workspaceDir(), name);
}

/** The extension under test, activated. */
export async function activated(): Promise<KubefileApi> {
  const extension = vscode.extensions.getExtension<KubefileApi>("kubefile.kubefile");
  if (extension === undefined) throw new Error("the extension is not installed");
  return extension.activate();
}

/** Opens a file of the workspace in an editor. */
export async function open(name: string): Promise<vscode.TextEditor> {
  return vscode.window.showTextDocument(fileUri(name), { preview: false });
}

/** Opens a Kubefile with this text, not saved. `|` marks the cursor, which is given back. */
export async function openText(
  marked: string,
): Promise<{ editor: vscode.TextEditor; document: vscode.TextDocument; cursor: vscode.Position }> {
  const offset = marked.indexOf("|");
  const content = offset < 0 ? marked : marked.slice(0, offset) + marked.slice(offset + 1);
  const document = await vscode.workspace.openTextDocument({ language: "kubefile", content });
  const editor = await vscode.window.showTextDocument(document);
  return { editor, document, cursor: document.positionAt(Math.max(offset, 0)) };
}

/** Looks again and again until the probe answers something; says what was awaited when time is up. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  timeoutMs: number = 45_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until the diagnostics of a document satisfy the predicate, and answers them. */
export function diagnosticsOf(
  uri: vscode.Uri,
  isRight: (found: readonly vscode.Diagnostic[]) => boolean,
): Promise<readonly vscode.Diagnostic[]> {
  return eventually(`diagnostics of ${uri.path}`, () => {
    const found = vscode.languages.getDiagnostics(uri);
    return isRight(found) ? found : undefined;
  });
}

/** Closes every editor without saving. */
export async function closeAll(): Promise<void> {
  await vscode.commands.executeCommand("workbench.action.closeAllEditors");
}

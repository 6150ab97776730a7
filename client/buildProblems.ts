import { Diagnostic, DiagnosticSeverity, type ExtensionContext, languages, Range, Uri, workspace } from "vscode";
import type { Failure } from "./failures.ts";

/** The error of the last build at its instruction, until the Kubefile is edited or built again. */
export class BuildProblems {
  readonly #collection = languages.createDiagnosticCollection("kubefile-build");

  constructor(context: ExtensionContext) {
    context.subscriptions.push(
      this.#collection,
      workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.clear(document.uri);
      }),
    );
  }

  /** Shows a failure that knows its place. */
  show({ at, code, message }: Failure): void {
    if (at === undefined) return;
    const range = new Range(at.line - 1, 0, at.endLine - 1, Number.MAX_SAFE_INTEGER);
    const diagnostic = new Diagnostic(range, message, DiagnosticSeverity.Error);
    diagnostic.source = "kubefile build";
    diagnostic.code = code;
    this.#collection.set(Uri.file(at.kubefile), [diagnostic]);
  }

  clear(kubefile: Uri): void {
    this.#collection.delete(kubefile);
  }
}

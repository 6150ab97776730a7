import { type ServerCapabilities, TextDocumentSyncKind } from "vscode-languageserver";
import type { ClientSupport } from "./clientSupport.ts";
import { codeActionKinds } from "./features/codeAction.ts";
import { semanticTokensLegend } from "./features/semanticTokens.ts";

/** What the server offers a client. */
export function capabilitiesFor(client: ClientSupport): ServerCapabilities {
  return {
    positionEncoding: "utf-16",
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
    completionProvider: {
      resolveProvider: true,
      triggerCharacters: ["-", "=", "$", "{", "/", ":", '"', ",", " "],
    },
    hoverProvider: true,
    signatureHelpProvider: { triggerCharacters: [" ", "-", "=", "[", ","] },
    definitionProvider: true,
    declarationProvider: true,
    referencesProvider: true,
    documentHighlightProvider: true,
    renameProvider: { prepareProvider: true },
    documentSymbolProvider: true,
    workspaceSymbolProvider: { workDoneProgress: true },
    documentLinkProvider: {},
    foldingRangeProvider: true,
    selectionRangeProvider: true,
    documentFormattingProvider: true,
    documentRangeFormattingProvider: true,
    documentOnTypeFormattingProvider: { firstTriggerCharacter: "\n", moreTriggerCharacter: ["\\", "`"] },
    semanticTokensProvider: { legend: semanticTokensLegend, full: { delta: true }, range: true },
    codeActionProvider: client.codeActionLiterals ? { codeActionKinds: [...codeActionKinds] } : false,
    inlayHintProvider: true,
    codeLensProvider: {},
    linkedEditingRangeProvider: true,
    ...(client.pullDiagnostics
      ? { diagnosticProvider: { identifier: "kubefile", interFileDependencies: false, workspaceDiagnostics: false } }
      : {}),
    workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
  };
}

import type { ClientCapabilities, InitializeParams } from "vscode-languageserver";
import type { HoverOptions } from "./hover/hoverText.ts";
import { type KubefileClientOptions, readClientOptions } from "./protocol.ts";

/** What the client can do, as far as an answer depends on it. */
export interface ClientSupport extends KubefileClientOptions {
  readonly configuration: boolean;
  readonly dynamicConfiguration: boolean;
  readonly dynamicWatchedFiles: boolean;
  readonly workspaceFolders: boolean;
  readonly pullDiagnostics: boolean;
  readonly refreshDiagnostics: boolean;
  readonly refreshInlayHints: boolean;
  readonly refreshCodeLenses: boolean;
  readonly relatedInformation: boolean;
  readonly diagnosticTags: boolean;
  readonly codeDescription: boolean;
  readonly snippets: boolean;
  readonly completionTags: boolean;
  readonly hover: HoverOptions;
  readonly completionDocumentation: HoverOptions;
  readonly definitionLinks: boolean;
  readonly declarationLinks: boolean;
  readonly hierarchicalSymbols: boolean;
  readonly lineFoldingOnly: boolean;
  readonly foldingLimit: number;
  readonly documentChanges: boolean;
  readonly codeActionLiterals: boolean;
  readonly workDoneProgress: boolean;
}

const mostFolds = 5000;

/** Reads what the client said of itself in `initialize`. */
export function readClientSupport(params: InitializeParams): ClientSupport {
  const { capabilities } = params;
  return {
    ...readClientOptions(params.initializationOptions),
    ...readWorkspaceSupport(capabilities),
    ...readDiagnosticSupport(capabilities),
    ...readEditorSupport(capabilities),
    workDoneProgress: capabilities.window?.workDoneProgress === true,
  };
}

type WorkspaceSupport = Pick<
  ClientSupport,
  | "configuration"
  | "dynamicConfiguration"
  | "dynamicWatchedFiles"
  | "workspaceFolders"
  | "refreshInlayHints"
  | "refreshCodeLenses"
  | "documentChanges"
>;

function readWorkspaceSupport({ workspace }: ClientCapabilities): WorkspaceSupport {
  return {
    configuration: workspace?.configuration === true,
    dynamicConfiguration: workspace?.didChangeConfiguration?.dynamicRegistration === true,
    dynamicWatchedFiles: workspace?.didChangeWatchedFiles?.dynamicRegistration === true,
    workspaceFolders: workspace?.workspaceFolders === true,
    refreshInlayHints: workspace?.inlayHint?.refreshSupport === true,
    refreshCodeLenses: workspace?.codeLens?.refreshSupport === true,
    documentChanges: workspace?.workspaceEdit?.documentChanges === true,
  };
}

type DiagnosticSupport = Pick<
  ClientSupport,
  "pullDiagnostics" | "refreshDiagnostics" | "relatedInformation" | "diagnosticTags" | "codeDescription"
>;

function readDiagnosticSupport({ textDocument, workspace }: ClientCapabilities): DiagnosticSupport {
  const pull = textDocument?.diagnostic;
  const said = pull ?? textDocument?.publishDiagnostics;
  return {
    pullDiagnostics: pull !== undefined,
    refreshDiagnostics: workspace?.diagnostics?.refreshSupport === true,
    relatedInformation: said?.relatedInformation === true,
    diagnosticTags: said?.tagSupport !== undefined,
    codeDescription: said?.codeDescriptionSupport === true,
  };
}

type EditorSupport = Omit<
  ClientSupport,
  keyof KubefileClientOptions | keyof WorkspaceSupport | keyof DiagnosticSupport | "workDoneProgress"
>;

function readEditorSupport({ textDocument }: ClientCapabilities): EditorSupport {
  const item = textDocument?.completion?.completionItem;
  return {
    snippets: item?.snippetSupport === true,
    completionTags: item?.tagSupport !== undefined,
    completionDocumentation: { markdown: prefersMarkdown(item?.documentationFormat) },
    hover: { markdown: prefersMarkdown(textDocument?.hover?.contentFormat) },
    definitionLinks: textDocument?.definition?.linkSupport === true,
    declarationLinks: textDocument?.declaration?.linkSupport === true,
    hierarchicalSymbols: textDocument?.documentSymbol?.hierarchicalDocumentSymbolSupport === true,
    lineFoldingOnly: textDocument?.foldingRange?.lineFoldingOnly === true,
    foldingLimit: textDocument?.foldingRange?.rangeLimit ?? mostFolds,
    codeActionLiterals: textDocument?.codeAction?.codeActionLiteralSupport !== undefined,
  };
}

function prefersMarkdown(formats: readonly string[] | undefined): boolean {
  return formats?.includes("markdown") === true;
}

import type {
  DocumentDiagnosticParams,
  DocumentDiagnosticReport,
  DocumentSymbol,
  DocumentSymbolParams,
  Hover,
  HoverParams,
  Location,
  LocationLink,
  SemanticTokens,
  SemanticTokensDelta,
  SemanticTokensDeltaParams,
  SemanticTokensParams,
  SymbolInformation,
} from "vscode-languageserver";
import { answering } from "./answer.ts";
import type { OpenKubefile } from "./documents.ts";
import { codeActions, workspaceEdit } from "./features/codeAction.ts";
import { codeLenses } from "./features/codeLens.ts";
import { completion } from "./features/completion.ts";
import { resolveCompletion } from "./features/completionResolve.ts";
import { declaration, definition } from "./features/definition.ts";
import { documentLinks } from "./features/documentLink.ts";
import { documentSymbols, flatSymbols } from "./features/documentSymbol.ts";
import { foldingRanges } from "./features/folding.ts";
import { formatting, onTypeFormatting } from "./features/formatting.ts";
import { hover } from "./features/hover.ts";
import { ignoreHover } from "./features/ignoreHover.ts";
import { inlayHints } from "./features/inlayHint.ts";
import { linkedEditingRanges } from "./features/linkedEditing.ts";
import { documentHighlights, references } from "./features/references.ts";
import { prepareRename, rename } from "./features/rename.ts";
import { selectionRanges } from "./features/selectionRange.ts";
import { semanticTokensInRange } from "./features/semanticTokens.ts";
import { signatureHelp } from "./features/signatureHelp.ts";
import { workspaceSymbols } from "./features/workspaceSymbol.ts";
import { spanOf } from "./ranges.ts";
import { kubefileOf, offsetOf, type Session, settingsOf, unlessChanged } from "./session.ts";

/** Binds every feature to its method. Each answers for open Kubefiles; other documents get the empty answer. */
export function bindFeatures(session: Session): void {
  bindWriting(session);
  bindReading(session);
  bindNavigation(session);
  bindEdits(session);
  bindColours(session);
  bindDiagnostics(session);
}

type Handler<P, R> = ReturnType<typeof answering<P, R>>;

function on<P extends { readonly textDocument: { readonly uri: string } }, R>(
  session: Session,
  method: string,
  empty: R,
  work: (document: OpenKubefile, params: P, signal: () => AbortSignal) => R | Promise<R>,
): Handler<P, R> {
  return answering<P, R>(method, session.log, empty, (params, signal) => {
    const document = kubefileOf(session, params.textDocument.uri);
    return document === undefined ? empty : work(document, params, signal);
  });
}

function bindWriting(session: Session): void {
  const { connection, client, workspace } = session;
  connection.onCompletion(
    on(session, "completion", null, async (document, { position }, signal) => {
      const settings = await settingsOf(session, document.uri);
      const options = {
        snippets: client.snippets,
        deprecatedTag: client.completionTags,
        registryTags: settings.registryTags,
        dialect: settings.dialect === "auto" ? undefined : settings.dialect,
      };
      return unlessChanged(document, completion(document, offsetOf(document, position), workspace, options, signal()));
    }),
  );
  connection.onCompletionResolve((item) => resolveCompletion(item, workspace, client.completionDocumentation));
  connection.onSignatureHelp(
    on(session, "signatureHelp", null, (document, { position }) =>
      signatureHelp(document, offsetOf(document, position)),
    ),
  );
  connection.languages.onLinkedEditingRange(
    on(session, "linkedEditingRange", null, (document, { position }) =>
      linkedEditingRanges(document, offsetOf(document, position)),
    ),
  );
}

function bindReading(session: Session): void {
  const { connection, client, workspace } = session;
  connection.onHover(
    answering<HoverParams, Hover | null>("hover", session.log, null, ({ textDocument, position }, signal) => {
      const document = session.documents.get(textDocument.uri);
      if (document?.kind === "kubefile")
        return unlessChanged(
          document,
          hover(document, offsetOf(document, position), workspace, client.hover, signal()),
        );
      if (document?.kind === "ignore")
        return unlessChanged(document, ignoreHover(document, position.line, workspace, client.hover, signal()));
      return null;
    }),
  );
  connection.languages.inlayHint.on(
    on(session, "inlayHint", [], async (document, { range }) => {
      const { inlayHints: shown } = await settingsOf(session, document.uri);
      return inlayHints(document, spanOf(document.lines, range), workspace, { ...shown, today: Date.now() });
    }),
  );
  connection.onCodeLens(
    on(session, "codeLens", [], async (document) => {
      const { codeLens } = await settingsOf(session, document.uri);
      return codeLens ? codeLenses(document, client.commands) : [];
    }),
  );
  connection.onDocumentLinks(on(session, "documentLink", [], (document) => documentLinks(document)));
  connection.onFoldingRanges(
    on(session, "foldingRange", [], (document) =>
      foldingRanges(document, { lineFoldingOnly: client.lineFoldingOnly, limit: client.foldingLimit }),
    ),
  );
  connection.onSelectionRanges(
    on(session, "selectionRange", [], (document, { positions }) => selectionRanges(document, positions)),
  );
}

function bindNavigation(session: Session): void {
  const { connection, client, workspace } = session;
  connection.onDefinition(
    on(session, "definition", null, (document, { position }) =>
      asLocations(definition(document, offsetOf(document, position)), client.definitionLinks),
    ),
  );
  connection.onDeclaration(
    on(session, "declaration", null, (document, { position }) =>
      asLocations(declaration(document, offsetOf(document, position)), client.declarationLinks),
    ),
  );
  connection.onReferences(
    on(session, "references", [], (document, { position, context }) =>
      references(document, offsetOf(document, position), context.includeDeclaration),
    ),
  );
  connection.onDocumentHighlight(
    on(session, "documentHighlight", [], (document, { position }) =>
      documentHighlights(document, offsetOf(document, position)),
    ),
  );
  connection.onDocumentSymbol(
    on<DocumentSymbolParams, DocumentSymbol[] | SymbolInformation[]>(session, "documentSymbol", [], (document) =>
      client.hierarchicalSymbols ? documentSymbols(document) : flatSymbols(document),
    ),
  );
  connection.onWorkspaceSymbol((params, token, progress) => {
    progress.begin("Searching Kubefiles", undefined, undefined, true);
    const open = session.documents.all().filter((document) => document.kind === "kubefile");
    const search = answering("workspace/symbol", session.log, [], (_, signal) =>
      workspaceSymbols(params.query, open, workspace.roots, workspace.files, signal()),
    );
    return Promise.resolve(search(params, token)).finally(() => progress.done());
  });
}

function asLocations(links: LocationLink[], supported: boolean): LocationLink[] | Location[] {
  return supported
    ? links
    : links.map(({ targetUri, targetSelectionRange }) => ({ uri: targetUri, range: targetSelectionRange }));
}

function bindEdits(session: Session): void {
  const { connection, client, desk } = session;
  connection.onPrepareRename(
    on(session, "prepareRename", null, (document, { position }) =>
      prepareRename(document, offsetOf(document, position)),
    ),
  );
  connection.onRenameRequest(
    on(session, "rename", null, (document, { position, newName }) => {
      const edits = rename(document, offsetOf(document, position), newName);
      return edits.length === 0 ? null : workspaceEdit(document, edits, client);
    }),
  );
  connection.onCodeAction(
    on(session, "codeAction", [], async (document, params) => {
      const settings = await settingsOf(session, document.uri);
      // Fixing all means all, not only what is shown.
      const whole = params.context.only?.some((kind) => kind.startsWith("source")) === true;
      const problems = whole ? desk.allProblems(document, settings) : desk.problems(document, settings);
      return codeActions(document, problems, params, { ...client, ...settings });
    }),
  );
  connection.onDocumentFormatting(on(session, "formatting", [], (document) => formatting(document)));
  connection.onDocumentRangeFormatting(
    on(session, "rangeFormatting", [], (document, { range }) => formatting(document, spanOf(document.lines, range))),
  );
  connection.onDocumentOnTypeFormatting(
    on(session, "onTypeFormatting", [], (document, { position, ch, options }) =>
      onTypeFormatting(document, position, ch, options),
    ),
  );
}

function bindColours(session: Session): void {
  const { connection, sentTokens } = session;
  const none: SemanticTokens = { data: [] };
  connection.languages.semanticTokens.on(
    on<SemanticTokensParams, SemanticTokens>(session, "semanticTokens/full", none, (document) =>
      sentTokens.full(document),
    ),
  );
  connection.languages.semanticTokens.onDelta(
    on<SemanticTokensDeltaParams, SemanticTokens | SemanticTokensDelta>(
      session,
      "semanticTokens/full/delta",
      none,
      (document, { previousResultId }) => sentTokens.delta(document, previousResultId),
    ),
  );
  connection.languages.semanticTokens.onRange(
    on(session, "semanticTokens/range", none, (document, { range }) => ({
      data: semanticTokensInRange(document, spanOf(document.lines, range)),
    })),
  );
}

function bindDiagnostics(session: Session): void {
  const { connection, client, documents, desk, log } = session;
  if (!client.pullDiagnostics) return;
  connection.languages.diagnostics.on(
    answering<DocumentDiagnosticParams, DocumentDiagnosticReport>(
      "diagnostic",
      log,
      { kind: "full", items: [] },
      async ({ textDocument, previousResultId }) => {
        const document = documents.get(textDocument.uri);
        if (document === undefined) return { kind: "full", items: [] };
        return unlessChanged(document, desk.pull(document, previousResultId));
      },
    ),
  );
}

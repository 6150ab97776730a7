import {
  type Connection,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  type InitializeParams,
  type InitializeResult,
  TextDocuments,
  WatchKind,
} from "vscode-languageserver";
import type { ServerLog } from "./answer.ts";
import { bindFeatures } from "./bind.ts";
import { capabilitiesFor } from "./capabilities.ts";
import { type ClientSupport, readClientSupport } from "./clientSupport.ts";
import { DiagnosticsDesk } from "./diagnosticsDesk.ts";
import { type OpenDocument, openDocument } from "./documents.ts";
import { SentTokens } from "./features/semanticTokens.ts";
import type { Files } from "./files.ts";
import { clientImages, noImages } from "./images.ts";
import { imagesChanged } from "./protocol.ts";
import type { Session } from "./session.ts";
import { SettingsStore } from "./settings.ts";
import { Workspace } from "./world.ts";

/** What differs between Node and a web worker. */
export interface Runtime {
  /** Files of the workspace; absent in a web worker. */
  readonly files: Files | undefined;
  /** Milliseconds from any start, to measure with. */
  readonly now: () => number;
}

/** Serves LSP on a connection until the client ends it. */
export function startServer(connection: Connection, runtime: Runtime): void {
  const documents = new TextDocuments<OpenDocument>({
    create: openDocument,
    update: (document, changes, version) => {
      document.update(changes, version);
      return document;
    },
  });
  connection.onInitialize((params) => {
    const session = openSession(connection, documents, runtime, params);
    return initializeResult(session.client);
  });
  documents.listen(connection);
  connection.listen();
}

function openSession(
  connection: Connection,
  documents: TextDocuments<OpenDocument>,
  runtime: Runtime,
  params: InitializeParams,
): Session {
  const client = readClientSupport(params);
  const log: ServerLog = { error: (message) => connection.console.error(message) };
  const images = client.imageFacts
    ? clientImages(connection, runtime.now, () => {
        desk.refreshAll();
        refreshHints(connection, client);
      })
    : noImages;
  const workspace = new Workspace(runtime.files, images);
  workspace.setRoots(rootsOf(params));
  const settings = new SettingsStore(connection, client.configuration);
  const desk = new DiagnosticsDesk({ connection, documents, workspace, settings, client, now: runtime.now, log });
  const session: Session = {
    connection,
    client,
    documents,
    workspace,
    settings,
    desk,
    sentTokens: new SentTokens(),
    log,
  };
  bindFeatures(session);
  bindWorkspace(session, rootsOf(params));
  return session;
}

function rootsOf(params: InitializeParams): string[] {
  if (params.workspaceFolders != null) return params.workspaceFolders.map((folder) => folder.uri);
  return params.rootUri == null ? [] : [params.rootUri];
}

function bindWorkspace(session: Session, firstRoots: readonly string[]): void {
  const { connection, client, documents, workspace, settings, desk } = session;
  const roots = new Set(firstRoots);
  connection.onInitialized(() => registerLater(session, roots));
  connection.onDidChangeConfiguration(({ settings: pushed }) => {
    settings.changed(pushed);
    desk.refreshAll();
    refreshHints(connection, client);
  });
  connection.onDidChangeWatchedFiles(({ changes }) => {
    if (workspace.filesChanged(changes.map((change) => change.uri))) desk.refreshAll();
  });
  connection.onNotification(imagesChanged, () => {
    workspace.images.forget();
    desk.refreshAll();
    refreshHints(connection, client);
  });
  documents.onDidChangeContent(({ document }) => desk.changed(document));
  documents.onDidClose(({ document }) => {
    desk.closed(document);
    settings.forget(document.uri);
    session.sentTokens.forget(document.uri);
  });
}

/** Registers what can only be registered once the client is ready. A client that refuses does without. */
function registerLater(session: Session, roots: Set<string>): void {
  const { connection, client, workspace, log } = session;
  const refused = (error: unknown): void => log.error(`register: ${String(error)}`);
  if (client.dynamicConfiguration)
    connection.client.register(DidChangeConfigurationNotification.type, { section: "kubefile" }).catch(refused);
  if (client.dynamicWatchedFiles && workspace.files !== undefined) {
    const watchers = [
      { globPattern: "**/*", kind: WatchKind.Create | WatchKind.Delete },
      { globPattern: "**/.{kubefile,container,docker}ignore" },
    ];
    connection.client.register(DidChangeWatchedFilesNotification.type, { watchers }).catch(refused);
  }
  if (!client.workspaceFolders) return;
  connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
    for (const folder of removed) roots.delete(folder.uri);
    for (const folder of added) roots.add(folder.uri);
    workspace.setRoots([...roots]);
    session.settings.changed(undefined);
    session.desk.refreshAll();
  });
}

function refreshHints(connection: Connection, client: ClientSupport): void {
  const ignore = (): void => {};
  if (client.refreshInlayHints) connection.languages.inlayHint.refresh().catch(ignore);
  if (client.refreshCodeLenses) connection.sendRequest("workspace/codeLens/refresh").catch(ignore);
}

function initializeResult(client: ClientSupport): InitializeResult {
  return { serverInfo: { name: "kubefile", version: "0.1.0" }, capabilities: capabilitiesFor(client) };
}

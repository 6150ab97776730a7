import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import {
  createProtocolConnection,
  type InitializeParams,
  type InitializeResult,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver/node";

const main = path.resolve(import.meta.dirname, "../../server/main.ts");

/** What an editor of today says of itself. */
export const modern: InitializeParams["capabilities"] = {
  workspace: {
    configuration: true,
    didChangeConfiguration: { dynamicRegistration: true },
    didChangeWatchedFiles: { dynamicRegistration: true },
    workspaceFolders: true,
    workspaceEdit: { documentChanges: true },
    diagnostics: { refreshSupport: true },
    inlayHint: { refreshSupport: true },
    codeLens: { refreshSupport: true },
  },
  textDocument: {
    completion: {
      completionItem: { snippetSupport: true, documentationFormat: ["markdown"], tagSupport: { valueSet: [1] } },
    },
    hover: { contentFormat: ["markdown"] },
    definition: { linkSupport: true },
    declaration: { linkSupport: true },
    documentSymbol: { hierarchicalDocumentSymbolSupport: true },
    codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ["quickfix", "source"] } } },
    foldingRange: { lineFoldingOnly: true },
    diagnostic: { relatedInformation: true, tagSupport: { valueSet: [1, 2] }, codeDescriptionSupport: true },
    publishDiagnostics: { relatedInformation: true, tagSupport: { valueSet: [1, 2] }, codeDescriptionSupport: true },
  },
  window: { workDoneProgress: true },
};

/** The same editor without pulled diagnostics. */
export function pushing(): InitializeParams["capabilities"] {
  const { diagnostic: _, ...textDocument } = modern.textDocument ?? {};
  return { ...modern, textDocument };
}

export interface ServerOptions {
  readonly capabilities?: InitializeParams["capabilities"];
  readonly folders?: readonly string[];
  readonly initializationOptions?: unknown;
  /** Answers `workspace/configuration` for a document. */
  readonly configuration?: (scopeUri: string | undefined) => unknown;
  /** Answers the server's own requests. */
  readonly requests?: Readonly<Record<string, (params: never) => unknown>>;
}

/** A server process of its own, spoken to over stdio as an editor does. */
export class ServerProcess implements AsyncDisposable {
  readonly connection: ProtocolConnection;
  readonly initialized: InitializeResult;
  readonly registrations: string[] = [];
  readonly progress: string[] = [];
  readonly #process: ChildProcess;
  readonly #published: PublishDiagnosticsParams[] = [];
  readonly #waiting: ((params: PublishDiagnosticsParams) => boolean)[] = [];
  readonly counts: Map<string, number> = new Map();

  static async start(options: ServerOptions = {}): Promise<ServerProcess> {
    const child = spawn(process.execPath, [main, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
    const connection = createProtocolConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    const server = new ServerProcess(child, connection, options);
    connection.listen();
    const folders = options.folders ?? [];
    const result: InitializeResult = await connection.sendRequest("initialize", {
      processId: process.pid,
      rootUri: null,
      capabilities: options.capabilities ?? modern,
      initializationOptions: options.initializationOptions,
      workspaceFolders: folders.map((uri) => ({ uri, name: uri })),
    });
    Object.assign(server, { initialized: result });
    await connection.sendNotification("initialized", {});
    return server;
  }

  private constructor(child: ChildProcess, connection: ProtocolConnection, options: ServerOptions) {
    this.#process = child;
    this.connection = connection;
    this.initialized = { capabilities: {} };
    connection.onRequest("workspace/configuration", ({ items }: { items: { scopeUri?: string }[] }) => {
      this.#count("workspace/configuration");
      return items.map(({ scopeUri }) => options.configuration?.(scopeUri) ?? null);
    });
    connection.onRequest("client/registerCapability", ({ registrations }: { registrations: { method: string }[] }) => {
      this.registrations.push(...registrations.map((registration) => registration.method));
      return null;
    });
    for (const method of [
      "workspace/diagnostic/refresh",
      "workspace/inlayHint/refresh",
      "workspace/codeLens/refresh",
    ]) {
      connection.onRequest(method, () => {
        this.#count(method);
        return null;
      });
    }
    connection.onRequest("window/workDoneProgress/create", () => null);
    connection.onNotification("$/progress", ({ value }: { value: { kind: string } }) => {
      this.progress.push(value.kind);
    });
    for (const [method, answer] of Object.entries(options.requests ?? {})) {
      connection.onRequest(method, (params: never) => {
        this.#count(method);
        return answer(params);
      });
    }
    connection.onNotification("textDocument/publishDiagnostics", (params: PublishDiagnosticsParams) => {
      const taken = this.#waiting.findIndex((wants) => wants(params));
      if (taken >= 0) this.#waiting.splice(taken, 1);
      else this.#published.push(params);
    });
  }

  open(uri: string, text: string, languageId = "kubefile"): void {
    void this.connection.sendNotification("textDocument/didOpen", {
      textDocument: { uri, languageId, version: 1, text },
    });
  }

  change(uri: string, version: number, changes: readonly object[]): void {
    void this.connection.sendNotification("textDocument/didChange", {
      textDocument: { uri, version },
      contentChanges: changes,
    });
  }

  request<T>(method: string, params: object): Promise<T> {
    return this.connection.sendRequest(method, params);
  }

  notify(method: string, params?: object): void {
    void this.connection.sendNotification(method, params);
  }

  /** The next diagnostics that fit; ones that came before count too. */
  diagnostics(fits: (params: PublishDiagnosticsParams) => boolean = () => true): Promise<PublishDiagnosticsParams> {
    const index = this.#published.findIndex(fits);
    if (index >= 0) {
      const [found] = this.#published.splice(0, index + 1).slice(-1);
      if (found !== undefined) return Promise.resolve(found);
    }
    return new Promise((resolve) => {
      this.#waiting.push((params) => {
        if (!fits(params)) return false;
        resolve(params);
        return true;
      });
    });
  }

  #count(method: string): void {
    this.counts.set(method, (this.counts.get(method) ?? 0) + 1);
  }

  /** Ends the process as the protocol asks; gives its exit code. */
  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.#process.once("exit", resolve));
    await this.connection.sendRequest("shutdown");
    await this.connection.sendNotification("exit");
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.connection.dispose();
    this.#process.kill();
    await ended;
  }
}

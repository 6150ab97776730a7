import type { Connection, Diagnostic, DocumentDiagnosticReport, TextDocuments } from "vscode-languageserver";
import type { Problem } from "../kubefile/problems.ts";
import type { ServerLog } from "./answer.ts";
import { Checker } from "./checker.ts";
import type { ClientSupport } from "./clientSupport.ts";
import type { OpenDocument, OpenKubefile } from "./documents.ts";
import { clusterfileDiagnostics, diagnostics, ignoreDiagnostics } from "./features/diagnostics.ts";
import type { Settings, SettingsStore } from "./settings.ts";
import type { Workspace } from "./world.ts";

/** What the desk works with. */
export interface DeskParts {
  readonly connection: Pick<Connection, "sendDiagnostics" | "languages">;
  readonly documents: TextDocuments<OpenDocument>;
  readonly workspace: Workspace;
  readonly settings: SettingsStore;
  readonly client: ClientSupport;
  readonly now: () => number;
  readonly log: ServerLog;
}

/** Pushed diagnostics wait a few times as long as they last took to make, at most this long. */
const longestPauseMs = 250;
/** How long a pulled answer waits for files and images to be looked at. */
const patienceMs = 150;

interface Made {
  readonly items: Diagnostic[];
  readonly id: string;
  readonly learn: (() => Promise<boolean>) | undefined;
}

/**
 * Makes diagnostics and brings them to the client: pulled at once where the client pulls, pushed after a short pause
 * otherwise. What is not known of files and images yet is looked up, and the diagnostics come again when it is.
 */
export class DiagnosticsDesk {
  readonly #parts: DeskParts;
  readonly #checker: Checker;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #lastMs = new Map<string, number>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#checker = new Checker(parts.workspace);
  }

  /** The problems of a Kubefile as it is now, with what is known of the world now. */
  problems(document: OpenKubefile, settings: Settings): readonly Problem[] {
    return this.#checker.check(document, settings).problems;
  }

  /** The same without the limit on how many are shown. */
  allProblems(document: OpenKubefile, settings: Settings): readonly Problem[] {
    return this.#checker.checkAll(document, settings);
  }

  /** A document was opened or edited. */
  changed(document: OpenDocument): void {
    if (!this.#parts.client.pullDiagnostics) this.#schedule(document.uri);
  }

  /** A document was closed: its diagnostics go away. */
  closed({ uri }: OpenDocument): void {
    clearTimeout(this.#timers.get(uri));
    this.#timers.delete(uri);
    this.#lastMs.delete(uri);
    if (!this.#parts.client.pullDiagnostics) void this.#parts.connection.sendDiagnostics({ uri, diagnostics: [] });
  }

  /** Settings, files or images changed: every open document is looked at again. */
  refreshAll(): void {
    this.#checker.worldChanged();
    const { client, connection, documents } = this.#parts;
    if (!client.pullDiagnostics) for (const { uri } of documents.all()) this.#schedule(uri);
    else if (client.refreshDiagnostics) connection.languages.diagnostics.refresh();
  }

  /** Answers `textDocument/diagnostic`: at once but for a moment in which files may be looked at. */
  async pull(document: OpenDocument, previousId: string | undefined): Promise<DocumentDiagnosticReport> {
    const settings = await this.#settings(document);
    const until = this.#parts.now() + patienceMs;
    let made = await this.#make(document, settings);
    while (made.learn !== undefined) {
      const left = until - this.#parts.now();
      const learnt = made.learn();
      const answer = left > 0 ? await Promise.race([learnt, pause(left)]) : undefined;
      if (answer === undefined) {
        // It takes longer: the client is told to ask again when it is known.
        void learnt.then((more) => (more ? this.#refreshPulled() : undefined));
        break;
      }
      if (!answer) break;
      made = await this.#make(document, settings);
    }
    const { id, items } = made;
    return id === previousId ? { kind: "unchanged", resultId: id } : { kind: "full", resultId: id, items };
  }

  #refreshPulled(): void {
    const { client, connection } = this.#parts;
    if (client.refreshDiagnostics) connection.languages.diagnostics.refresh();
  }

  #settings({ uri }: OpenDocument): Settings | Promise<Settings> {
    const { settings } = this.#parts;
    return settings.now(uri) ?? settings.of(uri);
  }

  #schedule(uri: string): void {
    const wait = Math.min(longestPauseMs, 4 * (this.#lastMs.get(uri) ?? 0));
    clearTimeout(this.#timers.get(uri));
    this.#timers.set(
      uri,
      setTimeout(() => void this.#push(uri), wait),
    );
  }

  async #push(uri: string): Promise<void> {
    this.#timers.delete(uri);
    const document = this.#parts.documents.get(uri);
    if (document === undefined) return;
    try {
      const settings = await this.#settings(document);
      const { version } = document;
      const started = this.#parts.now();
      const made = await this.#make(document, settings);
      this.#lastMs.set(uri, this.#parts.now() - started);
      // An edit that came in meanwhile has its own turn.
      if (document.version !== version) return;
      await this.#parts.connection.sendDiagnostics({ uri, version, diagnostics: made.items });
      if (made.learn !== undefined && (await made.learn()) && document.version === version) this.#schedule(uri);
    } catch (error) {
      this.#parts.log.error(`diagnostics of ${uri}: ${String(error)}`);
    }
  }

  async #make(document: OpenDocument, settings: Settings): Promise<Made> {
    switch (document.kind) {
      case "kubefile": {
        const { problems, id, learn } = this.#checker.check(document, settings);
        const items = diagnostics(document.lines, problems, settings.problemLimit, this.#parts.client);
        return { items, id, learn };
      }
      case "clusterfile": {
        const wanted = settings.checkClusterfiles && this.#parts.client.checkClusterfiles;
        const items = wanted ? await clusterfileDiagnostics(document.lines) : [];
        return { items, id: `${document.version} ${wanted}`, learn: undefined };
      }
      case "ignore":
        return { items: ignoreDiagnostics(document.lines), id: String(document.version), learn: undefined };
      default:
        return document satisfies never;
    }
  }
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}

import path from "node:path";
import {
  type Event,
  EventEmitter,
  type ExtensionContext,
  RelativePattern,
  type TextDocument,
  type TextEditor,
  Uri,
  type Disposable as VscodeDisposable,
  window,
  workspace,
} from "vscode";
import type { CancellationToken } from "vscode-jsonrpc";
import { type PlanResult, plan } from "../../engine/protocol.ts";
import type { Builds, RunningBuild } from "../builds.ts";
import type { EngineProcess } from "../engineProcess.ts";
import { failureOf, isCancellation } from "../failures.ts";
import type { Settings } from "../settings.ts";
import { engineMayWork } from "../trust.ts";
import { Decorations } from "./decorations.ts";
import { type PlanState, Plans } from "./plans.ts";

/** Waits before the engine is asked: after a keystroke, and after anything else that may have changed the answer. */
const typingDelayMs = 250;
const changeDelayMs = 100;

/** Keeps the cache status of every visible Kubefile true: asks the engine for plans, and shows them. */
export class CacheStatus {
  readonly #engine: EngineProcess;
  readonly #builds: Builds;
  readonly #settings: () => Settings;
  readonly #decorations: Decorations;
  readonly #plans: Plans;
  readonly #watchers = new Map<string, VscodeDisposable>();
  readonly #changed = new EventEmitter<Uri>();

  /** A document's plan is new. */
  readonly onDidChange: Event<Uri> = this.#changed.event;

  constructor(context: ExtensionContext, engine: EngineProcess, builds: Builds, settings: () => Settings) {
    this.#engine = engine;
    this.#builds = builds;
    this.#settings = settings;
    this.#decorations = new Decorations(context.extensionUri);
    this.#plans = new Plans(
      (document, token) => this.#ask(document, token),
      (document) => this.#show(document),
    );
    const ownBuilds = builds.onChange((build) => this.#follow(build));
    context.subscriptions.push(
      this.#changed,
      { dispose: () => ownBuilds[Symbol.dispose]() },
      { dispose: () => this.#decorations[Symbol.dispose]() },
      { dispose: () => this.#plans[Symbol.dispose]() },
      { dispose: () => this.#unwatchAll() },
      window.onDidChangeVisibleTextEditors(() => this.refresh()),
      workspace.onDidChangeTextDocument(({ document }) => this.#typed(document)),
      workspace.onDidSaveTextDocument((document) => this.#schedule(document, changeDelayMs)),
      workspace.onDidCloseTextDocument((document) => this.#close(document)),
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("kubefile")) this.refresh();
      }),
    );
  }

  /** What is known about a document. */
  of(document: Uri): PlanState | undefined {
    return this.#plans.of(document.toString());
  }

  /** Asks again for every visible Kubefile. */
  refresh(): void {
    for (const editor of editors()) {
      this.#render(editor);
      this.#schedule(editor.document, changeDelayMs);
    }
  }

  #typed(document: TextDocument): void {
    if (isKubefile(document)) this.#schedule(document, typingDelayMs);
  }

  #schedule(document: TextDocument, delayMs: number): void {
    if (!isKubefile(document) || this.#settings().cacheStatus === "off" || !engineMayWork()) return;
    if (!window.visibleTextEditors.some((editor) => editor.document === document)) return;
    this.#watch(document);
    this.#plans.schedule(document.uri.toString(), delayMs);
  }

  /** Follows the files of the build context, which is the Kubefile's folder. */
  #watch(document: TextDocument): void {
    const key = document.uri.toString();
    if (this.#watchers.has(key)) return;
    const contextDir = Uri.joinPath(document.uri, "..");
    const watcher = workspace.createFileSystemWatcher(new RelativePattern(contextDir, "**/*"));
    const again = (): void => this.#schedule(document, changeDelayMs);
    watcher.onDidChange(again);
    watcher.onDidCreate(again);
    watcher.onDidDelete(again);
    this.#watchers.set(key, watcher);
  }

  #close(document: TextDocument): void {
    const key = document.uri.toString();
    this.#plans.forget(key);
    this.#watchers.get(key)?.dispose();
    this.#watchers.delete(key);
  }

  #unwatchAll(): void {
    for (const watcher of this.#watchers.values()) watcher.dispose();
    this.#watchers.clear();
  }

  async #ask(key: string, token: CancellationToken): Promise<PlanState> {
    const document = workspace.textDocuments.find((open) => open.uri.toString() === key);
    if (document === undefined) return {};
    try {
      return { plan: await this.#plan(document, token) };
    } catch (error) {
      return isCancellation(error) ? {} : { failure: failureOf(error).message };
    }
  }

  #plan(document: TextDocument, token: CancellationToken): Promise<PlanResult> {
    const kubefile = document.uri.fsPath;
    const { network, buildMode } = this.#settings();
    const inputs = { contextDir: path.dirname(kubefile), kubefile, network, buildMode };
    const unsaved = document.isDirty ? { text: document.getText() } : {};
    return this.#engine.request(plan, { ...inputs, ...unsaved }, token);
  }

  #follow(build: RunningBuild): void {
    for (const editor of editors()) {
      if (editor.document.uri.fsPath !== build.params.kubefile) continue;
      this.#render(editor);
      if (!this.#builds.running.includes(build)) this.#schedule(editor.document, changeDelayMs);
    }
  }

  #show(key: string): void {
    for (const editor of editors()) if (editor.document.uri.toString() === key) this.#render(editor);
    this.#changed.fire(Uri.parse(key, true));
  }

  #render(editor: TextEditor): void {
    const running = this.#builds.running.find((build) => build.params.kubefile === editor.document.uri.fsPath);
    const steps = this.of(editor.document.uri)?.plan?.steps ?? [];
    this.#decorations.show(editor, steps, running, this.#settings().cacheStatus, Date.now());
  }
}

/** Visible editors of Kubefiles on disk. */
function editors(): readonly TextEditor[] {
  return window.visibleTextEditors.filter((editor) => isKubefile(editor.document));
}

/** Whether a document is a Kubefile the engine can read. */
export function isKubefile(document: TextDocument): boolean {
  return document.languageId === "kubefile" && document.uri.scheme === "file";
}

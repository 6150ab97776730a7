import path from "node:path";
import { type Event, EventEmitter, type ExtensionContext, type TextDocument, Uri, window, workspace } from "vscode";
import type { CancellationToken } from "vscode-jsonrpc";
import { type DiscoverResult, discover, storeChanged } from "../../engine/protocol.ts";
import type { Builds } from "../builds.ts";
import type { EngineProcess } from "../engineProcess.ts";
import { failureOf, isCancellation } from "../failures.ts";
import type { Settings } from "../settings.ts";
import { engineMayWork } from "../trust.ts";
import { KubefileFolders, pathInside, watchContext } from "./contexts.ts";
import { type ScanState, Scans } from "./scans.ts";

/** Waits before the engine is asked: after a keystroke, and after anything else that may have changed the answer. */
const typingDelayMs = 250;
const changeDelayMs = 100;

/** A document, and what is known of the images of the build context it lies in. */
export interface DocumentImages {
  readonly kubefile: string;
  readonly result: DiscoverResult;
  /** Path of the document in the context. */
  readonly file: string;
}

/** Keeps what is known of the container images of every visible file's build context true: asks the engine, and tells when it changed. */
export class ContainerImages {
  readonly #engine: EngineProcess;
  readonly #settings: () => Settings;
  readonly #folders: KubefileFolders;
  readonly #scans: Scans;
  readonly #watchers = new Map<string, Disposable>();
  readonly #kubefiles = new Map<string, string>();
  readonly #changed = new EventEmitter<string>();

  /** What is known of a Kubefile's context is new; its path. */
  readonly onDidChange: Event<string> = this.#changed.event;

  constructor(context: ExtensionContext, engine: EngineProcess, builds: Builds, settings: () => Settings) {
    this.#engine = engine;
    this.#settings = settings;
    this.#folders = new KubefileFolders(context, () => this.refresh());
    this.#scans = new Scans(
      (kubefile, token) => this.#ask(kubefile, token),
      (kubefile) => this.#changed.fire(kubefile),
    );
    const ended = builds.onChange((build) => {
      if (!builds.running.includes(build)) this.refresh();
    });
    // Another window or the command line may have brought images.
    const stored = engine.onNotification(storeChanged, () => this.refresh());
    context.subscriptions.push(
      this.#changed,
      { dispose: () => stored[Symbol.dispose]() },
      { dispose: () => ended[Symbol.dispose]() },
      { dispose: () => this.#scans[Symbol.dispose]() },
      { dispose: () => this.#unwatchExcept(new Set()) },
      window.onDidChangeVisibleTextEditors(() => this.refresh()),
      workspace.onDidChangeTextDocument(({ document }) => void this.#schedule(document, typingDelayMs)),
      workspace.onDidSaveTextDocument((document) => void this.#schedule(document, changeDelayMs)),
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("kubefile.containerImages")) this.refresh();
      }),
    );
  }

  /** What is known of a Kubefile's context, by its path. */
  of(kubefile: string): ScanState | undefined {
    return this.#scans.of(kubefile);
  }

  /** What is known of a document's context, when the engine has looked and the setting allows it. */
  about(document: TextDocument): DocumentImages | undefined {
    const kubefile = this.#kubefiles.get(document.uri.toString());
    const result = kubefile === undefined ? undefined : this.#scans.of(kubefile)?.result;
    if (kubefile === undefined || result === undefined || !this.#isOn()) return undefined;
    const file = pathInside(path.dirname(kubefile), document.uri.fsPath);
    return file === undefined ? undefined : { kubefile, result, file };
  }

  /** Asks now, whatever is known. Rejects as `EngineProcess.request` does. */
  look(kubefile: string, token?: CancellationToken): Promise<DiscoverResult> {
    const contextDir = path.dirname(kubefile);
    const files = workspace.textDocuments
      .filter(
        ({ isDirty, uri }) => isDirty && uri.scheme === "file" && pathInside(contextDir, uri.fsPath) !== undefined,
      )
      .map((document) => ({ path: document.uri.fsPath, text: document.getText() }));
    return this.#engine.request(discover, { contextDir, kubefile, files }, token);
  }

  /** Asks again for the context of every visible file, and stops following the others. */
  refresh(): void {
    void this.#refresh();
  }

  async #refresh(): Promise<void> {
    const shown = await Promise.all(
      window.visibleTextEditors.map(({ document }) => this.#schedule(document, changeDelayMs)),
    );
    this.#unwatchExcept(new Set(shown));
    // Lenses and problems of a setting that was turned off go too.
    if (!this.#isOn()) for (const kubefile of new Set(this.#kubefiles.values())) this.#changed.fire(kubefile);
  }

  async #schedule(document: TextDocument, delayMs: number): Promise<string | undefined> {
    if (!this.#isOn() || !mayNameImages(document)) return undefined;
    if (!window.visibleTextEditors.some((editor) => editor.document === document)) return undefined;
    const kubefile = await this.#folders.kubefileOf(document);
    if (kubefile === undefined) return undefined;
    this.#kubefiles.set(document.uri.toString(), kubefile);
    if (!this.#watchers.has(kubefile))
      this.#watchers.set(
        kubefile,
        watchContext(kubefile, () => this.#scans.schedule(kubefile, changeDelayMs)),
      );
    this.#scans.schedule(kubefile, delayMs);
    return kubefile;
  }

  #unwatchExcept(shown: ReadonlySet<string | undefined>): void {
    for (const [kubefile, watcher] of this.#watchers) {
      if (shown.has(kubefile)) continue;
      watcher[Symbol.dispose]();
      this.#watchers.delete(kubefile);
    }
  }

  async #ask(kubefile: string, token: CancellationToken): Promise<ScanState> {
    try {
      return { result: await this.look(kubefile, token) };
    } catch (error) {
      return isCancellation(error) ? {} : { failure: failureOf(error).message };
    }
  }

  #isOn(): boolean {
    return this.#settings().containerImageLenses && engineMayWork();
  }
}

/** Documents that may name container images, or steer which are packed. */
function mayNameImages({ languageId, uri }: TextDocument): boolean {
  if (uri.scheme !== "file") return false;
  return (
    languageId === "kubefile" ||
    languageId === "yaml" ||
    languageId === "helm" ||
    /\.(?:ya?ml|tpl|json)$/.test(uri.path)
  );
}

/** Where a place of a context lies. */
export function placeUri(result: DiscoverResult, file: string): Uri {
  return path.isAbsolute(file) ? Uri.file(file) : Uri.file(path.join(result.contextDir, file));
}

import {
  LanguageStatusSeverity,
  l10n,
  languages,
  MarkdownString,
  StatusBarAlignment,
  type TextEditor,
  ThemeColor,
  window,
} from "vscode";
import { isKubefile } from "./cacheStatus/cacheStatus.ts";
import { summary } from "./cacheStatus/wording.ts";
import type { EngineState } from "./engineProcess.ts";
import type { Session } from "./session.ts";

/** The status bar item with the cache's summary, and the language status with engine and cache. */
export function registerStatus(session: Session): void {
  const item = window.createStatusBarItem("kubefile.cache", StatusBarAlignment.Right, 100);
  item.name = l10n.t("Kubefile build cache");
  item.command = "kubefile.explainCacheStatus";
  const engineStatus = languages.createLanguageStatusItem("kubefile.engine", { language: "kubefile" });
  engineStatus.name = l10n.t("Kubefile engine");
  const cacheStatus = languages.createLanguageStatusItem("kubefile.cache", { language: "kubefile" });
  cacheStatus.name = l10n.t("Kubefile build cache");
  cacheStatus.command = { command: "kubefile.explainCacheStatus", title: l10n.t("Why?") };

  const update = (): void => {
    const editor = window.activeTextEditor;
    if (editor === undefined || !isKubefile(editor.document)) {
      item.hide();
      return;
    }
    const shown = cacheText(session, editor);
    item.text = `${shown.icon} ${shown.text}`;
    item.tooltip = new MarkdownString(shown.tooltip);
    item.backgroundColor = shown.warn ? new ThemeColor("statusBarItem.warningBackground") : undefined;
    item.accessibilityInformation = { label: `${item.name}: ${shown.text}` };
    item.show();
    cacheStatus.text = shown.text;
    cacheStatus.severity = shown.warn ? LanguageStatusSeverity.Warning : LanguageStatusSeverity.Information;
  };
  const updateEngine = (state: EngineState): void => {
    const shown = engineText(state);
    engineStatus.text = shown.text;
    engineStatus.detail = shown.detail;
    engineStatus.busy = state.kind === "starting";
    engineStatus.severity = shown.severity;
    engineStatus.command =
      state.kind === "failed"
        ? { command: "kubefile.restart", title: l10n.t("Restart") }
        : { command: "kubefile.showLog", title: l10n.t("Show Log") };
    update();
  };
  updateEngine(session.engine.state);
  const engine = session.engine.onState(updateEngine);
  const builds = session.builds.onChange(update);
  session.context.subscriptions.push(
    item,
    engineStatus,
    cacheStatus,
    { dispose: () => engine[Symbol.dispose]() },
    { dispose: () => builds[Symbol.dispose]() },
    window.onDidChangeActiveTextEditor(update),
    session.cacheStatus.onDidChange(update),
  );
}

interface ShownStatus {
  readonly icon: string;
  readonly text: string;
  readonly tooltip: string;
  readonly warn: boolean;
}

function cacheText(session: Session, editor: TextEditor): ShownStatus {
  const { document } = editor;
  const running = session.builds.running.find((build) => build.params.kubefile === document.uri.fsPath);
  if (running) {
    const text = l10n.t("building");
    return { icon: "$(sync~spin)", text, tooltip: running.params.tags.join(", "), warn: false };
  }
  const state = session.cacheStatus.of(document.uri);
  if (session.engine.state.kind === "failed") {
    return { icon: "$(error)", text: l10n.t("engine stopped"), tooltip: session.engine.state.reason, warn: true };
  }
  if (state?.failure)
    return { icon: "$(question)", text: l10n.t("cache unknown"), tooltip: state.failure, warn: false };
  if (state?.plan === undefined) {
    return { icon: "$(layers)", text: l10n.t("cache"), tooltip: l10n.t("Not looked at yet."), warn: false };
  }
  const tooltip = l10n.t("What the next build of this Kubefile takes from the cache. Click for each instruction.");
  return { icon: "$(layers)", text: summary(state.plan, l10n.t), tooltip, warn: false };
}

function engineText(state: EngineState): { text: string; detail: string; severity: LanguageStatusSeverity } {
  switch (state.kind) {
    case "stopped":
      return { text: l10n.t("Engine not started"), detail: "", severity: LanguageStatusSeverity.Information };
    case "starting":
      return { text: l10n.t("Engine starting"), detail: "", severity: LanguageStatusSeverity.Information };
    case "ready": {
      const detail = state.engine.storeDir;
      return { text: l10n.t("Engine ready"), detail, severity: LanguageStatusSeverity.Information };
    }
    case "waiting":
      return { text: l10n.t("Engine restarting"), detail: state.reason, severity: LanguageStatusSeverity.Warning };
    case "failed":
      return { text: l10n.t("Engine stopped"), detail: state.reason, severity: LanguageStatusSeverity.Error };
    default:
      return state satisfies never;
  }
}

import { commands, type EventEmitter, l10n, window, workspace } from "vscode";
import { storeChanged } from "../engine/protocol.ts";
import type { EngineState } from "./engineProcess.ts";
import type { Session } from "./session.ts";

/** Keeps menus, views and a changed store path in step with the engine. */
export function followEngine(session: Session, changes: EventEmitter<"images" | "builds">): void {
  const { engine, context } = session;
  const show = (state: EngineState): void => {
    void commands.executeCommand("setContext", "kubefile.engine", contextValue(state));
    if (state.kind === "ready") session.refresh();
    if (state.kind === "failed") tellFailed(session, state.reason);
  };
  show(engine.state);
  const states = engine.onState(show);
  const notifications = engine.onNotification(storeChanged, ({ what }) => {
    changes.fire(what);
    if (what === "builds") session.cacheStatus.refresh();
  });
  context.subscriptions.push(
    { dispose: () => states[Symbol.dispose]() },
    { dispose: () => notifications[Symbol.dispose]() },
    workspace.onDidGrantWorkspaceTrust(() => session.refresh()),
    workspace.onDidChangeConfiguration((change) => {
      if (!change.affectsConfiguration("kubefile.store.path") || engine.state.kind === "stopped") return;
      // Why it fails, if it does, is told by its state.
      engine.restart().catch(() => {});
    }),
  );
}

/** The states that welcome contents tell apart. */
function contextValue(state: EngineState): "starting" | "ready" | "failed" {
  if (state.kind === "ready" || state.kind === "failed") return state.kind;
  return "starting";
}

function tellFailed(session: Session, reason: string): void {
  const restart = l10n.t("Restart");
  const showLog = l10n.t("Show Log");
  void window.showErrorMessage(reason, restart, showLog).then((chosen) => {
    if (chosen === restart) return commands.executeCommand("kubefile.restart");
    if (chosen === showLog) session.log.show(true);
    return undefined;
  });
}

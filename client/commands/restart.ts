import { l10n, window, workspace } from "vscode";
import type { Command } from "./command.ts";

/** Starts language server and engine anew. */
export const restart: Command = {
  id: "kubefile.restart",
  needsTrust: false,
  async run(session) {
    await session.restartLanguageServer();
    if (workspace.isTrusted) await session.engine.restart();
    session.refresh();
    window.setStatusBarMessage(l10n.t("Kubefile: language server and engine were restarted"), 5000);
  },
};

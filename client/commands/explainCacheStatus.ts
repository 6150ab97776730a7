import { l10n, Position, type QuickPickItem, Selection, window } from "vscode";
import type { PlannedStep } from "../../engine/protocol.ts";
import { isKubefile } from "../cacheStatus/cacheStatus.ts";
import { endOfLineText, headline, summary } from "../cacheStatus/wording.ts";
import type { Command } from "./command.ts";

const icons: Readonly<Record<PlannedStep["status"], string>> = {
  cached: "$(pass)",
  build: "$(tools)",
  unknown: "$(question)",
  metadata: "$(tag)",
};

/** Lists what the next build does with each instruction and why; choosing one goes there. The hover's content by keyboard. */
export const explainCacheStatus: Command = {
  id: "kubefile.explainCacheStatus",
  needsTrust: true,
  async run(session) {
    const editor = window.activeTextEditor;
    if (editor === undefined || !isKubefile(editor.document)) {
      void window.showInformationMessage(l10n.t("Open a Kubefile to see what its next build takes from the cache."));
      return;
    }
    const state = session.cacheStatus.of(editor.document.uri);
    if (state?.plan === undefined) {
      const sentence = state?.failure ?? l10n.t("The engine has not looked at this Kubefile yet.");
      void window.showWarningMessage(sentence);
      return;
    }
    const nowMs = Date.now();
    const items = state.plan.steps.map((step): QuickPickItem & { step: PlannedStep } => ({
      label: `${icons[step.status]} ${step.line}: ${step.text.slice(0, 80)}`,
      description: endOfLineText(step, nowMs, l10n.t),
      detail: headline(step, l10n.t),
      step,
    }));
    const here = items.find(
      ({ step }) => step.line - 1 <= editor.selection.active.line && editor.selection.active.line < step.endLine,
    );
    const title = `${l10n.t("Build cache")}: ${summary(state.plan, l10n.t)}`;
    const chosen = await window.showQuickPick(here ? [here, ...items.filter((item) => item !== here)] : items, {
      title,
      matchOnDescription: true,
    });
    if (chosen === undefined) return;
    const at = new Position(chosen.step.line - 1, 0);
    editor.selection = new Selection(at, at);
    editor.revealRange(editor.selection);
  },
};

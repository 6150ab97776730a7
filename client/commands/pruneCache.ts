import { l10n, ProgressLocation, window } from "vscode";
import { type PruneParams, type PruneResult, prune } from "../../engine/protocol.ts";
import { byteSize } from "../byteSize.ts";
import type { Session } from "../session.ts";
import type { Command } from "./command.ts";

const week = 7 * 24 * 3600 * 1000;

/** Frees room in the store: how much is shown before anything is removed. */
export const pruneCache: Command = {
  id: "kubefile.pruneCache",
  needsTrust: true,
  async run(session) {
    const choices: readonly { label: string; rules: Omit<PruneParams, "dryRun"> }[] = [
      { label: l10n.t("What was not used for a week"), rules: { keepMs: week } },
      { label: l10n.t("All cached layers without an image"), rules: { all: true } },
    ];
    const previews = await Promise.all(
      choices.map(async (choice) => {
        const result = await session.engine.request(prune, { ...choice.rules, dryRun: true });
        return { ...choice, result, description: l10n.t("{0} to free", byteSize(result.freedBytes)) };
      }),
    );
    const chosen = await window.showQuickPick(previews, { title: l10n.t("Prune Build Cache") });
    if (chosen === undefined) return;
    if (chosen.result.removed.length === 0) {
      void window.showInformationMessage(l10n.t("There is nothing to prune."));
      return;
    }
    if (!(await isConfirmed(chosen.result))) return;
    const freed = await pruneNow(session, chosen.rules);
    void window.showInformationMessage(
      l10n.t("Removed {0} entries, {1} freed.", freed.removed.length, byteSize(freed.freedBytes)),
    );
  },
};

/** The biggest entries by name; the rest as a number. */
const listed = 15;

async function isConfirmed(preview: PruneResult): Promise<boolean> {
  const biggest = [...preview.removed].sort((a, b) => b.sizeBytes - a.sizeBytes);
  const lines = biggest.slice(0, listed).map((entry) => `${byteSize(entry.sizeBytes)}  ${entry.name}`);
  if (biggest.length > listed) lines.push(l10n.t("and {0} more", biggest.length - listed));
  const yes = l10n.t("Prune");
  const answer = await window.showWarningMessage(
    l10n.t("Remove {0} entries, {1}?", preview.removed.length, byteSize(preview.freedBytes)),
    { modal: true, detail: lines.join("\n") },
    yes,
  );
  return answer === yes;
}

function pruneNow(session: Session, rules: Omit<PruneParams, "dryRun">): Thenable<PruneResult> {
  return window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t("Pruning the build cache"), cancellable: true },
    (_, token) => session.engine.request(prune, { ...rules, dryRun: false }, token),
  );
}

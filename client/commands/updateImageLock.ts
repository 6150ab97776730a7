import { randomUUID } from "node:crypto";
import path from "node:path";
import { commands, l10n, ProgressLocation, Uri, window, workspace } from "vscode";
import { buildProgress, type LockResult, lock } from "../../engine/protocol.ts";
import { isCancellation, tell } from "../failures.ts";
import type { Session } from "../session.ts";
import type { Command } from "./command.ts";
import { kubefileFor } from "./kubefiles.ts";

/** Finds every container image of a Kubefile and writes `kubefile.lock`; images that are locked keep their digest. */
export const updateImageLock: Command = {
  id: "kubefile.updateImageLock",
  needsTrust: true,
  async run(session, ...args) {
    const [called] = args;
    const kubefile =
      typeof called === "string" && !called.startsWith("file:")
        ? Uri.file(called)
        : await kubefileFor(args, l10n.t("Update Image Lock"));
    if (kubefile === undefined) return undefined;
    return updateLock(session, kubefile);
  },
};

async function updateLock(session: Session, kubefile: Uri): Promise<LockResult | undefined> {
  // The engine reads files: what is not saved yet would be left out.
  const folder = path.dirname(kubefile.fsPath);
  for (const document of workspace.textDocuments)
    if (document.isDirty && document.uri.scheme === "file" && document.uri.fsPath.startsWith(folder + path.sep))
      await document.save();
  const again = (): unknown => updateLock(session, kubefile);
  try {
    const result = await window.withProgress(
      { location: ProgressLocation.Notification, title: l10n.t("Updating kubefile.lock"), cancellable: true },
      async (report, token) => {
        const buildId = randomUUID();
        const following = session.engine.onNotification(buildProgress, (progress) => {
          if (progress.buildId !== buildId || progress.kind !== "containerImages") return;
          report.report({ message: l10n.t("container images {0}/{1}", progress.done, progress.total) });
        });
        try {
          return await session.engine.request(
            lock,
            {
              ...{ buildId, contextDir: folder, kubefile: kubefile.fsPath, update: false, check: false },
              network: session.settings().network,
            },
            token,
          );
        } finally {
          following[Symbol.dispose]();
        }
      },
    );
    tellResult(result);
    session.containerImages.refresh();
    return result;
  } catch (error) {
    if (isCancellation(error)) void window.showInformationMessage(l10n.t("kubefile.lock stays as it was."));
    else tell(session, error, again);
    return undefined;
  }
}

function tellResult(result: LockResult): void {
  const { images, added, removed, moved } = result;
  const sentence = result.changed
    ? l10n.t(
        "kubefile.lock holds {0} images: {1} new, {2} gone, {3} with another digest.",
        images.length,
        added.length,
        removed.length,
        moved.length,
      )
    : l10n.t("kubefile.lock is up to date: {0} images.", images.length);
  const show = l10n.t("Open Lock");
  void window.showInformationMessage(sentence, show).then((chosen) => {
    if (chosen === show) return commands.executeCommand("vscode.open", Uri.file(result.path));
    return undefined;
  });
}

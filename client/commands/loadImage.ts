import path from "node:path";
import { commands, l10n, Uri, window, workspace } from "vscode";
import { load } from "../../engine/protocol.ts";
import { shortReference } from "../references.ts";
import type { Session } from "../session.ts";
import type { Command } from "./command.ts";
import { showTransfer } from "./transfer.ts";

/** Brings the images of an archive into the store, whichever tool wrote it. */
export const loadImage: Command = {
  id: "kubefile.loadImage",
  needsTrust: true,
  async run(session, ...args) {
    const [called] = args;
    const files = called instanceof Uri ? [called] : await pickFiles();
    const results: unknown[] = [];
    for (const file of files ?? []) results.push(await loadNow(session, file));
    return results;
  },
};

function pickFiles(): Thenable<Uri[] | undefined> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  return window.showOpenDialog({
    title: l10n.t("Load Cluster Image from File"),
    openLabel: l10n.t("Load"),
    canSelectMany: true,
    canSelectFiles: true,
    ...(folder ? { defaultUri: folder } : {}),
    filters: { [l10n.t("Archives")]: ["tar", "gz", "tgz", "zst", "001", "json"], [l10n.t("All files")]: ["*"] },
  });
}

async function loadNow(session: Session, file: Uri): Promise<unknown> {
  const name = path.basename(file.fsPath);
  const result = await showTransfer(session, {
    title: l10n.t("Loading {0}", name),
    cancelled: l10n.t("Loading {0} was cancelled; nothing was named.", name),
    run: (watch, token) =>
      session.transfers.run(load, (transferId) => ({ transferId, path: file.fsPath }), watch, token),
  });
  if (result === undefined) return undefined;
  for (const warning of result.warnings) session.log.warn(warning);
  const names = result.images.flatMap(({ references }) => references.map(shortReference));
  const sentence =
    result.warnings.length === 0
      ? l10n.t("Loaded {0}.", names.join(", "))
      : l10n.t("Loaded {0}. {1}", names.join(", "), result.warnings.join(" "));
  const show = l10n.t("Show Image");
  void window.showInformationMessage(sentence, show).then((chosen) => {
    return chosen === show ? commands.executeCommand("kubefile.images.focus") : undefined;
  });
  return result;
}

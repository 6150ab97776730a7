import { l10n, ProgressLocation, window } from "vscode";
import { verify } from "../../engine/protocol.ts";
import { byteSize } from "../byteSize.ts";
import type { Command } from "./command.ts";

/** Reads every blob again and says which differ from their digest. */
export const verifyStore: Command = {
  id: "kubefile.verifyStore",
  needsTrust: true,
  async run(session) {
    const result = await window.withProgress(
      { location: ProgressLocation.Notification, title: l10n.t("Verifying the store"), cancellable: true },
      (_, token) => session.engine.ask(verify, token),
    );
    if (result.faults.length === 0) {
      const sentence = l10n.t(
        "{0} blobs, {1}: all are what their digest says.",
        result.checkedBlobs,
        byteSize(result.checkedBytes),
      );
      void window.showInformationMessage(sentence);
      return;
    }
    for (const { digest, fault } of result.faults) session.log.error(`${digest}: ${fault}`);
    session.log.show(true);
    void window.showErrorMessage(
      l10n.t(
        "{0} of {1} blobs are damaged; the log lists them. Build or pull their images again.",
        result.faults.length,
        result.checkedBlobs,
      ),
    );
  },
};

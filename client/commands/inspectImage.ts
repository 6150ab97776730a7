import { l10n, window, workspace } from "vscode";
import { inspectImage as inspectRequest } from "../../engine/protocol.ts";
import type { Command } from "./command.ts";
import { imagesFor } from "./subjects.ts";

/** Opens everything the store knows of an image as JSON. */
export const inspectImage: Command = {
  id: "kubefile.inspectImage",
  needsTrust: true,
  async run(session, ...args) {
    const chosen = await imagesFor(session, args, l10n.t("Inspect Image"));
    for (const { reference } of chosen ?? []) {
      const details = await session.engine.request(inspectRequest, { reference });
      const content = `${JSON.stringify(details, null, 2)}\n`;
      await window.showTextDocument(await workspace.openTextDocument({ language: "json", content }), { preview: true });
    }
  },
};

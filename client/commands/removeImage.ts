import { l10n, window } from "vscode";
import { removeImage as removeRequest } from "../../engine/protocol.ts";
import { byteSize } from "../byteSize.ts";
import { shortReference } from "../references.ts";
import type { Command } from "./command.ts";
import { imagesFor } from "./subjects.ts";

/** Takes names away after asking, by name and size. */
export const removeImage: Command = {
  id: "kubefile.removeImage",
  needsTrust: true,
  async run(session, ...args) {
    const chosen = (await imagesFor(session, args, l10n.t("Remove Image"))) ?? [];
    if (chosen.length === 0) return;
    const remove = l10n.t("Remove");
    const names = chosen.map(({ reference, image }) => `${shortReference(reference)} (${byteSize(image.sizeBytes)})`);
    const answer = await window.showWarningMessage(
      chosen.length === 1 ? l10n.t("Remove {0}?", names.join()) : l10n.t("Remove {0} images?", chosen.length),
      {
        modal: true,
        detail: `${chosen.length === 1 ? "" : `${names.join("\n")}\n\n`}${l10n.t(
          "What no other image or cache record uses is freed by the next prune.",
        )}`,
      },
      remove,
    );
    if (answer !== remove) return;
    for (const { reference } of chosen) await session.engine.request(removeRequest, { reference });
  },
};

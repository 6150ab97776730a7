import { l10n, window } from "vscode";
import { tagImage as tagRequest } from "../../engine/protocol.ts";
import { shortReference } from "../references.ts";
import type { Command } from "./command.ts";
import { imagesFor } from "./subjects.ts";

/** Gives an image one more name. */
export const tagImage: Command = {
  id: "kubefile.tagImage",
  needsTrust: true,
  async run(session, ...args) {
    const [chosen] = (await imagesFor(session, args, l10n.t("Tag Image"))) ?? [];
    if (chosen === undefined) return;
    const newReference = await window.showInputBox({
      title: l10n.t("Tag Image"),
      prompt: l10n.t("New name for {0}", shortReference(chosen.reference)),
      value: chosen.image.references.length > 0 ? shortReference(chosen.reference) : "",
    });
    if (!newReference?.trim()) return;
    const { reference } = await session.engine.request(tagRequest, {
      reference: chosen.reference,
      newReference: newReference.trim(),
    });
    window.setStatusBarMessage(l10n.t("{0} is now also {1}", shortReference(chosen.reference), reference), 5000);
  },
};

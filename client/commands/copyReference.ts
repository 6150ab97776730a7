import { env, l10n } from "vscode";
import type { Command } from "./command.ts";
import { imagesFor } from "./subjects.ts";

/** Puts full references on the clipboard, one a line. */
export const copyReference: Command = {
  id: "kubefile.copyReference",
  needsTrust: true,
  async run(session, ...args) {
    const chosen = await imagesFor(session, args, l10n.t("Copy Reference"));
    if (chosen?.length) await env.clipboard.writeText(chosen.map(({ reference }) => reference).join("\n"));
  },
};

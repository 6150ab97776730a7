import { env, l10n } from "vscode";
import type { Command } from "./command.ts";
import { imagesFor, subjectsOf } from "./subjects.ts";

/** Puts the digests of images or layers on the clipboard, one a line. */
export const copyDigest: Command = {
  id: "kubefile.copyDigest",
  needsTrust: true,
  async run(session, ...args) {
    const digests = subjectsOf(args).flatMap((subject) => (subject.digest ? [subject.digest] : []));
    if (digests.length === 0) {
      const chosen = await imagesFor(session, args, l10n.t("Copy Digest"));
      digests.push(...(chosen ?? []).map(({ image }) => image.digest));
    }
    if (digests.length > 0) await env.clipboard.writeText(digests.join("\n"));
  },
};
